//! Second factors: what is kept of them, how they are listed, and that nothing is used twice.

use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::model::{
    Factor, FactorId, FactorKind, FactorOwner, FactorState, GroupId, IdentityId, OtpAlgorithm, OtpParameters, TenantId,
    Timestamp, User, UserId,
};
use keyway_core::port::{
    FactorChange, FactorFilter, FactorOrder, FactorQuery, NewFactor, OtpUse, Store, StoreError, StoredFactor,
};

use crate::fixture::{NOW, added_tenant, added_user, master, user, uuid};

/// How many ask at once.
const AT_ONCE: usize = 32;

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

fn owner(identity: IdentityId, tenant: TenantId, login: &str) -> FactorOwner {
    FactorOwner {
        identity,
        tenant,
        login: login.to_owned(),
        realm: "Corp".to_owned(),
        resolver: "ldap".to_owned(),
    }
}

fn owner_of(user: &User) -> FactorOwner {
    owner(user.id.into(), user.tenant, user.login.as_deref().unwrap_or_default())
}

async fn added(store: &dyn Store, new: NewFactor) -> Factor {
    store.add_factor(&new).await.expect("added");
    new.stored.factor
}

async fn found(store: &dyn Store, serial: &str) -> Option<Factor> {
    let found = store.find_factor(serial).await.expect("an answer");
    found.map(|stored| stored.factor)
}

async fn there(store: &dyn Store, serial: &str) -> Factor {
    found(store, serial).await.expect("it is there")
}

/// The serials of a list, and how many there are in all and fit.
async fn listed(store: &dyn Store, query: &FactorQuery) -> (String, u64, u64) {
    let list = store.list_factors(query).await.expect("a list");
    let serials: Vec<_> = list.items.iter().map(|factor| factor.serial.as_str()).collect();
    (serials.join(" "), list.total, list.filtered)
}

pub(crate) fn otp(factor: &Factor, counter: u64) -> OtpUse {
    OtpUse {
        factor: factor.id,
        counter,
        drift: -2,
        state: FactorState::Active,
        becomes: FactorState::Active,
        at: NOW,
    }
}

/// How many of those who ask at once are told `true`.
async fn winners<A, F>(asks: impl Iterator<Item = A>) -> usize
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

