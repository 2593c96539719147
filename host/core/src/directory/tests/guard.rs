//! Who may act on whom.

use super::*;
use crate::model::AuthenticationMethod;
use crate::port::{GroupFilter, GroupOrder, GroupStore as _, UserChange};
use crate::rights::{Right, Rights};

const EVERYONE: TenantScope = TenantScope::All;

/// What wazo's clients have who edit users.
const EDITOR: [&str; 3] = ["auth.users.#", "auth.admin.users.#", "auth.idp.#"];

impl House {
    /// A user with a policy of its own of these accesses.
    async fn with(&self, login: &str, accesses: &[&str]) -> User {
        let user = self.add(login).await;
        let accesses = accesses.iter().map(|access| (*access).to_owned()).collect();
        self.directory.add_policy(login, accesses).await.unwrap();
        self.directory.attach_policy(login, login).await.unwrap();
        user
    }

    /// What comes of each thing that somebody with these accesses may try with a user; the last one removes it.
    async fn try_all(&self, id: UserId, by: &AccessList) -> Vec<Result<(), DirectoryError>> {
        let directory = &self.directory;
        let change = UserChange {
            login: Some(format!("new-{id}")),
            firstname: None,
            lastname: None,
            purpose: None,
            authentication_method: None,
            enabled: Some(true),
        };
        let password = "taken".into();
        let method = AuthenticationMethod::Native;
        vec![
            directory.update_user(id, change, EVERYONE, by).await.map(drop),
            directory.set_emails(id, Vec::new(), EVERYONE, by).await.map(drop),
            directory
                .prepare_password(id, Some(&password), EVERYONE, by)
                .await
                .map(drop),
            directory
                .set_authentication_method(&[id], method, None, EVERYONE, by)
                .await,
            directory.remove_user_in(id, EVERYONE, by).await.map(drop),
        ]
    }
}

fn is_denied(outcome: &Result<(), DirectoryError>) -> bool {
    matches!(outcome, Err(DirectoryError::AccessDenied(_)))
}

#[tokio::test]
async fn nobody_changes_who_may_more_at_this_server() {
    let house = House::new();
    for (login, accesses) in [
        ("root", &["#"][..]),
        ("nearly", &["#", "!keyway.root"]),
        ("boss", &["keyway.admin"]),
        ("auth", &["auth.#"]),
        ("reader", &["auth.groups.read"]),
        ("mfa", &["privacyidea.admin"]),
    ] {
        let user = house.with(login, accesses).await;
        for outcome in house.try_all(user.id, &held(&EDITOR)).await {
            assert!(is_denied(&outcome), "{login}: {outcome:?}");
        }
        assert_eq!(house.directory.get_user(login).await.unwrap(), user, "{login}");
    }
}

#[tokio::test]
async fn who_edits_users_need_not_do_what_they_do_elsewhere() {
    let house = House::new();
    for (login, accesses) in [
        ("plain", &[][..]),
        ("agent", &["confd.#", "calls.me.x"]),
        ("own", &["auth.users.me.#"]),
        ("peer", &["auth.users.*.read", "!auth.users.*.delete"]),
    ] {
        let user = house.with(login, accesses).await;
        for outcome in house.try_all(user.id, &held(&EDITOR)).await {
            assert!(outcome.is_ok(), "{login}: {outcome:?}");
        }
    }
    let root = house.with("root", &["#"]).await;
    for outcome in house.try_all(root.id, everything()).await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_denial_of_the_callers_own_is_no_way_up() {
    let house = House::new();
    let root = house.with("root", &["#"]).await;
    for outcome in house.try_all(root.id, &held(&["#", "!auth.tenants.#"])).await {
        assert!(is_denied(&outcome), "{outcome:?}");
    }
}

#[tokio::test]
async fn everybody_may_change_itself() {
    let house = House::new();
    let root = house.with("root", &["#"]).await;
    let link = AccessList::new(
        &["auth.users.password.reset.#".to_owned()],
        root.id.into(),
        SessionId(Uuid::nil()),
    );
    for outcome in house.try_all(root.id, &link).await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[tokio::test]
async fn what_every_user_has_makes_nobody_more() {
    let house = House::new();
    let tenant = house.tenants.master().await.unwrap();
    for name in ["default", "members"] {
        let access = format!("auth.{name}.read");
        house.directory.add_policy(name, vec![access]).await.unwrap();
    }
    house.directory.rank_by(&Rights::default(), Some("default"));
    let query = Query::<GroupFilter, GroupOrder>::all(TenantScope::Only(tenant));
    let groups = house.store.list_groups(&query).await.unwrap().items;
    let everybody = groups.into_iter().find(|group| group.system).unwrap();
    let attached = house
        .directory
        .attach_group_policy(everybody.id, "members", EVERYONE, everything());
    attached.await.unwrap();
    let alice = house.add("alice").await;
    house.directory.may_stand_in(&alice, &held(&[])).await.unwrap();
    for outcome in house.try_all(alice.id, &held(&[])).await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[tokio::test]
async fn who_stands_in_for_somebody_may_all_that_it_may() {
    let house = House::new();
    let boss = held(&["keyway.admin", "auth.users.*.read", "calls.#"]);
    for (login, accesses, stands_in) in [
        ("plain", &[][..], true),
        ("caller", &["calls.make", "!calls.abroad"], true),
        ("mate", &["keyway.admin"], true),
        ("service", &["auth.#"], false),
        ("provisioner", &["confd.#"], false),
        ("root", &["#"], false),
    ] {
        let user = house.with(login, accesses).await;
        let outcome = house.directory.may_stand_in(&user, &boss).await;
        assert_eq!(outcome.is_ok(), stands_in, "{login}: {outcome:?}");
        assert!(outcome.is_ok() || is_denied(&outcome), "{login}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_the_table_of_rights_asks_for_makes_somebody_more() {
    let house = House::new();
    let user = house.with("boss", &["tel.boss"]).await;
    let mut rows = Rights::default().rows().to_vec();
    rows[1] = Right {
        access: Some("tel.boss".to_owned()),
        ..rows[1].clone()
    };
    house.directory.rank_by(&Rights::new(rows).unwrap(), None);
    for outcome in house.try_all(user.id, &held(&EDITOR)).await {
        assert!(is_denied(&outcome), "{outcome:?}");
    }
}
