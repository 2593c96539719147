//! Digests that stand for passwords.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::Secret;
use keyway_core::model::{AuthenticationMethod, DigestAlgorithm, GroupId, TenantId, Timestamp, User, UserId};
use keyway_core::port::{NewPassword, NewUser, Store, StoredDigest, StoredVerifier, Uniqueness};

use crate::fixture::{NOW, added_tenant, is_live, master, opened, user, uuid};
use crate::user::{change_of, wanted};

const COST: &str = "m=65536,t=3,p=1";

fn md5(hash: u8) -> StoredDigest {
    StoredDigest {
        algorithm: DigestAlgorithm::Md5,
        cost: COST.to_owned(),
        hash: Secret::new([hash; 32]),
    }
}

fn sha1(hash: u8) -> StoredDigest {
    StoredDigest {
        algorithm: DigestAlgorithm::Sha1,
        ..md5(hash)
    }
}

fn verifier(text: &str) -> StoredVerifier {
    Secret::new(text.to_owned())
}

fn password(text: &str, digests: &[StoredDigest]) -> NewPassword {
    NewPassword {
        verifier: verifier(text),
        digests: digests.to_vec(),
    }
}

/// A user with the digests `md5(hash)` and `sha1(hash)`.
fn with_digests(tenant: TenantId, login: &str, hash: u8) -> NewUser {
    NewUser {
        password: Some(password("$first", &[md5(hash), sha1(hash)])),
        ..user(tenant, login)
    }
}

async fn added(store: &dyn Store, new: &NewUser) -> User {
    store.add_user(new).await.expect("added");
    new.user.clone()
}

async fn alice(store: &dyn Store, hash: u8) -> User {
    added(store, &with_digests(master(store).await, "alice", hash)).await
}

async fn found(store: &dyn Store, tenant: TenantId, digest: &StoredDigest) -> Vec<UserId> {
    let users = store.find_users_by_digest(tenant, digest).await.expect("an answer");
    users.iter().map(|user| user.id).collect()
}

async fn digests_of(store: &dyn Store, user: &User) -> Vec<StoredDigest> {
    let mut digests = store.find_digests(user.id).await.expect("an answer");
    digests.sort_by_key(|digest| digest.algorithm.as_str());
    digests
}

