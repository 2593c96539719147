//! Rules of imports.

mod foreign;

use std::sync::Mutex;

use super::*;
use crate::Secret;
use crate::key::MasterKey;
use crate::model::{Group, Policy, Tenant, TokenDigest, UserId};
use crate::port::{
    DirectoryStore as _, ForeignPolicy, ForeignRefreshToken, ForeignTenant, ForeignUser, GroupStore as _, NewTenant,
    NewUser, PolicyStore as _, RefreshStore as _, SystemRandom, TenantStore as _,
};
use crate::testing::{MemoryStore, StillClock};
use crate::token::TokenValue;
use foreign::{Foreign, id, small, tenant, token, user, uuid};
use group::groups_of;

#[derive(Default)]
struct Bar(Mutex<(Vec<ImportKind>, u64)>);

impl ImportProgress for Bar {
    fn begin(&self, kind: ImportKind, _rows: u64) {
        self.0.lock().unwrap().0.push(kind);
    }

    fn advance(&self, rows: u64) {
        self.0.lock().unwrap().1 += rows;
    }
}

struct House {
    store: Arc<MemoryStore>,
    importer: Importer,
}

impl House {
    async fn new() -> Self {
        let (store, clock, random) = (MemoryStore::new(), Arc::new(StillClock::new()), Arc::new(SystemRandom));
        let master = MasterKey::new([1; 32]);
        let keys = KeyRing::open(&*store, &master, &*random, &*clock).await.unwrap();
        let settings = Arc::new(SettingService::new(store.clone(), master, random.clone()));
        let importer = Importer::new(store.clone(), keys, settings, clock, random);
        Self { store, importer }
    }

    async fn run(&self, foreign: &Foreign, dry_run: bool) -> ImportReport {
        let how = ImportSettings {
            dry_run,
            refresh_ttl: None,
        };
        self.importer.run(foreign, how, &Bar::default()).await.unwrap()
    }

    fn digest(&self, value: &str) -> TokenDigest {
        self.importer.keys.digest(&TokenValue::parse(value).unwrap())
    }
}

fn numbers(report: &ImportReport, kind: ImportKind) -> (u64, u64, u64) {
    let tally = report.of(kind);
    (tally.added, tally.present, tally.skipped)
}

fn reasons(report: &ImportReport) -> Vec<String> {
    let skipped = report.skipped.iter();
    skipped
        .map(|row| format!("{} {}: {}", row.kind.as_str(), row.id, row.reason))
        .collect()
}

