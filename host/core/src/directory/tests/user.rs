//! Users as an API changes them.

use super::*;
use crate::directory::{AddTenant, TenantProfile};
use crate::model::{AuthenticationMethod, Purpose};
use crate::port::{UserChange, UserFilter};

pub(super) const EVERYONE: TenantScope = TenantScope::All;

/// With names that are unique everywhere, as an API adds users.
fn api_user(login: &str) -> AddUser {
    AddUser {
        unique: Uniqueness::Everywhere,
        ..user(login)
    }
}

pub(super) fn change(login: &str) -> UserChange {
    UserChange {
        login: Some(login.to_owned()),
        firstname: None,
        lastname: None,
        purpose: Some(Purpose::User),
        authentication_method: Some(AuthenticationMethod::Default),
        enabled: Some(true),
    }
}

pub(super) fn address(address: &str, main: bool) -> SetEmail {
    SetEmail {
        address: address.to_owned(),
        main,
        confirmed: None,
    }
}

impl House {
    async fn change_password(&self, id: UserId, old: &str, new: &str) -> Result<(), DirectoryError> {
        let (old, new) = (old.into(), new.into());
        self.directory.change_password(id, &old, &new, EVERYONE).await
    }

    async fn set_method(&self, id: UserId, method: AuthenticationMethod) {
        let users = [id];
        let set = self
            .directory
            .set_authentication_method(&users, method, None, EVERYONE, everything());
        set.await.unwrap();
    }
}

#[tokio::test]
async fn a_user_is_added_as_it_is_described() {
    let house = House::new();
    let id = UserId(Uuid::from_u128(7));
    let full = AddUser {
        id: Some(id),
        purpose: Purpose::Internal,
        disabled: true,
        email: Some("a@example.org".to_owned()),
        unconfirmed: true,
        ..api_user("alice")
    };
    let made = house.directory.add_user(full).await.unwrap();
    assert_eq!((made.id, made.purpose, made.enabled), (id, Purpose::Internal, false));
    assert_eq!(made.authentication_method, AuthenticationMethod::Native, "a program's");
    assert!(!made.emails[0].confirmed);
    assert_eq!(house.directory.get_user_in(id, EVERYONE).await.unwrap(), made);
    let nameless = AddUser {
        login: None,
        firstname: Some(String::new()),
        ..api_user("")
    };
    let made = house.directory.add_user(nameless).await.unwrap();
    assert_eq!(made.authentication_method, AuthenticationMethod::Default, "a person's");
    assert_eq!((made.login.as_deref(), made.display_name()), (None, None));
}

#[tokio::test]
async fn an_operators_names_are_unique_in_the_tenant_and_an_apis_everywhere() {
    let house = House::new();
    let branch = house.tenant("branch").await.id.to_string();
    house.add("alice").await;
    let in_branch = |new: AddUser| AddUser {
        tenant: Some(branch.clone()),
        ..new
    };
    let refused = house.directory.add_user(in_branch(api_user("Alice"))).await;
    assert!(is_conflict(&refused, "login"));
    let as_address = AddUser {
        email: Some("alice@example.org".to_owned()),
        ..in_branch(api_user("bob"))
    };
    house.directory.add_user(as_address).await.unwrap();
    assert!(is_conflict(
        &house.directory.add_user(api_user("ALICE@example.org")).await,
        "login"
    ));
    house.directory.add_user(in_branch(user("alice"))).await.unwrap();
}

#[tokio::test]
async fn a_user_of_a_tenant_out_of_sight_is_nobody() {
    let house = House::new();
    let branch = TenantScope::Subtree(house.tenant("branch").await.id);
    let id = house.add("alice").await.id;
    let directory = &house.directory;
    let method = AuthenticationMethod::Native;
    assert!(is_missing(
        &directory.update_user(id, change("a"), branch, everything()).await,
        "user"
    ));
    assert!(is_missing(
        &directory.remove_user_in(id, branch, everything()).await,
        "user"
    ));
    assert!(is_missing(
        &directory.set_emails(id, Vec::new(), branch, everything()).await,
        "user"
    ));
    let (old, new) = ("s3cre7".into(), "n3w".into());
    assert!(is_missing(
        &directory.change_password(id, &old, &new, branch).await,
        "user"
    ));
    let set = directory
        .set_authentication_method(&[id], method, None, branch, everything())
        .await;
    assert!(is_missing(&set, "user"));
    assert_eq!(directory.get_user("alice").await.unwrap().id, id);
}

