//! Second factors: nothing is used twice, and every failure counts.

use std::sync::Arc;

use keyway_core::model::{Factor, FactorId, FactorState};
use keyway_core::port::{FactorChange, OtpUse, Store};

use crate::factors::{AT_ONCE, added, factor, there, winners};
use crate::fixture::{NOW, uuid};

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