pub(crate) async fn a_user_is_found_by_its_digest(store: Arc<dyn Store>) {
    let (top, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let alice = alice(&*store, 1).await;
    added(&*store, &with_digests(below, "bob", 2)).await;
    for digest in [md5(1), sha1(1)] {
        let users = store.find_users_by_digest(top, &digest).await.expect("an answer");
        assert_eq!(users, std::slice::from_ref(&alice));
    }
    let costly = StoredDigest {
        cost: "m=8,t=1,p=1".to_owned(),
        ..md5(1)
    };
    let strange = StoredDigest {
        cost: "\0".to_owned(),
        ..md5(1)
    };
    for digest in [&md5(2), &md5(9), &costly, &strange] {
        assert_eq!(found(&*store, top, digest).await, []);
    }
    assert_eq!(found(&*store, below, &md5(1)).await, [], "it is another tenant's");
    assert_eq!(digests_of(&*store, &alice).await, [md5(1), sha1(1)]);
    let none = user(top, "none");
    let none = added(&*store, &none).await;
    assert_eq!(digests_of(&*store, &none).await, []);
}

pub(crate) async fn of_users_with_one_digest_the_first_two_are_found(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let mut ids = Vec::new();
    for (login, made) in [("zoe", 1), ("adam", 3), ("mia", 2)] {
        let mut new = with_digests(top, login, 1);
        new.user.created_at = Timestamp(made);
        new.user.enabled = made != 1;
        ids.push(added(&*store, &new).await.id);
    }
    assert_eq!(found(&*store, top, &md5(1)).await, [ids[0], ids[2]]);
}

pub(crate) async fn a_digest_counts_only_where_the_method_is_native(store: Arc<dyn Store>) {
    use AuthenticationMethod::{Default, Ldap, Native, Saml};
    for (number, tenants) in (0_u8..).zip([Default, Native, Ldap, Saml]) {
        let mut tenant = crate::fixture::tenant(master(&*store).await, &format!("t{number}"));
        tenant.tenant.authentication_method = tenants;
        store.add_tenant(&tenant).await.expect("added");
        let tenant = tenant.tenant.id;
        for (number, own) in (0_u8..).zip([Default, Native, Ldap, Saml]) {
            let mut new = with_digests(tenant, &format!("u{number}"), number);
            new.user.authentication_method = own;
            let id = added(&*store, &new).await.id;
            let users = found(&*store, tenant, &sha1(number)).await;
            let counts = own.resolve(tenants) == Native;
            assert_eq!(users == [id], counts, "{own:?} in {tenants:?}");
        }
    }
}

pub(crate) async fn each_cost_of_a_tenants_digests_is_listed_once(store: Arc<dyn Store>) {
    let (top, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let costs = async |tenant, algorithm| {
        let mut costs = store.list_digest_costs(tenant, algorithm).await.expect("a list");
        costs.sort();
        costs
    };
    assert_eq!(costs(top, DigestAlgorithm::Md5).await, [""; 0]);
    for (number, cost) in (0_u8..).zip(["b", "a", "b", "c", "a"]) {
        let mut new = user(top, &format!("u{number}"));
        let cost = cost.to_owned();
        new.password = Some(password("$x", &[StoredDigest { cost, ..md5(number) }, sha1(number)]));
        added(&*store, &new).await;
    }
    added(&*store, &with_digests(below, "bob", 1)).await;
    assert_eq!(costs(top, DigestAlgorithm::Md5).await, ["a", "b", "c"]);
    assert_eq!(costs(top, DigestAlgorithm::Sha1).await, [COST]);
    assert_eq!(costs(below, DigestAlgorithm::Md5).await, [COST]);
}

pub(crate) async fn a_new_password_takes_its_digests_along(store: Arc<dyn Store>) {
    let alice = alice(&*store, 1).await;
    let of = async || digests_of(&*store, &alice).await;
    let second = password("$second", &[md5(2)]);
    store.set_verifier(alice.id, &second, NOW).await.expect("set");
    assert_eq!(of().await, [md5(2)], "the other one is the old password's");
    let third = password("$third", &[sha1(3), md5(3)]);
    let wrong = store.change_verifier(alice.id, &verifier("$x"), &third, NOW).await;
    assert_eq!(wrong.expect("an answer"), None);
    assert_eq!(of().await, [md5(2)]);
    let changed = store.change_verifier(alice.id, &second.verifier, &third, NOW).await;
    assert!(changed.expect("an answer").is_some());
    assert_eq!(of().await, [md5(3), sha1(3)]);
    let renewed = store
        .renew_verifier(alice.id, &third.verifier, &verifier("$again"))
        .await;
    assert!(renewed.expect("an answer"));
    assert_eq!(of().await, [md5(3), sha1(3)], "the password is the same");
    store.remove_verifier(alice.id, NOW).await.expect("removed");
    assert_eq!(of().await, []);
    assert_eq!(found(&*store, alice.tenant, &md5(3)).await, []);
}

pub(crate) async fn digests_are_put_only_for_what_they_are_made_of(store: Arc<dyn Store>) {
    let alice = alice(&*store, 1).await;
    let session = opened(&*store, &alice).await;
    let put = async |id, current: &str, login: &str| {
        let digests = [md5(2)];
        let put = store.put_digests(id, &verifier(current), login, &digests).await;
        put.expect("an answer")
    };
    assert!(!put(alice.id, "$other", "alice").await);
    assert!(!put(alice.id, "$first", "bob").await);
    assert!(!put(UserId(uuid()), "$first", "alice").await);
    assert_eq!(digests_of(&*store, &alice).await, [md5(1), sha1(1)]);
    assert!(put(alice.id, "$first", "ALICE").await);
    assert_eq!(digests_of(&*store, &alice).await, [md5(2)]);
    assert!(is_live(&*store, &session).await);
    let passwordless = added(&*store, &user(alice.tenant, "bob")).await;
    assert!(!put(passwordless.id, "$first", "bob").await);
}

pub(crate) async fn digests_go_when_a_user_is_called_something_else(store: Arc<dyn Store>) {
    let alice = alice(&*store, 1).await;
    let rename = async |login: Option<&str>| {
        let mut change = change_of(&alice);
        change.login = login.map(ToOwned::to_owned);
        change.firstname = Some("Alice".to_owned());
        let updated = store.update_user(alice.id, &change, Uniqueness::Everywhere, NOW).await;
        updated.expect("an answer").expect("a user")
    };
    let mail = async |address: &str| {
        let emails = [wanted(address, true, None)];
        let set = store.set_emails(alice.id, &emails, Uniqueness::Everywhere).await;
        set.expect("an answer").expect("a user")
    };
    let put = async |login: &str| {
        let put = store.put_digests(alice.id, &verifier("$first"), login, &[md5(1)]).await;
        assert!(put.expect("an answer"), "{login}");
    };
    rename(Some("Alice")).await;
    mail("a@example.org").await;
    assert_eq!(
        digests_of(&*store, &alice).await.len(),
        2,
        "a login is its name, in any case"
    );
    rename(Some("alicia")).await;
    assert_eq!(digests_of(&*store, &alice).await, []);
    put("alicia").await;
    rename(None).await;
    assert_eq!(digests_of(&*store, &alice).await, [], "it is called by its address now");
    put("a@example.org").await;
    mail("A@example.org").await;
    assert_eq!(digests_of(&*store, &alice).await, [md5(1)]);
    mail("b@example.org").await;
    assert_eq!(digests_of(&*store, &alice).await, []);
}

pub(crate) async fn digests_go_with_their_user_and_its_tenant(store: Arc<dyn Store>) {
    let below = added_tenant(&*store, "below").await;
    let (alice, bob) = (
        alice(&*store, 1).await,
        added(&*store, &with_digests(below, "bob", 2)).await,
    );
    store.remove_user(alice.id).await.expect("an answer").expect("one");
    store.remove_whole_tenant(below).await.expect("an answer").expect("one");
    for user in [alice, bob] {
        assert_eq!(digests_of(&*store, &user).await, []);
        let costs = store.list_digest_costs(user.tenant, DigestAlgorithm::Md5).await;
        assert_eq!(costs.expect("a list"), [""; 0]);
    }
}

/// They are made of the tenant's id.
pub(crate) async fn digests_go_when_the_top_tenants_id_changes(store: Arc<dyn Store>) {
    let (old, new) = (master(&*store).await, TenantId(uuid()));
    let below = added_tenant(&*store, "below").await;
    let (alice, bob) = (
        alice(&*store, 1).await,
        added(&*store, &with_digests(below, "bob", 2)).await,
    );
    let changed = store.adopt_top_tenant(new, GroupId(uuid())).await;
    changed.expect("an answer").expect("another id");
    assert_eq!(digests_of(&*store, &alice).await, []);
    for tenant in [old, new] {
        assert_eq!(found(&*store, tenant, &md5(1)).await, []);
    }
    assert_eq!(digests_of(&*store, &bob).await.len(), 2);
}

pub(crate) async fn no_digest_of_an_old_password_survives_a_new_one(store: Arc<dyn Store>) {
    let alice = alice(&*store, 0).await;
    for round in 1..20_u8 {
        let current = store.find_verifier(alice.id).await.expect("an answer").expect("one");
        let tasks = (0..4_u8).map(|number| {
            let (store, current, id) = (Arc::clone(&store), current.clone(), alice.id);
            tokio::spawn(async move {
                if number == 2 {
                    let new = password(&format!("${round}"), &[md5(round)]);
                    let set = store.set_verifier(id, &new, NOW).await;
                    assert!(set.expect("set").is_some());
                } else {
                    let old = [md5(100 + round)];
                    store.put_digests(id, &current, "alice", &old).await.expect("an answer");
                }
            })
        });
        for task in join_all(tasks.collect::<Vec<_>>()).await {
            task.expect("no panic");
        }
        assert_eq!(digests_of(&*store, &alice).await, [md5(round)]);
    }
}
