//! Rules of the directory.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::access::AccessList;
use crate::model::{BackendName, Email, IdentityId, Policy, Query, SessionId, Tenant, TenantScope, User};
use crate::port::{DirectoryStore as _, PolicyFilter, PolicyStore as _};
use crate::testing::{CHEAP, MemoryStore, StillClock, cheap_passwords, everything};

mod among;
mod digest;
mod guard;
mod policy;
mod tenant;
mod user;

/// What somebody may do.
fn held(accesses: &[&str]) -> AccessList {
    let accesses: Vec<_> = accesses.iter().map(|access| (*access).to_owned()).collect();
    AccessList::new(&accesses, IdentityId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)))
}

struct House {
    store: Arc<MemoryStore>,
    passwords: Arc<PasswordPool>,
    tenants: Arc<TenantDirectory>,
    directory: DirectoryService,
}

impl House {
    fn new() -> Self {
        let store = MemoryStore::new();
        let tenants = Arc::new(TenantDirectory::new(Arc::clone(&store) as Arc<dyn Store>));
        Self::on(store, tenants, cheap_passwords(1, 16).unwrap())
    }

    fn on(store: Arc<MemoryStore>, tenants: Arc<TenantDirectory>, passwords: PasswordPool) -> Self {
        let passwords = Arc::new(passwords);
        let directory = DirectoryService::new(
            Arc::clone(&store) as Arc<dyn Store>,
            Arc::clone(&passwords),
            Arc::new(TokenCache::new(10)),
            Arc::clone(&tenants),
            Arc::new(StillClock::new()),
            Arc::new(crate::port::SystemRandom),
        );
        Self {
            store,
            passwords,
            tenants,
            directory,
        }
    }

    /// The policies that are attached to an identity, in the order of their names.
    async fn policies_of(&self, holder: IdentityId) -> Vec<Policy> {
        let filter = PolicyFilter {
            holder: Some(holder),
            ..PolicyFilter::default()
        };
        let query = Query {
            filter,
            ..Query::all(TenantScope::All)
        };
        self.store.list_policies(&query).await.unwrap().items
    }

    async fn add(&self, login: &str) -> User {
        self.directory.add_user(user(login)).await.unwrap()
    }

    /// Lets a user be one who was made a second before the others.
    fn is_elder(&self, user: &User) -> User {
        let elder = User {
            created_at: user.created_at.minus(Duration::from_secs(1)),
            ..user.clone()
        };
        self.store.replace_user(elder.clone());
        elder
    }

    async fn tenant(&self, name: &str) -> Tenant {
        self.directory.add_tenant(name, None, None, &[]).await.unwrap()
    }

    async fn is_password(&self, id: UserId, password: &str) -> bool {
        self.directory
            .verify_password(&backend(), Some(id), &password.into())
            .await
            .unwrap()
    }
}

fn backend() -> BackendName {
    BackendName::parse("wazo_user").unwrap()
}

/// With the password `s3cre7`.
fn user(login: &str) -> AddUser {
    AddUser {
        login: Some(login.to_owned()),
        password: Some("s3cre7".into()),
        ..AddUser::default()
    }
}

fn is_invalid<T>(result: &Result<T, DirectoryError>, wanted: &str) -> bool {
    matches!(result, Err(DirectoryError::Invalid { field, .. }) if *field == wanted)
}

fn is_conflict<T>(result: &Result<T, DirectoryError>, wanted: &str) -> bool {
    matches!(result, Err(DirectoryError::Store(StoreError::Conflict { what })) if *what == wanted)
}

fn is_missing<T>(result: &Result<T, DirectoryError>, wanted: &str) -> bool {
    matches!(result, Err(DirectoryError::NotFound { what, .. }) if *what == wanted)
}