/// Five factors that differ in everything that lists go by.
async fn five(store: &dyn Store) -> IdentityId {
    let tenant = master(store).await;
    let ana = IdentityId(uuid());
    let rows: [(
        &str,
        FactorKind,
        FactorState,
        Option<(IdentityId, &str, &str)>,
        &str,
        u32,
    ); 5] = [
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

pub(crate) async fn factors_are_listed_by_filter(store: Arc<dyn Store>) {
    let ana = five(&*store).await;
    let all = FactorFilter::default();
    let text = |text: &str| Some(text.to_owned());
    let filters = [
        (all.clone(), "HOTP1 Rec-5 rec_4 totp2 TOTP3"),
        (
            FactorFilter {
                owner: Some(ana),
                ..all.clone()
            },
            "HOTP1 totp2",
        ),
        (
            FactorFilter {
                owner: Some(IdentityId(uuid())),
                ..all.clone()
            },
            "",
        ),
        (
            FactorFilter {
                assigned: Some(true),
                ..all.clone()
            },
            "HOTP1 totp2 TOTP3",
        ),
        (
            FactorFilter {
                assigned: Some(false),
                ..all.clone()
            },
            "Rec-5 rec_4",
        ),
        (
            FactorFilter {
                kind: Some(FactorKind::Totp),
                ..all.clone()
            },
            "totp2 TOTP3",
        ),
        (
            FactorFilter {
                state: Some(FactorState::Active),
                ..all.clone()
            },
            "HOTP1 totp2",
        ),
        (
            FactorFilter {
                login: text("ANA"),
                ..all.clone()
            },
            "HOTP1 totp2",
        ),
        (
            FactorFilter {
                login: text("éVA"),
                ..all.clone()
            },
            "TOTP3",
        ),
        (
            FactorFilter {
                login: text("*a"),
                ..all.clone()
            },
            "HOTP1 totp2 TOTP3",
        ),
        (
            FactorFilter {
                realm: text("CORP"),
                ..all.clone()
            },
            "HOTP1 totp2",
        ),
        (
            FactorFilter {
                resolver: text("lab_x*"),
                ..all.clone()
            },
            "TOTP3",
        ),
        (
            FactorFilter {
                description: text("100*"),
                ..all.clone()
            },
            "totp2 TOTP3",
        ),
        (
            FactorFilter {
                owner: Some(ana),
                kind: Some(FactorKind::Hotp),
                login: text("*"),
                ..all.clone()
            },
            "HOTP1",
        ),
    ];
    for (filter, expected) in filters {
        let query = FactorQuery {
            filter,
            ..FactorQuery::default()
        };
        let fit = expected.split_whitespace().count() as u64;
        assert_eq!(
            listed(&*store, &query).await,
            (expected.to_owned(), 5, fit),
            "{query:?}"
        );
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
        let filter = FactorFilter {
            serial: Some(pattern.to_owned()),
            ..FactorFilter::default()
        };
        let query = FactorQuery {
            filter,
            ..FactorQuery::default()
        };
        assert_eq!(listed(&*store, &query).await.0, expected, "{pattern:?}");
    }
    for (pattern, expected) in [("*%", "totp2"), ("*\\b", "rec_4"), ("*x", "TOTP3"), ("A\\*", "rec_4")] {
        let filter = FactorFilter {
            description: Some(pattern.to_owned()),
            ..FactorFilter::default()
        };
        let query = FactorQuery {
            filter,
            ..FactorQuery::default()
        };
        assert_eq!(listed(&*store, &query).await.0, expected, "{pattern:?}");
    }
    let longer = FactorFilter {
        serial: Some(format!("*{}*", "a*".repeat(100_000))),
        ..FactorFilter::default()
    };
    let query = FactorQuery {
        filter: longer,
        ..FactorQuery::default()
    };
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

pub(crate) async fn a_one_time_password_is_used_up(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.stored.factor.failures = 9;
    let mut factor = added(&*store, new).await;
    let use_otp = async |used: OtpUse| store.use_otp(&used).await.expect("an answer");
    assert!(!use_otp(otp(&factor, 99)).await, "before the first that is good");
    let elsewhere = OtpUse {
        state: FactorState::Enrolling,
        ..otp(&factor, 100)
    };
    assert!(!use_otp(elsewhere).await, "in another state");
    assert_eq!(
        there(&*store, "one").await,
        factor,
        "what does not count changes nothing"
    );
    assert!(use_otp(otp(&factor, 100)).await);
    factor.counter = 101;
    factor.drift = -2;
    factor.failures = 0;
    factor.last_used_at = Some(NOW);
    assert_eq!(there(&*store, "one").await, factor);
    assert!(!use_otp(otp(&factor, 100)).await, "twice");
    assert!(use_otp(otp(&factor, 105)).await);
    assert!(!use_otp(otp(&factor, 104)).await, "one that was left out");
    let locked = FactorChange {
        failures: Some(10),
        ..FactorChange::default()
    };
    store.change_factor(factor.id, &locked).await.expect("changed");
    assert!(!use_otp(otp(&factor, 106)).await, "locked");
    let enrolling = FactorChange {
        failures: Some(0),
        state: Some(FactorState::Enrolling),
        ..FactorChange::default()
    };
    store.change_factor(factor.id, &enrolling).await.expect("changed");
    let confirming = OtpUse {
        state: FactorState::Enrolling,
        ..otp(&factor, 106)
    };
    assert!(use_otp(confirming).await);
    assert_eq!(there(&*store, "one").await.state, FactorState::Active);
    let unknown = OtpUse {
        factor: FactorId(uuid()),
        ..otp(&factor, 107)
    };
    assert!(!use_otp(unknown).await);
}

pub(crate) async fn of_all_who_use_a_one_time_password_at_once_one_does(store: Arc<dyn Store>) {
    for round in 0..5 {
        let factor = added(&*store, factor(&format!("one{round}"))).await;
        let uses = (0..AT_ONCE).map(|_| {
            let (store, used) = (Arc::clone(&store), otp(&factor, 100));
            move || async move { store.use_otp(&used).await.expect("an answer") }
        });
        assert_eq!(winners(uses).await, 1);
        assert_eq!(there(&*store, &factor.serial).await.counter, 101);
    }
}

pub(crate) async fn a_recovery_code_is_used_up(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.codes = vec![[1; 32], [2; 32], [3; 32]];
    new.stored.factor.failures = 2;
    let factor = added(&*store, new).await;
    let mut other = self::factor("two");
    other.codes = vec![[9; 32]];
    store.add_factor(&other).await.expect("added");
    let use_code = async |code: u8| store.use_code(factor.id, &[code; 32], NOW).await.expect("an answer");
    assert!(!use_code(9).await, "another factor's");
    assert_eq!(
        there(&*store, "one").await,
        factor,
        "what does not count changes nothing"
    );
    assert!(use_code(1).await);
    let used = there(&*store, "one").await;
    assert_eq!((used.failures, used.last_used_at), (0, Some(NOW)));
    assert!(!use_code(1).await, "twice");
    assert_eq!(store.count_codes(factor.id).await.expect("a number"), 2);
    let locked = FactorChange {
        failures: Some(10),
        ..FactorChange::default()
    };
    let disabled = FactorChange {
        failures: Some(0),
        state: Some(FactorState::Disabled),
        ..FactorChange::default()
    };
    for change in [locked, disabled] {
        store.change_factor(factor.id, &change).await.expect("changed");
        assert!(!use_code(2).await, "{change:?}");
    }
    let active = FactorChange {
        state: Some(FactorState::Active),
        ..FactorChange::default()
    };
    store.change_factor(factor.id, &active).await.expect("changed");
    assert!(use_code(2).await, "it was not used up in the meantime");
    assert_eq!(store.count_codes(factor.id).await.expect("a number"), 1);
}

pub(crate) async fn of_all_who_use_a_recovery_code_at_once_one_does(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.codes = (0..4).map(|code| [code; 32]).collect();
    let factor = added(&*store, new).await;
    let uses = (0..AT_ONCE).map(|number| {
        let (store, id) = (Arc::clone(&store), factor.id);
        let code = u8::try_from(number % 4).expect("a small number");
        move || async move { store.use_code(id, &[code; 32], NOW).await.expect("an answer") }
    });
    assert_eq!(winners(uses).await, 4, "each code once");
    assert_eq!(store.count_codes(factor.id).await.expect("a number"), 0);
}

pub(crate) async fn every_failure_counts(store: Arc<dyn Store>) {
    let mut factors = Vec::new();
    for number in 0..4 {
        factors.push(added(&*store, factor(&format!("f{number}"))).await.id);
    }
    let most = i32::MAX.unsigned_abs();
    let mut full = factor("full");
    full.stored.factor.failures = most - 1;
    full.stored.factor.max_failures = u32::MAX;
    let full = added(&*store, full).await;
    let counts = (0..AT_ONCE).map(|number| {
        let store = Arc::clone(&store);
        let mut factors = factors.clone();
        // In all orders: nobody waits for somebody who waits for them.
        factors.rotate_left(number % 4);
        if number % 3 == 0 {
            factors.reverse();
        }
        factors.push(factors[0]);
        factors.push(FactorId(uuid()));
        move || async move { store.count_failures(&factors).await.is_ok() }
    });
    assert_eq!(winners(counts).await, AT_ONCE);
    for number in 0..4 {
        let failures = there(&*store, &format!("f{number}")).await.failures;
        assert_eq!(failures as usize, AT_ONCE, "each call counts once on each");
    }
    for _ in 0..2 {
        store.count_failures(&[full.id]).await.expect("counted");
        assert_eq!(there(&*store, "full").await.failures, most);
    }
    store.count_failures(&[]).await.expect("nothing to do");
}

pub(crate) async fn a_locked_factor_cannot_be_opened_by_who_asks_at_the_same_time(store: Arc<dyn Store>) {
    for round in 0..10 {
        let mut new = factor(&format!("f{round}"));
        new.stored.factor.max_failures = 1;
        new.codes = vec![[1; 32]];
        let factor = added(&*store, new).await;
        let fails = {
            let (store, id) = (Arc::clone(&store), factor.id);
            tokio::spawn(async move { store.count_failures(&[id]).await.expect("counted") })
        };
        let used = match round % 2 {
            0 => store.use_otp(&otp(&factor, 100)).await.expect("an answer"),
            _ => store.use_code(factor.id, &[1; 32], NOW).await.expect("an answer"),
        };
        fails.await.expect("no panic");
        // Used before the failure, or refused after it: either way the failure was the last word.
        let now = there(&*store, &factor.serial).await;
        assert_eq!((now.failures, now.last_used_at.is_some()), (1, used), "round {round}");
    }
}

pub(crate) async fn a_factor_goes_with_its_user(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let nobody = owner(IdentityId(uuid()), master(&*store).await, "x");
    for (serial, owner) in [
        ("alices", Some(owner_of(&alice))),
        ("bobs", Some(owner_of(&bob))),
        ("backends", Some(nobody)),
        ("drawer", None),
    ] {
        let mut new = factor(serial);
        new.stored.factor.owner = owner;
        new.codes = vec![[1; 32]];
        store.add_factor(&new).await.expect("added");
    }
    let late = added(&*store, factor("late")).await;
    let assigned = FactorChange {
        owner: Some(Some(owner_of(&alice))),
        ..FactorChange::default()
    };
    assert!(store.change_factor(late.id, &assigned).await.expect("an answer"));
    store.remove_user(alice.id).await.expect("removed");
    let query = FactorQuery::default();
    assert_eq!(listed(&*store, &query).await.0, "backends bobs drawer");
    assert_eq!(store.active_factors(alice.id.into()).await.expect("a list"), []);
}

pub(crate) async fn a_user_inherits_no_factor_with_a_chosen_id(store: Arc<dyn Store>) {
    let tenant = master(&*store).await;
    let mut new = user(tenant, "alice");
    new.chosen_id = true;
    let mut left = factor("left");
    left.stored.factor.owner = Some(owner_of(&new.user));
    store.add_factor(&left).await.expect("added");
    store.add_user(&new).await.expect("added");
    assert_eq!(store.active_factors(new.user.id.into()).await.expect("a list"), []);
    assert_eq!(found(&*store, "left").await, None);
}

pub(crate) async fn no_factor_survives_a_user_who_is_removed_while_it_is_assigned(store: Arc<dyn Store>) {
    for round in 0..10 {
        let alice = added_user(&*store, &format!("alice{round}")).await;
        let factors = futures::future::join_all((0..8).map(|number| {
            let (store, serial) = (&store, format!("f{round}-{number}"));
            async move { added(&**store, factor(&serial)).await }
        }));
        let assignments: Vec<_> = factors
            .await
            .into_iter()
            .map(|factor| {
                let (store, owner) = (Arc::clone(&store), owner_of(&alice));
                tokio::spawn(async move {
                    let change = FactorChange {
                        owner: Some(Some(owner)),
                        ..FactorChange::default()
                    };
                    match store.change_factor(factor.id, &change).await {
                        Ok(_) | Err(StoreError::Missing { what: "user" }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                })
            })
            .collect();
        store.remove_user(alice.id).await.expect("removed");
        for assignment in assignments {
            assignment.await.expect("no panic");
        }
        // What is assigned afterwards stays without a user, and no new one gets it.
        let mut next = user(alice.tenant, &format!("next{round}"));
        next.user.id = alice.id;
        next.chosen_id = true;
        store.add_user(&next).await.expect("added");
        assert_eq!(store.active_factors(alice.id.into()).await.expect("a list"), []);
    }
}

pub(crate) async fn a_factor_goes_with_its_tenant(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "a").await;
    let mut alice = user(tenant, "alice");
    alice.user.id = UserId(uuid());
    store.add_user(&alice).await.expect("added");
    let mut of_user = factor("users");
    // Whatever tenant it says.
    of_user.stored.factor.owner = Some(FactorOwner {
        tenant: master(&*store).await,
        ..owner_of(&alice.user)
    });
    let mut of_backend = factor("backends");
    of_backend.stored.factor.owner = Some(owner(IdentityId(uuid()), tenant, "x"));
    for new in [&of_user, &of_backend, &factor("drawer")] {
        store.add_factor(new).await.expect("added");
    }
    store
        .remove_whole_tenant(tenant)
        .await
        .expect("removed")
        .expect("it was there");
    assert_eq!(listed(&*store, &FactorQuery::default()).await.0, "drawer");
}

pub(crate) async fn a_tenant_whose_people_have_factors_stays(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "a").await;
    let mut new = factor("one");
    new.stored.factor.owner = Some(owner(IdentityId(uuid()), tenant, "x"));
    let factor = added(&*store, new).await;
    let error = store.remove_tenant(tenant).await.expect_err("in use");
    assert!(matches!(error, StoreError::InUse { what: "factors" }), "{error:?}");
    let unassigned = FactorChange {
        owner: Some(None),
        ..FactorChange::default()
    };
    assert!(store.change_factor(factor.id, &unassigned).await.expect("an answer"));
    assert!(store.remove_tenant(tenant).await.expect("removed"));
    let back = FactorChange {
        owner: Some(Some(owner(IdentityId(uuid()), tenant, "x"))),
        ..FactorChange::default()
    };
    let error = store.change_factor(factor.id, &back).await.expect_err("no tenant");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
}

pub(crate) async fn factors_stay_with_the_top_tenant_when_its_id_changes(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.stored.factor.owner = Some(owner(IdentityId(uuid()), master(&*store).await, "x"));
    store.add_factor(&new).await.expect("added");
    let id = TenantId(uuid());
    let adopted = store.adopt_top_tenant(id, GroupId(uuid())).await.expect("done");
    assert!(adopted.is_some());
    let of = there(&*store, "one").await.owner.map(|owner| owner.tenant);
    assert_eq!(of, Some(id));
}
