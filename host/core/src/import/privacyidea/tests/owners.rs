//! Whose factors are.

use super::*;
use crate::model::{FactorOwner, IdentityId};
use crate::port::DirectoryStore as _;
use uuid::Uuid;

impl House {
    /// The id of whom a login through the backend leads to.
    async fn identity(&self, backend: &str, subject: &str) -> IdentityId {
        let name = BackendName::parse(backend).unwrap();
        let fresh = IdentityId(Uuid::from_u128(7));
        let known = self.store.resolve_identity(&name, subject, fresh, self.clock.now());
        known.await.unwrap()
    }

    async fn owner(&self, serial: &str) -> Option<FactorOwner> {
        self.factor(serial).await.owner
    }
}

fn with_ldap(uid_type: &str) -> Fake {
    let ldap = resolver("ldap1", "ldapresolver", &[("UIDTYPE", uid_type)]);
    Fake {
        resolvers: vec![ldap],
        tokens: vec![owned("T1", "ldap1", "u-1")],
        ..Fake::default()
    }
}

#[tokio::test]
async fn a_factor_belongs_to_the_identity_that_a_login_leads_to() {
    let house = House::new();
    house.run(&small()).await;
    let owner = house.owner("HOTP1").await.unwrap();
    assert_eq!(owner.identity, house.identity("realms", "passwd1:1000").await);
    assert_ne!(owner.identity, IdentityId(Uuid::from_u128(7)));
    assert_eq!(
        (owner.login.as_str(), owner.realm.as_str(), owner.resolver.as_str()),
        ("u1000", "realm1", "passwd1")
    );
    assert_eq!(house.owner("TOTP1").await, None);
}

#[tokio::test]
async fn a_factor_gets_its_owner_as_soon_as_its_resolver_is_here() {
    let house = House::new();
    house.configure(|backend| backend.files.clear());
    let report = house.run(&small()).await;
    assert_eq!(numbers(&report, ImportKind::Factor), (2, 0, 1));
    assert_eq!(numbers(&report, ImportKind::FactorOwner), (0, 0, 1));
    assert_eq!(house.owner("HOTP1").await, None);
    let pending = ("privacyidea.owner".to_owned(), "passwd1:1000".to_owned());
    assert_eq!(house.factor("HOTP1").await.attributes, [pending]);

    house.configure(|backend| backend.files = ["passwd1".to_owned()].into());
    let report = house.run(&small()).await;
    assert_eq!(numbers(&report, ImportKind::Factor), (0, 2, 1));
    assert_eq!(numbers(&report, ImportKind::FactorOwner), (1, 0, 0));
    let owner = house.owner("HOTP1").await.unwrap();
    assert_eq!(owner.identity, house.identity("realms", "passwd1:1000").await);
    assert_eq!(house.factor("HOTP1").await.attributes, []);

    // Whoever takes it away has the last word.
    house.factors.unassign("HOTP1").await.unwrap();
    assert!(!house.run(&small()).await.changes());
    assert_eq!(house.owner("HOTP1").await, None);
}

#[tokio::test]
async fn another_backends_users_are_known_where_both_go_by_the_same_id() {
    let by_mail = Some("mail".to_owned());
    for (uid_type, names, called, is_known) in [
        ("entryUUID", UserNames::Ldap(None), "ldap_corp", true),
        ("entryUUID", UserNames::Ldap(None), "corp", true),
        ("entryUUID", UserNames::Ldap(None), "other", false),
        ("objectguid", UserNames::Ldap(None), "ldap_corp", true),
        ("DN", UserNames::Ldap(None), "ldap_corp", false),
        ("Mail", UserNames::Ldap(by_mail.clone()), "ldap_corp", true),
        ("entryUUID", UserNames::Ldap(by_mail), "ldap_corp", false),
        ("entryUUID", UserNames::Unknown, "ldap_corp", false),
    ] {
        let house = House::new();
        house.configure(|backend| {
            backend.fixed = json!({"resolvers": {"ldap1": {"type": "backend", "backend": called}}});
            backend.delegates = vec![Delegate {
                name: BackendName::parse("ldap_corp").unwrap(),
                aliases: vec![BackendName::parse("corp").unwrap()],
                names: names.clone(),
            }];
        });
        let report = house.run(&with_ldap(uid_type)).await;
        let owner = house.owner("T1").await;
        assert_eq!(owner.is_some(), is_known, "{uid_type} {names:?}");
        match owner {
            Some(owner) => {
                assert_eq!(owner.identity, house.identity("ldap_corp", "u-1").await);
                assert_eq!(owner.login, "u-1", "nobody knows better");
            }
            None => assert_eq!(
                reasons(&report),
                [format!(
                    "factor owners T1 of ldap1:u-1: whom the backend `{called}` knows its owner as cannot be told; assign it"
                )]
            ),
        }
    }
}

#[tokio::test]
async fn nobody_gets_a_factor_by_guessing() {
    let house = House::new();
    house.configure(|backend| {
        backend.fixed =
            json!({"resolvers": {"passwd1": {"type": "directory"}, "ldap1": {"type": "backend", "backend": "x"}}});
    });
    let mut two = owned("TWO", "passwd1", "1");
    two.owners.push(two.owners[0].clone());
    let fake = Fake {
        tokens: vec![
            owned("LOCAL", "passwd1", "1"),
            owned("GONE", "gone", "1"),
            two,
            owned("NOBODY", "passwd1", ""),
        ],
        ..small()
    };
    let report = house.run(&fake).await;
    assert_eq!(numbers(&report, ImportKind::FactorOwner), (0, 0, 4), "{report:?}");
    for serial in ["LOCAL", "GONE", "TWO", "NOBODY"] {
        assert_eq!(house.owner(serial).await, None);
    }
}
