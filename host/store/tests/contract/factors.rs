//! Second factors: what is kept of them, and how they are listed.

use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::model::{
    Factor, FactorId, FactorKind, FactorOwner, FactorState, IdentityId, OtpAlgorithm, OtpParameters, TenantId,
    Timestamp, User,
};
use keyway_core::port::{
    FactorChange, FactorFilter, FactorOrder, FactorQuery, NewFactor, Store, StoreError, StoredFactor,
};

use crate::fixture::{NOW, master, uuid};

/// How many ask at once.
pub(crate) const AT_ONCE: usize = 32;

/// An active TOTP factor in a drawer.
pub(crate) fn factor(serial: &str) -> NewFactor {
    let factor = Factor {
        id: FactorId(uuid()),
        serial: serial.to_owned(),
        kind: FactorKind::Totp,
        parameters: OtpParameters {
            algorithm: OtpAlgorithm::Sha256,
            digits: 6,
            period: 30,
        },
        owner: None,
        state: FactorState::Active,
        pin: None,
        counter: 100,
        drift: 0,
        failures: 0,
        max_failures: 10,
        window: 4,
        sync_window: 1000,
        description: String::new(),
        attributes: Vec::new(),
        created_at: NOW,
        last_used_at: None,
    };
    NewFactor {
        stored: StoredFactor {
            factor,
            sealed_seed: vec![0, 255, 7],
        },
        codes: Vec::new(),
    }
}

pub(crate) fn owner(identity: IdentityId, tenant: TenantId, login: &str) -> FactorOwner {
    FactorOwner {
        identity,
        tenant,
        login: login.to_owned(),
        realm: "Corp".to_owned(),
        resolver: "ldap".to_owned(),
    }
}

pub(crate) fn owner_of(user: &User) -> FactorOwner {
    owner(user.id.into(), user.tenant, user.login.as_deref().unwrap_or_default())
}

pub(crate) async fn added(store: &dyn Store, new: NewFactor) -> Factor {
    store.add_factor(&new).await.expect("added");
    new.stored.factor
}

pub(crate) async fn found(store: &dyn Store, serial: &str) -> Option<Factor> {
    let found = store.find_factor(serial).await.expect("an answer");
    found.map(|stored| stored.factor)
}

pub(crate) async fn there(store: &dyn Store, serial: &str) -> Factor {
    found(store, serial).await.expect("it is there")
}

/// The serials of a list, and how many there are in all and fit.
pub(crate) async fn listed(store: &dyn Store, query: &FactorQuery) -> (String, u64, u64) {
    let list = store.list_factors(query).await.expect("a list");
    let serials: Vec<_> = list.items.iter().map(|factor| factor.serial.as_str()).collect();
    (serials.join(" "), list.total, list.filtered)
}

/// How many of those who ask at once are told `true`.
pub(crate) async fn winners<A, F>(asks: impl Iterator<Item = A>) -> usize
where
    A: FnOnce() -> F,
    F: Future<Output = bool> + Send + 'static,
{
    let tasks: Vec<_> = asks.map(|ask| tokio::spawn(ask())).collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.expect("no panic"));
    }
    winners
}

pub(crate) async fn a_factor_is_found_as_it_was_added(store: Arc<dyn Store>) {
    let tenant = master(&*store).await;
    let plain = factor("OATH-1_a");
    let mut full = factor("TOTP0000ABCD");
    full.stored.factor = Factor {
        kind: FactorKind::Recovery,
        parameters: OtpParameters {
            algorithm: OtpAlgorithm::Sha512,
            digits: 8,
            period: 60,
        },
        owner: Some(owner(IdentityId(uuid()), tenant, "Ana María")),
        state: FactorState::Disabled,
        pin: Some(Secret::new("$argon2id$x".to_owned())),
        counter: u64::MAX >> 1,
        drift: -3,
        failures: u32::MAX,
        max_failures: u32::MAX,
        window: u32::MAX,
        sync_window: 0,
        description: "Ana's 100 % ÉTÉ\n\\".to_owned(),
        attributes: vec![("b".to_owned(), "\"\u{0}é".to_owned()), ("a".to_owned(), String::new())],
        created_at: Timestamp(-1),
        last_used_at: Some(NOW),
        ..full.stored.factor
    };
    full.codes = vec![[1; 32], [2; 32], [1; 32]];
    for new in [&plain, &full] {
        store.add_factor(new).await.expect("added");
    }
    for new in [plain, full] {
        let serial = new.stored.factor.serial.clone();
        for spelling in [serial.clone(), serial.to_uppercase(), serial.to_lowercase()] {
            let found = store.find_factor(&spelling).await.expect("an answer");
            assert_eq!(found.as_ref(), Some(&new.stored), "{spelling}");
        }
        let mut codes = new.codes;
        codes.sort_unstable();
        codes.dedup();
        let id = new.stored.factor.id;
        let count = store.count_codes(id).await.expect("a number");
        assert_eq!(count as usize, codes.len());
    }
    for unknown in ["", "OATH", "OATH-1_a\0", "%"] {
        assert_eq!(found(&*store, unknown).await, None, "{unknown:?}");
    }
    assert_eq!(store.count_codes(FactorId(uuid())).await.expect("a number"), 0);
}

