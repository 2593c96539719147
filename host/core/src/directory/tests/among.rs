//! Users as an API changes them whose names need only be free among a tenant's users.

use super::user::{EVERYONE, address, change};
use super::*;
use crate::port::UserChange;

/// Two users of the top tenant and one of another.
struct Neighbours {
    house: House,
    /// With the address `alice@example.org`.
    alice: User,
    bob: User,
    /// Of the other tenant.
    carol: User,
}

impl Neighbours {
    async fn new() -> Self {
        let house = House::new();
        house.tenant("branch").await;
        let alice = AddUser {
            email: Some("alice@example.org".to_owned()),
            ..user("alice")
        };
        let carol = AddUser {
            tenant: Some("branch".to_owned()),
            ..user("carol")
        };
        Self {
            alice: house.directory.add_user(alice).await.unwrap(),
            bob: house.add("bob").await,
            carol: house.directory.add_user(carol).await.unwrap(),
            house,
        }
    }

    async fn rename(&self, user: &User, login: &str, unique: Uniqueness) -> Result<User, DirectoryError> {
        let directory = &self.house.directory;
        directory
            .update_user_among(user.id, change(login), unique, EVERYONE, everything())
            .await
    }

    async fn write_to(&self, user: &User, email: &str, unique: Uniqueness) -> Result<Vec<Email>, DirectoryError> {
        let emails = vec![address(email, true)];
        let directory = &self.house.directory;
        directory
            .set_emails_among(user.id, emails, unique, EVERYONE, everything())
            .await
    }

    async fn is_as_before(&self, user: &User) -> bool {
        self.house.directory.get_user_in(user.id, EVERYONE).await.unwrap() == *user
    }
}

#[tokio::test]
async fn a_login_may_be_that_of_another_tenants_user_only_if_it_need_be_free_in_the_tenant_alone() {
    let all = Neighbours::new().await;
    for name in ["Alice", "ALICE@example.org"] {
        let refused = all.rename(&all.bob, name, Uniqueness::InTenant).await;
        assert!(is_conflict(&refused, "login"), "{name}: {refused:?}");
        let refused = all.rename(&all.carol, name, Uniqueness::Everywhere).await;
        assert!(is_conflict(&refused, "login"), "{name}: {refused:?}");
        assert!(all.is_as_before(&all.bob).await && all.is_as_before(&all.carol).await);
        let renamed = all.rename(&all.carol, name, Uniqueness::InTenant).await.unwrap();
        assert_eq!(renamed.login.as_deref(), Some(name));
        all.rename(&all.carol, "carol", Uniqueness::InTenant).await.unwrap();
    }
    assert!(all.is_as_before(&all.alice).await);
}

#[tokio::test]
async fn an_address_may_be_that_of_another_tenants_user_only_if_it_need_be_free_in_the_tenant_alone() {
    let all = Neighbours::new().await;
    let named = all.rename(&all.bob, "bob@example.org", Uniqueness::InTenant).await;
    named.unwrap();
    for email in ["Alice@example.org", "bob@EXAMPLE.org"] {
        let refused = all.write_to(&all.carol, email, Uniqueness::Everywhere).await;
        assert!(is_conflict(&refused, "email"), "{email}: {refused:?}");
        assert!(all.is_as_before(&all.carol).await);
        let taken = all.write_to(&all.carol, email, Uniqueness::InTenant).await.unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].address.as_str(), taken[0].confirmed), (email, false));
        all.house
            .directory
            .set_emails(all.carol.id, Vec::new(), EVERYONE, everything())
            .await
            .unwrap();
    }
    let refused = all.write_to(&all.bob, "ALICE@example.org", Uniqueness::InTenant).await;
    assert!(is_conflict(&refused, "email"), "{refused:?}");
    assert!(all.is_as_before(&all.alice).await);
}

#[tokio::test]
async fn what_nobody_may_be_called_is_refused_among_a_tenants_users_as_well() {
    let all = Neighbours::new().await;
    let long = Some("x".repeat(257));
    for (wrong, field) in [
        (change("a\nb"), "login"),
        (change(""), "login"),
        (
            UserChange {
                firstname: long.clone(),
                ..change("b")
            },
            "firstname",
        ),
        (
            UserChange {
                lastname: long,
                ..change("b")
            },
            "lastname",
        ),
    ] {
        let directory = &all.house.directory;
        let refused = directory.update_user_among(all.bob.id, wrong, Uniqueness::InTenant, EVERYONE, everything());
        assert!(is_invalid(&refused.await, field), "{field}");
    }
    for (wrong, field) in [
        (vec![address("nope", true)], "email"),
        (vec![address("b@x", false)], "emails"),
        (vec![address("b@x", true), address("B@x", false)], "emails"),
        (vec![address("b@x", true), address("c@x", true)], "emails"),
        ((0..101).map(|n| address(&format!("{n}@x"), n == 0)).collect(), "emails"),
    ] {
        let directory = &all.house.directory;
        let refused =
            directory.set_emails_among(all.bob.id, wrong.clone(), Uniqueness::InTenant, EVERYONE, everything());
        assert!(is_invalid(&refused.await, field), "{wrong:?}");
    }
    assert!(all.is_as_before(&all.bob).await);
}

#[tokio::test]
async fn nobody_is_changed_from_another_tenant_however_free_the_name_is() {
    let all = Neighbours::new().await;
    let directory = &all.house.directory;
    let elsewhere = TenantScope::Only(all.carol.tenant);
    let nobody = UserId(Uuid::from_u128(9));
    for (id, scope) in [(all.alice.id, elsewhere), (nobody, EVERYONE)] {
        let renamed = directory.update_user_among(id, change("mallory"), Uniqueness::InTenant, scope, everything());
        assert!(is_missing(&renamed.await, "user"));
        let emails = vec![address("mallory@example.org", true)];
        let written = directory.set_emails_among(id, emails, Uniqueness::InTenant, scope, everything());
        assert!(is_missing(&written.await, "user"));
    }
    assert!(all.is_as_before(&all.alice).await);
}
