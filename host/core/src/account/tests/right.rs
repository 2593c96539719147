//! Levels and roles.

use super::*;
use crate::port::PolicyStore as _;
use crate::rights::{ACCOUNT_ADMIN_ACCESSES, ACCOUNT_ADMIN_POLICY, PrivLevel, Right};

impl House {
    pub(super) async fn with_policy() -> Self {
        let house = Self::new().await;
        let accesses = ACCOUNT_ADMIN_ACCESSES.map(str::to_owned).to_vec();
        house
            .directory
            .add_policy(ACCOUNT_ADMIN_POLICY, accesses)
            .await
            .unwrap();
        house
    }

    async fn set(&self, level: PrivLevel, by: &AccessList) -> Result<Right, DirectoryError> {
        self.accounts.set_priv_level(self.alice.id, level, by).await
    }

    async fn level(&self) -> PrivLevel {
        self.accounts.rights_of(self.alice.id).await.unwrap().kazoo
    }
}

#[tokio::test]
async fn a_level_is_given_and_taken_by_the_policy_of_its_row() {
    let house = House::with_policy().await;
    let admin = accesses(&ACCOUNT_ADMIN_ACCESSES);
    assert_eq!(house.level().await, PrivLevel::User);
    let right = house.set(PrivLevel::Admin, &admin).await.unwrap();
    assert_eq!((right.kazoo, right.webitel.as_str()), (PrivLevel::Admin, "admin"));
    assert_eq!(house.level().await, PrivLevel::Admin);
    house.set(PrivLevel::Admin, &admin).await.unwrap();
    house.set(PrivLevel::User, &admin).await.unwrap();
    assert_eq!(house.level().await, PrivLevel::User);
    let nobody = UserId(SystemRandom.uuid());
    let unknown = house.accounts.set_priv_level(nobody, PrivLevel::Admin, &admin).await;
    assert!(matches!(unknown, Err(DirectoryError::NotFound { what: "user", .. })));
}

#[tokio::test]
async fn nobody_gives_a_level_whose_accesses_it_lacks() {
    let house = House::with_policy().await;
    for poor in [&[][..], &["keyway.admin"], &["#", "!auth.tenants.#"]] {
        let refused = house.set(PrivLevel::Admin, &accesses(poor)).await;
        assert!(
            matches!(refused, Err(DirectoryError::AccessDenied(_))),
            "{poor:?}: {refused:?}"
        );
    }
    assert_eq!(house.level().await, PrivLevel::User);
}

#[tokio::test]
async fn who_loses_a_level_has_no_session_left_that_says_otherwise() {
    let house = House::with_policy().await;
    let root = accesses(&["#"]);
    let before = house.token(HOUR).await;
    house.set(PrivLevel::Admin, &root).await.unwrap();
    assert!(house.is_good(&before).await, "who gets something keeps its sessions");
    house.set(PrivLevel::User, &root).await.unwrap();
    assert!(!house.is_good(&before).await);
}

#[tokio::test]
async fn who_has_more_by_another_policy_stays_what_it_is() {
    let house = House::with_policy().await;
    house.directory.add_policy("all", vec!["#".to_owned()]).await.unwrap();
    let alice = house.alice.id;
    house.directory.attach_policy("all", &alice.to_string()).await.unwrap();
    let right = house.set(PrivLevel::User, &accesses(&["#"])).await.unwrap();
    assert_eq!((right.kazoo, right.webitel.as_str()), (PrivLevel::Admin, "root"));
}

#[tokio::test]
async fn a_tenants_own_policy_of_the_same_slug_gives_no_level() {
    let house = House::new().await;
    // The top tenant has none, so a tenant may take the name.
    let own = crate::directory::NewPolicy {
        name: ACCOUNT_ADMIN_POLICY.to_owned(),
        accesses: vec!["calls.#".to_owned()],
        ..crate::directory::NewPolicy::default()
    };
    house
        .directory
        .create_policy(house.acme, own, &accesses(&["#"]))
        .await
        .unwrap();
    let refused = house.set(PrivLevel::Admin, &accesses(&["#"])).await;
    assert!(
        matches!(refused, Err(DirectoryError::NotFound { what: "policy", .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_level_that_no_row_gives_is_refused() {
    let house = House::with_policy().await;
    house
        .accounts
        .use_rights(Rights::new(Rights::default().rows()[2..].to_vec()).unwrap());
    assert_eq!(house.accounts.rights().rows().len(), 1);
    assert!(is_invalid(
        house.set(PrivLevel::Admin, &accesses(&["#"])).await,
        "priv_level"
    ));
}

#[tokio::test]
async fn a_level_takes_the_place_of_another_one() {
    let house = House::with_policy().await;
    let root = accesses(&["#"]);
    house
        .directory
        .add_policy("supervisor", vec!["tel.supervise".to_owned()])
        .await
        .unwrap();
    let mut rows = Rights::default().rows().to_vec();
    rows.insert(
        2,
        Right {
            access: Some("tel.supervise".to_owned()),
            // As somebody else spells it.
            policy: Some("Supervisor".to_owned()),
            kazoo: PrivLevel::User,
            webitel: "supervisor".to_owned(),
        },
    );
    house.accounts.use_rights(Rights::new(rows).unwrap());
    let alice = house.alice.id.to_string();
    house.directory.attach_policy("supervisor", &alice).await.unwrap();
    let role = async |level| house.set(level, &root).await.unwrap().webitel;
    assert_eq!(role(PrivLevel::Admin).await, "admin");
    let before = house.token(HOUR).await;
    assert_eq!(role(PrivLevel::User).await, "supervisor");
    assert!(!house.is_good(&before).await);
    let policies = house
        .store
        .accesses_for(house.alice.id.into(), Some(house.alice.id), None);
    assert_eq!(policies.await.unwrap(), ["tel.supervise"]);
}