#[tokio::test]
async fn a_change_replaces_all_that_a_user_is() {
    let house = House::new();
    let full = AddUser {
        firstname: Some("Alice".to_owned()),
        ..user("alice")
    };
    let made = house.directory.add_user(full).await.unwrap();
    let changed = house
        .directory
        .update_user(made.id, change("bob"), EVERYONE, everything())
        .await
        .unwrap();
    assert_eq!((changed.login.as_deref(), changed.firstname), (Some("bob"), None));
    assert!(is_missing(&house.directory.get_user("alice").await, "user"));
    let invalid = house
        .directory
        .update_user(made.id, change("a\nb"), EVERYONE, everything())
        .await;
    assert!(is_invalid(&invalid, "login"));
    let long = UserChange {
        lastname: Some("x".repeat(257)),
        ..change("bob")
    };
    let invalid = house.directory.update_user(made.id, long, EVERYONE, everything()).await;
    assert!(is_invalid(&invalid, "lastname"));
    house.add("carol").await;
    let taken = house
        .directory
        .update_user(made.id, change("Carol"), EVERYONE, everything())
        .await;
    assert!(is_conflict(&taken, "login"));
}

#[tokio::test]
async fn who_knows_the_old_password_sets_a_new_one() {
    let house = House::new();
    let alice = house.add("alice").await.id;
    let refused = house.change_password(alice, "wrong", "n3w").await;
    assert!(matches!(refused, Err(DirectoryError::WrongPassword)));
    assert!(is_invalid(
        &house.change_password(alice, "s3cre7", "").await,
        "password"
    ));
    house.change_password(alice, "s3cre7", "n3w").await.unwrap();
    assert!(house.is_password(alice, "n3w").await && !house.is_password(alice, "s3cre7").await);
    let nobody = house.change_password(UserId(Uuid::nil()), "s3cre7", "n3w").await;
    assert!(is_missing(&nobody, "user"));
}

#[tokio::test]
async fn an_old_password_is_good_for_one_change() {
    let house = House::new();
    let alice = house.add("alice").await.id;
    let (first, second) = tokio::join!(
        house.change_password(alice, "s3cre7", "first"),
        house.change_password(alice, "s3cre7", "second"),
    );
    let too_late = |result: &Result<(), DirectoryError>| matches!(result, Err(DirectoryError::WrongPassword));
    assert!(
        first.is_ok() && too_late(&second) || second.is_ok() && too_late(&first),
        "{first:?} {second:?}"
    );
    assert_eq!(house.is_password(alice, "first").await, first.is_ok());
    assert_eq!(house.is_password(alice, "second").await, second.is_ok());
}

#[tokio::test]
async fn who_could_not_log_in_changes_no_password() {
    let house = House::new();
    let nameless = AddUser {
        login: None,
        ..user("")
    };
    let id = house.directory.add_user(nameless).await.unwrap().id;
    let refused = |result| matches!(result, Err(DirectoryError::WrongPassword));
    assert!(refused(house.change_password(id, "s3cre7", "n3w").await));
    let confirmed = |confirmed| SetEmail {
        confirmed: Some(confirmed),
        ..address("a@example.org", true)
    };
    house
        .directory
        .set_emails(id, vec![confirmed(false)], EVERYONE, everything())
        .await
        .unwrap();
    assert!(refused(house.change_password(id, "s3cre7", "n3w").await));
    house
        .directory
        .set_emails(id, vec![confirmed(true)], EVERYONE, everything())
        .await
        .unwrap();
    house.change_password(id, "s3cre7", "n3w").await.unwrap();
    let disabled = UserChange {
        enabled: Some(false),
        ..change("alice")
    };
    house
        .directory
        .update_user(id, disabled, EVERYONE, everything())
        .await
        .unwrap();
    assert!(refused(house.change_password(id, "n3w", "s3cre7").await));
}

#[tokio::test]
async fn the_password_of_whoever_proves_it_elsewhere_is_nobodys() {
    let house = House::new();
    let alice = house.add("alice").await.id;
    for method in [AuthenticationMethod::Ldap, AuthenticationMethod::Saml] {
        house.set_method(alice, method).await;
        let before = house.passwords.computed();
        assert!(!house.is_password(alice, "s3cre7").await, "{method:?}");
        assert_eq!(
            house.passwords.computed(),
            before + 1,
            "it costs what a wrong one costs"
        );
        let refused = house.change_password(alice, "s3cre7", "n3w").await;
        assert!(matches!(refused, Err(DirectoryError::ManagedExternally)), "{method:?}");
    }
    for method in [AuthenticationMethod::Native, AuthenticationMethod::Default] {
        house.set_method(alice, method).await;
        assert!(house.is_password(alice, "s3cre7").await, "{method:?}");
    }
}