#[tokio::test]
async fn all_of_it_is_here_under_its_own_ids() {
    let house = House::new().await;
    let report = house.run(&small(), false).await;
    assert_eq!(reasons(&report), [""; 0]);
    assert!(report.top_tenant_adopted && report.changes());
    for (kind, added, present) in [
        (ImportKind::Tenant, 1, 1),
        (ImportKind::Domain, 1, 0),
        (ImportKind::Policy, 1, 0),
        (ImportKind::Group, 1, 2),
        (ImportKind::User, 1, 0),
        (ImportKind::Membership, 1, 0),
        (ImportKind::Attachment, 4, 0),
        (ImportKind::Contact, 1, 0),
        (ImportKind::RefreshToken, 1, 0),
        (ImportKind::LdapSettings, 1, 0),
    ] {
        assert_eq!(numbers(&report, kind), (added, present, 0), "{kind:?}");
    }
    let tenants = house.store.list_tenants().await.unwrap();
    let company = tenants.iter().find(|tenant| tenant.id.0 == uuid(1, 2)).unwrap();
    assert_eq!(
        (company.parent.0, company.contact),
        (uuid(1, 1), Some(UserId(uuid(4, 1))))
    );
    let alice = house.store.find_user(UserId(uuid(4, 1))).await.unwrap().unwrap();
    assert_eq!((alice.tenant, alice.emails[0].id.0), (company.id, uuid(6, 1)));
    let verifier = house.store.find_verifier(alice.id).await.unwrap().unwrap();
    assert_eq!(verifier.expose(), "$pbkdf2-sha512$i=1$a$b");
    let digest = house.digest(&id(5, 1));
    let (token, _) = house.store.find_refresh_token(&digest).await.unwrap().unwrap();
    assert_eq!((token.identity.user, token.client_id.as_str()), (Some(alice.id), "app"));
    assert!(
        house
            .store
            .find_group(GroupId(uuid(3, 2)))
            .await
            .unwrap()
            .unwrap()
            .system
    );
    let ldap = house.importer.settings.find_ldap(company.id).await.unwrap().unwrap();
    assert_eq!((ldap.value.port, ldap.secret), (389, Some(Secret::from("l-s3cre7"))));
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_says_so() {
    let house = House::new().await;
    let first = house.run(&small(), false).await;
    let second = house.run(&small(), false).await;
    assert!(first.changes() && !second.changes(), "{second:?}");
    for (before, after) in first.tallies.iter().zip(&second.tallies) {
        assert_eq!(after.present, before.added + before.present, "{:?}", after.kind);
    }
    assert_eq!(second.skipped, []);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_writes_nothing() {
    let house = House::new().await;
    let before = house.store.list_tenants().await.unwrap();
    let dry = house.run(&small(), true).await;
    assert_eq!(house.store.list_tenants().await.unwrap(), before);
    assert_eq!(house.store.find_user(UserId(uuid(4, 1))).await.unwrap(), None);
    let real = house.run(&small(), false).await;
    assert_eq!((dry.tallies, dry.skipped), (real.tallies, real.skipped));
    assert!(dry.dry_run && !real.dry_run && dry.top_tenant_adopted);
}

#[tokio::test]
async fn what_cannot_come_is_named_with_its_reason_and_the_rest_comes() {
    let house = House::new().await;
    let mut foreign = small();
    foreign.tenants.push(tenant(3, 7));
    foreign.tenants.push(ForeignTenant {
        id: "nope".to_owned(),
        ..tenant(4, 1)
    });
    foreign.users.extend([
        user(2, 3, "bob"),
        user(3, 2, "ALICE@example.org"),
        ForeignUser {
            purpose: "pet".to_owned(),
            ..user(4, 2, "rex")
        },
        ForeignUser {
            verifier: Err("its password hash is odd"),
            ..user(5, 2, "eve")
        },
        // Who is left out takes nobody's name.
        user(6, 2, "Eve"),
    ]);
    foreign.tokens.extend([token("nope", 1), token(&id(5, 2), 2)]);
    for dry_run in [true, false] {
        let report = house.run(&foreign, dry_run).await;
        let mut reasons = reasons(&report);
        reasons.sort();
        assert_eq!(
            reasons,
            [
                format!("refresh tokens {}/app: it is no UUID", id(4, 1)),
                format!("refresh tokens {}/app: its user was not brought in", id(4, 2)),
                format!("tenants {}: no path leads from it to the top tenant", id(1, 3)),
                "tenants nope: its id is no UUID".to_owned(),
                format!("users {}: its tenant `{}` was not brought in", id(4, 2), id(1, 3)),
                format!(
                    "users {}: without regard to case, another user has its login or one of its addresses",
                    id(4, 3)
                ),
                format!("users {}: its purpose is unknown", id(4, 4)),
                format!("users {}: its password hash is odd", id(4, 5)),
            ],
            "dry: {dry_run}"
        );
        assert_eq!(numbers(&report, ImportKind::User), (2, 0, 4));
    }
}

#[tokio::test]
async fn what_is_here_already_keeps_its_names() {
    let house = House::new().await;
    let top = house.store.list_tenants().await.unwrap()[0].id;
    let mut own = Tenant::new(TenantId(Uuid::from_u128(77)), top, "own");
    own.slug = "t2".to_owned();
    own.domains = vec!["Example.org".to_owned()];
    house
        .store
        .add_tenant(&NewTenant::of(own, GroupId(Uuid::from_u128(78))))
        .await
        .unwrap();
    let mut taken = crate::model::User::new(UserId(Uuid::from_u128(79)), top, "Alice", Timestamp(0));
    taken.enabled = true;
    house.store.add_user(&NewUser::of(taken, None)).await.unwrap();
    for dry_run in [true, false] {
        let report = house.run(&small(), dry_run).await;
        assert_eq!(numbers(&report, ImportKind::Tenant), (1, 1, 0));
        assert_eq!(numbers(&report, ImportKind::Domain), (0, 0, 1));
        assert_eq!(numbers(&report, ImportKind::User), (0, 0, 1), "{:?}", reasons(&report));
        assert_eq!(numbers(&report, ImportKind::Contact), (0, 0, 1));
        assert_eq!(report.renamed.len(), 1);
        assert_eq!(
            (&report.renamed[0].id, report.renamed[0].slug.as_str()),
            (&id(1, 2), "t2")
        );
    }
    let brought = house.store.find_tenant(TenantId(uuid(1, 2))).await.unwrap().unwrap();
    assert!(brought.slug != "t2" && brought.domains.is_empty());
}

#[tokio::test]
async fn a_tenant_that_is_here_gets_the_domains_that_it_lacks() {
    let house = House::new().await;
    let mut foreign = small();
    house.run(&foreign, false).await;
    foreign.tenants[0]
        .domains
        .extend(["b.example".to_owned(), "c.example".to_owned()]);
    foreign.tenants[1]
        .domains
        .extend(["top.example".to_owned(), "EXAMPLE.org".to_owned()]);
    for dry_run in [true, false] {
        let report = house.run(&foreign, dry_run).await;
        assert_eq!(numbers(&report, ImportKind::Domain), (3, 1, 1), "{report:?}");
    }
    let domains = async |number| {
        let found = house.store.find_tenant(TenantId(uuid(1, number))).await.unwrap();
        found.unwrap().domains
    };
    assert_eq!(domains(1).await, ["top.example"]);
    assert_eq!(domains(2).await, ["example.org", "b.example", "c.example"]);
}

#[tokio::test]
async fn a_refresh_token_that_was_revoked_here_does_not_come_back() {
    let house = House::new().await;
    let (alice, mut foreign) = (UserId(uuid(4, 1)), small());
    house.run(&foreign, false).await;
    assert!(house.store.remove_refresh_token(alice.into(), "app").await.unwrap());
    // One of another client came after the first import.
    foreign.tokens.push(ForeignRefreshToken {
        client_id: "late".to_owned(),
        created_at: Some(Timestamp(i64::MAX)),
        ..token(&id(5, 2), 1)
    });
    for dry_run in [true, false] {
        let report = house.run(&foreign, dry_run).await;
        assert_eq!(numbers(&report, ImportKind::RefreshToken), (1, 0, 1), "{report:?}");
        assert!(report.skipped[0].reason.contains("revoked since"), "{report:?}");
    }
    let kept = house.store.find_refresh_token_of(alice.into(), "app").await.unwrap();
    assert_eq!(kept, None);
}

#[tokio::test]
async fn an_access_that_was_taken_away_here_does_not_come_back() {
    let house = House::new().await;
    let (alice, reader, staff) = (UserId(uuid(4, 1)), PolicyId(uuid(2, 1)), GroupId(uuid(3, 9)));
    let mut foreign = small();
    house.run(&foreign, false).await;
    let store = &house.store;
    assert!(store.detach_policy(reader, alice.into()).await.unwrap());
    assert!(store.detach_group_policy(staff, reader).await.unwrap());
    assert!(store.remove_group_member(staff, alice).await.unwrap());
    // What is new there comes all the same.
    let writer = ForeignPolicy {
        id: id(2, 2),
        name: "writer".to_owned(),
        slug: "writer".to_owned(),
        ..foreign.policies[0].clone()
    };
    foreign.policies.push(writer);
    foreign.users[0].policies.push(id(2, 2));
    foreign.groups[2].policies.push(id(2, 2));
    for dry_run in [true, false] {
        let report = house.run(&foreign, dry_run).await;
        assert_eq!(numbers(&report, ImportKind::Membership), (0, 0, 1), "{report:?}");
        assert_eq!(numbers(&report, ImportKind::Attachment), (2, 2, 2), "{report:?}");
    }
    let groups = store.list_groups(&groups_of(alice)).await.unwrap();
    assert!(groups.items.iter().all(|group| group.system), "{groups:?}");
}

#[tokio::test]
async fn an_import_that_was_interrupted_is_gone_on_with() {
    let house = House::new().await;
    let broken = Foreign {
        ends_before_tokens: true,
        ..small()
    };
    let ended = house
        .importer
        .run(&broken, ImportSettings::default(), &Bar::default())
        .await;
    assert!(matches!(ended, Err(ImportError::Foreign(_))), "{ended:?}");
    let report = house.run(&small(), false).await;
    assert_eq!(numbers(&report, ImportKind::User), (0, 1, 0));
    assert_eq!(numbers(&report, ImportKind::RefreshToken), (1, 0, 0));
}

#[tokio::test]
async fn users_of_the_top_tenant_keep_the_method_that_it_has_there() {
    let house = House::new().await;
    let mut foreign = small();
    foreign.tenants[1].authentication_method = "ldap".to_owned();
    foreign.users.push(user(2, 1, "bob"));
    foreign.users.push(ForeignUser {
        authentication_method: "native".to_owned(),
        ..user(3, 1, "carol")
    });
    house.run(&foreign, false).await;
    for (number, method) in [
        (1, AuthenticationMethod::Default),
        (2, AuthenticationMethod::Ldap),
        (3, AuthenticationMethod::Native),
    ] {
        let user = house.store.find_user(UserId(uuid(4, number))).await.unwrap().unwrap();
        assert_eq!(user.authentication_method, method, "{number}");
    }
}

#[tokio::test]
async fn a_policy_of_the_same_name_stands_for_another_only_if_it_grants_the_same() {
    let house = House::new().await;
    let policy = |number: u8, name: &str, access: &str| ForeignPolicy {
        id: id(2, number),
        tenant: id(1, 1),
        name: name.to_owned(),
        slug: name.to_owned(),
        accesses: vec![access.to_owned()],
        ..ForeignPolicy::default()
    };
    let top = house.store.list_tenants().await.unwrap()[0].id;
    for (number, name) in [(1, "same"), (2, "admin")] {
        let known = Policy::new(PolicyId(Uuid::from_u128(number)), top, name, vec!["#".to_owned()]);
        house.store.add_policy(&known).await.unwrap();
    }
    let mut foreign = small();
    foreign.policies = vec![policy(1, "same", "#"), policy(2, "admin", "a.read")];
    foreign.users[0].policies = vec![id(2, 1), id(2, 2)];
    let report = house.run(&foreign, false).await;
    assert_eq!(numbers(&report, ImportKind::Policy), (0, 1, 1));
    let user = UserId(uuid(4, 1));
    let accesses = house.store.accesses_for(user.into(), Some(user), None).await.unwrap();
    assert_eq!(accesses, ["#"], "of the one that is the same");
}

#[tokio::test]
async fn a_group_of_the_same_name_takes_no_strangers_in() {
    let house = House::new().await;
    let foreign = small();
    house.run(&foreign, false).await;
    let other = House::new().await;
    let mut without = foreign.clone();
    without.groups.retain(|group| group.system);
    other.run(&without, false).await;
    let staff = Group {
        id: GroupId(Uuid::from_u128(5)),
        tenant: TenantId(uuid(1, 2)),
        name: "Staff".to_owned(),
        slug: "crew".to_owned(),
        system: false,
    };
    other.store.add_group(&staff).await.unwrap();
    let report = other.run(&foreign, false).await;
    assert_eq!(numbers(&report, ImportKind::Group), (0, 2, 1));
    assert_eq!(numbers(&report, ImportKind::Membership), (0, 0, 0));
}

#[tokio::test]
async fn a_store_that_is_down_ends_the_import() {
    let house = House::new().await;
    house.store.set_down(true);
    let ended = house
        .importer
        .run(&small(), ImportSettings::default(), &Bar::default())
        .await;
    assert!(matches!(ended, Err(ImportError::Store(_))), "{ended:?}");
    house.store.set_down(false);
    for tenants in [Vec::new(), vec![tenant(1, 1), tenant(2, 2)]] {
        let foreign = Foreign {
            tenants,
            ..Foreign::default()
        };
        let ended = house
            .importer
            .run(&foreign, ImportSettings::default(), &Bar::default())
            .await;
        assert!(matches!(ended, Err(ImportError::NoTop)), "{ended:?}");
    }
}

#[tokio::test]
async fn progress_is_told_row_by_row() {
    let house = House::new().await;
    let bar = Bar::default();
    house
        .importer
        .run(&small(), ImportSettings::default(), &bar)
        .await
        .unwrap();
    let told = bar.0.lock().unwrap();
    assert_eq!(told.0.len(), 6);
    assert_eq!(told.1, 2 + 1 + 3 + 1 + 1 + 1);
}