pub(crate) async fn serials_are_unique_without_regard_to_case(store: Arc<dyn Store>) {
    let first = added(&*store, factor("Oath1")).await;
    let error = store.add_factor(&factor("oATH1")).await.expect_err("taken");
    assert!(matches!(error, StoreError::Conflict { what: "serial" }), "{error:?}");
    assert_eq!(there(&*store, "OATH1").await, first);
    let added = winners((0..AT_ONCE).map(|number| {
        let store = Arc::clone(&store);
        let serial = if number % 2 == 0 { "Twice" } else { "tWICE" };
        let new = factor(serial);
        move || async move {
            match store.add_factor(&new).await {
                Ok(()) => true,
                Err(StoreError::Conflict { what: "serial" }) => false,
                Err(error) => panic!("{error:?}"),
            }
        }
    }));
    assert_eq!(added.await, 1);
}

pub(crate) async fn active_factors_are_their_owners_by_serial(store: Arc<dyn Store>) {
    assert_eq!(store.otp_lengths().await.expect("the lengths"), [0_u8; 0]);
    let tenant = master(&*store).await;
    let (ana, bob) = (IdentityId(uuid()), IdentityId(uuid()));
    let states = [
        ("b2", ana, FactorState::Active, 8),
        ("A1", ana, FactorState::Active, 6),
        ("c3", ana, FactorState::Enrolling, 7),
        ("c4", ana, FactorState::Disabled, 7),
        ("c5", ana, FactorState::Revoked, 7),
        ("a6", bob, FactorState::Active, 6),
        ("a7", bob, FactorState::Active, 10),
    ];
    for (serial, identity, state, digits) in states {
        let mut new = factor(serial);
        new.stored.factor.owner = Some(owner(identity, tenant, "x"));
        new.stored.factor.state = state;
        new.stored.factor.parameters.digits = digits;
        store.add_factor(&new).await.expect("added");
    }
    // It belongs to nobody.
    let mut drawer = factor("drawer");
    drawer.stored.factor.parameters.digits = 9;
    store.add_factor(&drawer).await.expect("added");
    let active = store.active_factors(ana).await.expect("a list");
    let serials: Vec<_> = active.iter().map(|stored| stored.factor.serial.as_str()).collect();
    assert_eq!(serials, ["A1", "b2"]);
    assert_eq!(active[0].sealed_seed, [0, 255, 7]);
    assert_eq!(store.active_factors(IdentityId(uuid())).await.expect("a list"), []);
    assert_eq!(store.otp_lengths().await.expect("the lengths"), [6, 8, 10]);
}

/// Serial, kind, state, owner with login and realm, description and failures.
type Row = (
    &'static str,
    FactorKind,
    FactorState,
    Option<(IdentityId, &'static str, &'static str)>,
    &'static str,
    u32,
);

/// Five factors that differ in everything that lists go by.
async fn five(store: &dyn Store) -> IdentityId {
    let tenant = master(store).await;
    let ana = IdentityId(uuid());
    let rows: [Row; 5] = [
        (
            "HOTP1",
            FactorKind::Hotp,
            FactorState::Active,
            Some((ana, "ana", "Corp")),
            "Yubi",
            3,
        ),
        (
            "totp2",
            FactorKind::Totp,
            FactorState::Active,
            Some((ana, "ana", "corp")),
            "100 %",
            0,
        ),
        (
            "TOTP3",
            FactorKind::Totp,
            FactorState::Disabled,
            Some((IdentityId(uuid()), "Éva", "lab_x")),
            "100 x",
            7,
        ),
        ("rec_4", FactorKind::Recovery, FactorState::Revoked, None, "a\\b", 1),
        ("Rec-5", FactorKind::Recovery, FactorState::Enrolling, None, "", 1),
    ];
    for (number, (serial, kind, state, of, description, failures)) in (0_i64..).zip(rows) {
        let mut new = factor(serial);
        let row = &mut new.stored.factor;
        row.kind = kind;
        row.state = state;
        row.owner = of.map(|(identity, login, realm)| FactorOwner {
            realm: realm.to_owned(),
            resolver: format!("{realm}-ldap"),
            ..owner(identity, tenant, login)
        });
        description.clone_into(&mut row.description);
        row.failures = failures;
        row.created_at = Timestamp(1000 - number);
        store.add_factor(&new).await.expect("added");
    }
    ana
}