#[tokio::test]
async fn a_user_without_a_method_of_its_own_does_as_the_tenant_says() {
    let house = House::new();
    let branch = AddTenant {
        id: None,
        parent: house.tenants.master().await.unwrap(),
        slug: None,
        realm: None,
        profile: TenantProfile {
            name: Some("branch".to_owned()),
            authentication_method: AuthenticationMethod::Ldap,
            ..TenantProfile::default()
        },
    };
    house.directory.create_tenant(branch).await.unwrap();
    let in_branch = AddUser {
        tenant: Some("branch".to_owned()),
        ..user("alice")
    };
    let alice = house.directory.add_user(in_branch).await.unwrap().id;
    assert!(!house.is_password(alice, "s3cre7").await);
    house.set_method(alice, AuthenticationMethod::Native).await;
    assert!(house.is_password(alice, "s3cre7").await);
}

#[tokio::test]
async fn methods_change_for_all_users_or_for_none() {
    let house = House::new();
    let (alice, bob) = (house.add("alice").await.id, house.add("bob").await.id);
    let directory = &house.directory;
    let method = async |id| directory.get_user_in(id, EVERYONE).await.unwrap().authentication_method;
    let set = async |users: &[UserId], method, instead_of| {
        directory
            .set_authentication_method(users, method, instead_of, EVERYONE, everything())
            .await
    };
    let (ldap, saml, default) = (
        AuthenticationMethod::Ldap,
        AuthenticationMethod::Saml,
        AuthenticationMethod::Default,
    );
    assert!(is_missing(
        &set(&[alice, UserId(Uuid::nil())], ldap, None).await,
        "user"
    ));
    assert_eq!(method(alice).await, default);
    set(&[alice, bob], ldap, None).await.unwrap();
    set(&[alice], default, Some(saml)).await.unwrap();
    assert_eq!((method(alice).await, method(bob).await), (ldap, ldap));
    set(&[alice], default, Some(ldap)).await.unwrap();
    assert_eq!((method(alice).await, method(bob).await), (default, ldap));
}

#[tokio::test]
async fn addresses_have_one_main_among_them_and_none_twice() {
    let house = House::new();
    let alice = house.add("alice").await.id;
    let set = async |emails: Vec<SetEmail>| house.directory.set_emails(alice, emails, EVERYONE, everything()).await;
    for wrong in [
        vec![address("a@x", false)],
        vec![address("a@x", true), address("b@x", true)],
        vec![address("a@x", true), address("A@X", false)],
        (0..101).map(|n| address(&format!("{n}@x"), n == 0)).collect(),
    ] {
        assert!(is_invalid(&set(wrong.clone()).await, "emails"), "{wrong:?}");
    }
    assert!(is_invalid(&set(vec![address("nope", true)]).await, "email"));
    let emails = set(vec![address("a@x", false), address("b@x", true)]).await.unwrap();
    assert!(emails.iter().all(|email| !email.confirmed));
    assert_eq!(set(Vec::new()).await.unwrap(), []);
}

#[tokio::test]
async fn a_backend_hears_of_as_many_groups_as_a_session_can_keep() {
    let house = House::new();
    let (alice, root) = (house.add("alice").await, held(&["#"]));
    let mut long = Vec::new();
    for n in 0..80 {
        let name = format!("{n:03}-{}", "x".repeat(124));
        let group = house.directory.add_group(alice.tenant, &name, None).await.unwrap();
        let added = house.directory.add_group_member(group.id, alice.id, EVERYONE, &root);
        added.await.unwrap();
        long.push(name);
    }
    let heard = house.directory.group_names(Some(alice.id)).await.unwrap();
    assert_eq!(heard, long[..64]);
    assert_eq!(house.directory.group_names(None).await.unwrap(), [""; 0]);
    let query = Query {
        filter: UserFilter::default(),
        ..Query::all(EVERYONE)
    };
    assert_eq!(house.directory.list_users(&query).await.unwrap().total, 1);
}