#[tokio::test]
async fn a_user_is_added_to_the_top_tenant_enabled_with_a_confirmed_address() {
    let house = House::new();
    let made = house
        .directory
        .add_user(AddUser {
            email: Some("Alice@example.org".to_owned()),
            firstname: Some("Alice".to_owned()),
            ..user("alice")
        })
        .await
        .unwrap();
    assert_eq!(made.tenant, house.tenants.master().await.unwrap());
    assert!(made.enabled);
    let address = Email {
        id: made.emails[0].id,
        address: "Alice@example.org".to_owned(),
        main: true,
        confirmed: true,
    };
    assert_eq!(made.emails, [address]);
    assert_eq!(house.directory.get_user("ALICE").await.unwrap(), made);
    assert_eq!(house.directory.get_user(&made.id.to_string()).await.unwrap(), made);
    assert!(house.is_password(made.id, "s3cre7").await);
}

#[tokio::test]
async fn logins_and_addresses_are_compared_without_regard_to_case_and_only_when_confirmed() {
    let house = House::new();
    let with_email = AddUser {
        email: Some("Éa@Example.org".to_owned()),
        ..user("Éa")
    };
    let mut made = house.directory.add_user(with_email).await.unwrap();
    let found = house.directory.find_by_login("éA", None).await.unwrap();
    assert_eq!(found.as_ref(), Some(&made));
    let found = house.directory.find_by_email("éa@EXAMPLE.ORG", None).await.unwrap();
    assert_eq!(found.as_ref(), Some(&made));
    for email in &mut made.emails {
        email.confirmed = false;
    }
    house.store.replace_user(made);
    assert_eq!(
        house.directory.find_by_email("éa@example.org", None).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn what_could_be_no_login_is_nobodys_and_is_not_looked_for() {
    let house = House::new();
    house.store.set_down(true);
    for login in ["", "a\0b", "a\nb", &"x".repeat(257)] {
        assert_eq!(house.directory.find_by_login(login, None).await.unwrap(), None);
        assert_eq!(house.directory.find_by_email(login, None).await.unwrap(), None);
    }
    assert!(
        house.directory.find_by_login("alice", None).await.is_err(),
        "this one is"
    );
}

#[tokio::test]
async fn a_login_in_two_tenants_is_whose_it_was_first_until_one_is_named() {
    let house = House::new();
    let first = house.is_elder(&house.add("alice").await);
    let domains = ["branch.example".to_owned()];
    let branch = house
        .directory
        .add_tenant("branch", None, Some("sip.branch"), &domains)
        .await
        .unwrap();
    let in_branch = AddUser {
        tenant: Some("branch".to_owned()),
        ..user("alice")
    };
    let second = house.directory.add_user(in_branch).await.unwrap();
    let unnamed = house.directory.find_by_login("alice", None).await.unwrap();
    assert_eq!(unnamed.as_ref(), Some(&first));
    let ambiguous = house.directory.get_user("alice").await;
    assert!(
        matches!(ambiguous, Err(DirectoryError::Ambiguous(login)) if login == "alice"),
        "an operator is to say which one"
    );
    for name in ["branch", "BRANCH.example", "sip.branch", &branch.id.to_string()] {
        let found = house.directory.find_by_login("alice", Some(name)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&second), "{name}");
    }
    assert_eq!(
        house.directory.find_by_login("alice", Some("master")).await.unwrap(),
        Some(first)
    );
    assert_eq!(
        house.directory.find_by_login("alice", Some("nowhere")).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn an_address_in_one_tenant_takes_no_login_from_a_user_of_another() {
    let house = House::new();
    house.tenant("branch").await;
    let boss = house.is_elder(&house.add("boss@example.org").await);
    let taker = AddUser {
        tenant: Some("branch".to_owned()),
        email: Some("boss@example.org".to_owned()),
        ..user("taker")
    };
    let taker = house.directory.add_user(taker).await.unwrap();
    let find = async |tenant| house.directory.find_by_email("BOSS@example.org", tenant).await.unwrap();
    assert_eq!(find(None).await, None, "so that it is looked for as a login");
    assert_eq!(find(Some("branch")).await, Some(taker));
    let found = house.directory.find_by_login("boss@example.org", None).await.unwrap();
    assert_eq!(found, Some(boss));
}

#[tokio::test]
async fn values_out_of_bounds_are_refused_by_name() {
    let house = House::new();
    let add = async |change: fn(&mut AddUser)| {
        let mut new = user("alice");
        change(&mut new);
        house.directory.add_user(new).await
    };
    assert!(is_invalid(&add(|u| u.login = Some(String::new())).await, "login"));
    assert!(is_invalid(&add(|u| u.login = Some("x".repeat(257))).await, "login"));
    assert!(is_invalid(&add(|u| u.login = Some("a\tb".to_owned())).await, "login"));
    assert!(is_invalid(&add(|u| u.password = Some("".into())).await, "password"));
    assert!(is_invalid(
        &add(|u| u.password = Some(Secret::new(vec![b'x'; 1025]))).await,
        "password"
    ));
    assert!(is_invalid(
        &add(|u| u.firstname = Some("\0".to_owned())).await,
        "firstname"
    ));
    assert!(is_missing(
        &add(|u| u.tenant = Some("nowhere".to_owned())).await,
        "tenant"
    ));
    for bad in [
        "",
        "alice",
        "@example.org",
        "alice@",
        "a b@c",
        "a@b@c",
        "a@.b",
        "a@b..c",
        "a@b\n",
    ] {
        let mut new = user("alice");
        new.email = Some(bad.to_owned());
        assert!(is_invalid(&house.directory.add_user(new).await, "email"), "{bad:?}");
    }
    let long = format!("a@{}.org", "x".repeat(250));
    let mut new = user("alice");
    new.email = Some(long);
    assert!(is_invalid(&house.directory.add_user(new).await, "email"));
    assert_eq!(
        house
            .directory
            .list_users(&Query::all(TenantScope::All))
            .await
            .unwrap()
            .total,
        0
    );
    assert!(add(|u| u.login = Some("é".repeat(256))).await.is_ok());
}

#[tokio::test]
async fn no_user_stands_in_front_of_another() {
    let house = House::new();
    let email = |login: &str, email: &str| AddUser {
        email: Some(email.to_owned()),
        ..user(login)
    };
    house
        .directory
        .add_user(email("alice", "alice@example.org"))
        .await
        .unwrap();
    let add = async |new| house.directory.add_user(new).await;
    assert!(is_conflict(&add(user("ALICE")).await, "login"));
    assert!(is_conflict(&add(email("bob", "ALICE@example.org")).await, "email"));
    assert!(is_conflict(&add(user("Alice@Example.org")).await, "login"));
    add(user("carol@example.org")).await.unwrap();
    assert!(is_conflict(&add(email("dave", "Carol@example.org")).await, "email"));
}

#[tokio::test]
async fn an_administrator_gets_the_policy_that_grants_everything() {
    let house = House::new();
    for login in ["alice", "bob"] {
        let admin = AddUser {
            admin: true,
            ..user(login)
        };
        let made = house.directory.add_user(admin).await.unwrap();
        let policies = house.policies_of(made.id.into()).await;
        let accesses: Vec<_> = policies
            .iter()
            .map(|policy| (policy.name.as_str(), policy.accesses.as_slice()))
            .collect();
        assert_eq!(accesses, [(ADMIN_POLICY, ["#".to_owned()].as_slice())]);
    }
    assert_eq!(
        house
            .directory
            .list_policies(&Query::all(TenantScope::All))
            .await
            .unwrap()
            .total,
        1
    );
    let carol = house.add("carol").await;
    assert!(house.policies_of(carol.id.into()).await.is_empty());
}

#[tokio::test]
async fn a_policy_admin_that_grants_less_is_not_given_as_if_it_granted_everything() {
    let house = House::new();
    house
        .directory
        .add_policy(ADMIN_POLICY, vec!["a.#".to_owned()])
        .await
        .unwrap();
    let admin = AddUser {
        admin: true,
        ..user("alice")
    };
    assert!(is_invalid(&house.directory.add_user(admin).await, "admin"));
    assert!(is_missing(&house.directory.get_user("alice").await, "user"));
}

#[tokio::test]
async fn every_wrong_password_costs_one_computation() {
    let house = House::new();
    let alice = house.add("alice").await;
    let silent = AddUser {
        password: None,
        ..user("silent")
    };
    let silent = house.directory.add_user(silent).await.unwrap();
    let nobody = UserId(Uuid::from_u128(7));
    for id in [Some(alice.id), Some(silent.id), Some(nobody), None] {
        let before = house.passwords.computed();
        assert!(
            !house
                .directory
                .verify_password(&backend(), id, &"wrong".into())
                .await
                .unwrap()
        );
        assert_eq!(house.passwords.computed(), before + 1, "{id:?}");
    }
    assert!(
        !house
            .directory
            .verify_password(&backend(), Some(silent.id), &"".into())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_match_renews_an_outdated_verifier_and_a_mismatch_does_not() {
    let house = House::new();
    let alice = house.add("alice").await;
    let old = house.store.verifier_of(alice.id).unwrap();
    let params = crate::password::PasswordParams { iterations: 2, ..CHEAP };
    let stronger = PasswordPool::for_tests(params, 1, 16, Arc::new(crate::port::SystemRandom)).unwrap();
    let later = House::on(Arc::clone(&house.store), Arc::clone(&house.tenants), stronger);
    assert!(!later.is_password(alice.id, "wrong").await);
    assert!(later.store.verifier_of(alice.id).unwrap() == old);
    assert!(later.is_password(alice.id, "s3cre7").await);
    let renewed = later.store.verifier_of(alice.id).unwrap();
    assert!(
        renewed.expose().starts_with("$argon2id$v=19$m=8,t=2,p=1$"),
        "{}",
        renewed.expose()
    );
    assert!(later.is_password(alice.id, "s3cre7").await);
    assert!(later.store.verifier_of(alice.id).unwrap() == renewed, "once is enough");
}

#[tokio::test]
async fn lower_parameters_lock_nobody_out() {
    let costly = crate::password::PasswordParams {
        memory_kib: 256 * 1024,
        ..CHEAP
    };
    let costly = PasswordPool::for_tests(costly, 1, 16, Arc::new(crate::port::SystemRandom)).unwrap();
    let before = House::new();
    let before = House::on(before.store, before.tenants, costly);
    let alice = before.add("alice").await;
    let later = House::on(before.store, before.tenants, cheap_passwords(1, 16).unwrap());
    assert!(later.is_password(alice.id, "s3cre7").await);
    let renewed = later.store.verifier_of(alice.id).unwrap();
    assert!(renewed.expose().starts_with("$argon2id$v=19$m=8,"));
}

#[tokio::test]
async fn a_stored_verifier_that_cannot_be_used_is_a_wrong_password_to_everyone_but_the_log() {
    let house = House::new();
    let alice = house.add("alice").await;
    let unusable = [
        "$bcrypt$10$abcdefgh",
        "s3cre7",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ];
    for unusable in unusable {
        let now = house.directory.clock.now();
        let verifier = Secret::new(unusable.to_owned());
        house.store.set_verifier(alice.id, &verifier.into(), now).await.unwrap();
        let before = house.passwords.computed();
        assert!(!house.is_password(alice.id, "s3cre7").await, "{unusable}");
        assert_eq!(house.passwords.computed(), before + 1, "{unusable}");
    }
}

#[tokio::test]
async fn a_new_password_takes_the_place_of_the_old() {
    let house = House::new();
    let alice = house.add("alice").await;
    house.directory.set_password("alice", &"n3w".into()).await.unwrap();
    assert!(!house.is_password(alice.id, "s3cre7").await);
    assert!(house.is_password(alice.id, "n3w").await);
    assert!(is_invalid(
        &house.directory.set_password("alice", &"".into()).await,
        "password"
    ));
    assert!(is_missing(
        &house.directory.set_password("bob", &"x".into()).await,
        "user"
    ));
}

#[tokio::test]
async fn a_removed_user_is_gone() {
    let house = House::new();
    let alice = house.add("alice").await;
    assert_eq!(house.directory.remove_user(&alice.id.to_string()).await.unwrap(), alice);
    assert!(is_missing(&house.directory.remove_user("alice").await, "user"));
    assert!(!house.is_password(alice.id, "s3cre7").await);
}

#[tokio::test]
async fn tenants_hang_below_the_top_or_the_one_named() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let branch = house.tenant("branch").await;
    assert_eq!(branch.parent, master);
    let leaf = house
        .directory
        .add_tenant("leaf", Some("Branch"), None, &[])
        .await
        .unwrap();
    assert_eq!(leaf.parent, branch.id);
    assert!(
        house.tenants.tree().await.unwrap().is_within(leaf.id, branch.id),
        "seen at once"
    );
    assert!(is_missing(
        &house.directory.add_tenant("x", Some("nowhere"), None, &[]).await,
        "tenant"
    ));
    assert!(is_conflict(
        &house.directory.add_tenant("BRANCH", None, None, &[]).await,
        "tenant name"
    ));
}

#[tokio::test]
async fn a_tenant_goes_only_when_it_owns_nothing_and_the_top_one_never() {
    let house = House::new();
    let branch = house.tenant("branch").await;
    let in_branch = AddUser {
        tenant: Some("branch".to_owned()),
        ..user("alice")
    };
    house.directory.add_user(in_branch).await.unwrap();
    let refused = house.directory.remove_tenant("branch").await;
    assert!(matches!(
        refused,
        Err(DirectoryError::Store(StoreError::InUse { what: "users" }))
    ));
    house.directory.remove_user("alice").await.unwrap();
    assert_eq!(house.directory.remove_tenant("branch").await.unwrap(), branch);
    assert!(is_missing(&house.directory.remove_tenant("branch").await, "tenant"));
    assert!(is_invalid(&house.directory.remove_tenant("master").await, "tenant"));
}

#[tokio::test]
async fn a_tenants_name_stands_in_front_of_no_domain_and_a_shared_one_stands_for_nobody() {
    let house = House::new();
    let owner = house
        .directory
        .add_tenant("z", None, None, &["example.org".to_owned()])
        .await
        .unwrap();
    house.tenant("example.org").await;
    let (a, b) = (house.tenant("a").await, house.tenant("b").await);
    for parent in [&a, &b] {
        let parent = parent.id.to_string();
        house
            .directory
            .add_tenant("desk", Some(&parent), None, &[])
            .await
            .unwrap();
        house
            .directory
            .add_tenant("master", Some(&parent), None, &[])
            .await
            .unwrap();
    }
    let tree = house.tenants.tree().await.unwrap();
    assert_eq!(tree.find("example.org"), Some(owner.id));
    assert_eq!(tree.find("desk"), None);
    assert_eq!(tree.find("master"), tree.master());
}

#[tokio::test]
async fn a_policy_is_attached_to_users_and_to_other_identities() {
    let house = House::new();
    let alice = house.add("alice").await;
    let policy = house
        .directory
        .add_policy("readers", vec!["a.read".to_owned()])
        .await
        .unwrap();
    let stranger = IdentityId(Uuid::from_u128(9));
    for to in ["Alice", &alice.id.to_string(), &stranger.to_string()] {
        house.directory.attach_policy("Readers", to).await.unwrap();
    }
    for identity in [alice.id.into(), stranger] {
        let attached = house.policies_of(identity).await;
        assert_eq!(attached, std::slice::from_ref(&policy));
    }
    house.directory.detach_policy("readers", "alice").await.unwrap();
    house.directory.detach_policy("readers", "alice").await.unwrap();
    assert!(house.policies_of(alice.id.into()).await.is_empty());
    assert!(is_missing(
        &house.directory.attach_policy("readers", "nobody").await,
        "user"
    ));
    assert!(is_missing(
        &house.directory.attach_policy("writers", "alice").await,
        "policy"
    ));
    house.directory.remove_policy("readers").await.unwrap();
    assert!(is_missing(&house.directory.remove_policy("readers").await, "policy"));
    assert!(house.policies_of(stranger).await.is_empty());
}

#[tokio::test]
async fn a_policy_out_of_bounds_is_refused() {
    let house = House::new();
    let add = async |name: &str, access: &str| house.directory.add_policy(name, vec![access.to_owned()]).await;
    assert!(is_invalid(&add("", "a").await, "policy name"));
    assert!(is_invalid(&add(&"x".repeat(81), "a").await, "policy name"));
    for access in ["", "!", "a\n", &"x".repeat(1025)] {
        assert!(is_invalid(&add("p", access).await, "access"), "{access:?}");
    }
    assert!(add("p", &"x".repeat(1024)).await.is_ok());
    assert!(is_conflict(&add("P", "a").await, "policy name"));
}