/// A list of the factors for which this is said, and no more.
fn only(say: impl FnOnce(&mut FactorFilter)) -> FactorQuery {
    let mut query = FactorQuery::default();
    say(&mut query.filter);
    query
}

fn text<'a>(text: impl Into<Option<&'a str>>) -> Option<String> {
    text.into().map(str::to_owned)
}

pub(crate) async fn factors_are_listed_by_filter(store: Arc<dyn Store>) {
    let ana = five(&*store).await;
    let nobody = IdentityId(uuid());
    let queries = [
        (only(|_| {}), "HOTP1 Rec-5 rec_4 totp2 TOTP3"),
        (only(|filter| filter.owner = Some(ana)), "HOTP1 totp2"),
        (only(|filter| filter.owner = Some(nobody)), ""),
        (only(|filter| filter.assigned = Some(true)), "HOTP1 totp2 TOTP3"),
        (only(|filter| filter.assigned = Some(false)), "Rec-5 rec_4"),
        (only(|filter| filter.kind = Some(FactorKind::Totp)), "totp2 TOTP3"),
        (only(|filter| filter.state = Some(FactorState::Active)), "HOTP1 totp2"),
        (only(|filter| filter.login = text("ANA")), "HOTP1 totp2"),
        (only(|filter| filter.login = text("éVA")), "TOTP3"),
        (only(|filter| filter.login = text("*a")), "HOTP1 totp2 TOTP3"),
        (only(|filter| filter.realm = text("CORP")), "HOTP1 totp2"),
        (only(|filter| filter.resolver = text("lab_x*")), "TOTP3"),
        (only(|filter| filter.description = text("100*")), "totp2 TOTP3"),
    ];
    for (mut query, expected) in queries {
        let fit = expected.split_whitespace().count() as u64;
        assert_eq!(
            listed(&*store, &query).await,
            (expected.to_owned(), 5, fit),
            "{query:?}"
        );
        query.filter.serial = text("HOTP*");
        let both = expected.split_whitespace().find(|serial| *serial == "HOTP1");
        assert_eq!(listed(&*store, &query).await.0, both.unwrap_or_default(), "{query:?}");
    }
}

pub(crate) async fn only_a_star_stands_for_any_text(store: Arc<dyn Store>) {
    five(&*store).await;
    let patterns = [
        ("*", "HOTP1 Rec-5 rec_4 totp2 TOTP3"),
        ("***", "HOTP1 Rec-5 rec_4 totp2 TOTP3"),
        ("TOTP*", "totp2 TOTP3"),
        ("*otp**", "HOTP1 totp2 TOTP3"),
        ("h*1", "HOTP1"),
        ("*h*o*t*p*1*", "HOTP1"),
        ("totp", ""),
        ("otp*", ""),
        ("", ""),
        ("rec_*", "rec_4"),
        ("rec_4", "rec_4"),
        ("rec?4", ""),
        ("%", ""),
        ("*%*", ""),
        ("*\\*", ""),
        ("rec[-]5*", ""),
        ("*\0*", ""),
        ("totp2\0", ""),
    ];
    for (pattern, expected) in patterns {
        let query = only(|filter| filter.serial = text(pattern));
        assert_eq!(listed(&*store, &query).await.0, expected, "{pattern:?}");
    }
    for (pattern, expected) in [("*%", "totp2"), ("*\\b", "rec_4"), ("*x", "TOTP3"), ("A\\*", "rec_4")] {
        let query = only(|filter| filter.description = text(pattern));
        assert_eq!(listed(&*store, &query).await.0, expected, "{pattern:?}");
    }
    let query = only(|filter| filter.serial = Some(format!("*{}*", "a*".repeat(100_000))));
    assert_eq!(listed(&*store, &query).await, (String::new(), 5, 0));
}

pub(crate) async fn factors_are_listed_by_order_and_page(store: Arc<dyn Store>) {
    five(&*store).await;
    let orders = [
        (FactorOrder::Serial, "HOTP1 Rec-5 rec_4 totp2 TOTP3"),
        (FactorOrder::Kind, "HOTP1 Rec-5 rec_4 totp2 TOTP3"),
        (FactorOrder::Login, "Rec-5 rec_4 HOTP1 totp2 TOTP3"),
        (FactorOrder::Realm, "Rec-5 rec_4 HOTP1 totp2 TOTP3"),
        (FactorOrder::Description, "Rec-5 totp2 TOTP3 rec_4 HOTP1"),
        (FactorOrder::Failures, "totp2 Rec-5 rec_4 HOTP1 TOTP3"),
        (FactorOrder::CreatedAt, "Rec-5 rec_4 TOTP3 totp2 HOTP1"),
    ];
    for (order, expected) in orders {
        let mut query = FactorQuery {
            order,
            ..FactorQuery::default()
        };
        assert_eq!(listed(&*store, &query).await, (expected.to_owned(), 5, 5), "{order:?}");
        query.descending = true;
        let mut turned: Vec<_> = expected.split(' ').collect();
        turned.reverse();
        assert_eq!(
            listed(&*store, &query).await.0,
            turned.join(" "),
            "{order:?}, turned round"
        );
        (query.limit, query.offset) = (Some(2), 1);
        assert_eq!(
            listed(&*store, &query).await,
            (turned[1..3].join(" "), 5, 5),
            "{order:?}"
        );
    }
    for (limit, offset, expected) in [
        (None, 3, "totp2 TOTP3"),
        (Some(0), 0, ""),
        (Some(9), 5, ""),
        (Some(u32::MAX), u32::MAX, ""),
        (Some(1), 4, "TOTP3"),
    ] {
        let query = FactorQuery {
            limit,
            offset,
            ..FactorQuery::default()
        };
        assert_eq!(listed(&*store, &query).await, (expected.to_owned(), 5, 5));
    }
}

pub(crate) async fn a_factor_is_changed_in_what_is_said(store: Arc<dyn Store>) {
    let tenant = master(&*store).await;
    let mut factor = added(&*store, factor("one")).await;
    let nothing = FactorChange::default();
    let changes = [
        nothing.clone(),
        FactorChange {
            owner: Some(Some(owner(IdentityId(uuid()), tenant, "Ana"))),
            ..nothing.clone()
        },
        FactorChange {
            state: Some(FactorState::Disabled),
            pin: Some(Some(Secret::new("$x".to_owned()))),
            ..nothing.clone()
        },
        FactorChange {
            failures: Some(3),
            max_failures: Some(20),
            window: Some(5),
            sync_window: Some(6),
            description: Some("Été".to_owned()),
            attributes: Some(vec![("a".to_owned(), "b".to_owned())]),
            ..nothing.clone()
        },
        FactorChange {
            pin: Some(None),
            owner: Some(None),
            ..nothing.clone()
        },
    ];
    for change in changes {
        assert!(store.change_factor(factor.id, &change).await.expect("an answer"));
        factor.state = change.state.unwrap_or(factor.state);
        factor.owner = change.owner.unwrap_or(factor.owner);
        factor.pin = change.pin.unwrap_or(factor.pin);
        factor.failures = change.failures.unwrap_or(factor.failures);
        factor.max_failures = change.max_failures.unwrap_or(factor.max_failures);
        factor.window = change.window.unwrap_or(factor.window);
        factor.sync_window = change.sync_window.unwrap_or(factor.sync_window);
        factor.description = change.description.unwrap_or(factor.description);
        factor.attributes = change.attributes.unwrap_or(factor.attributes);
        assert_eq!(there(&*store, "one").await, factor);
    }
    let by_description = FactorFilter {
        description: Some("éTÉ".to_owned()),
        ..FactorFilter::default()
    };
    let query = FactorQuery {
        filter: by_description,
        ..FactorQuery::default()
    };
    assert_eq!(listed(&*store, &query).await.0, "one", "what is searched changes along");
    let unknown = store.change_factor(FactorId(uuid()), &nothing).await;
    assert!(!unknown.expect("an answer"));
}

pub(crate) async fn a_factor_goes_with_its_codes(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.codes = vec![[1; 32]];
    let gone = added(&*store, new.clone()).await;
    let mut other = factor("two");
    other.codes = vec![[1; 32]];
    let stays = added(&*store, other).await;
    assert!(store.remove_factor(gone.id).await.expect("an answer"));
    assert!(!store.remove_factor(gone.id).await.expect("an answer"));
    assert_eq!(found(&*store, "one").await, None);
    assert_eq!(store.count_codes(gone.id).await.expect("a number"), 0);
    assert_eq!(store.count_codes(stays.id).await.expect("a number"), 1);
    store.add_factor(&new).await.expect("its serial is free again");
}
