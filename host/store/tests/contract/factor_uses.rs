//! Second factors: nothing is used twice, and every attempt counts before it is judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyway_core::model::{Factor, FactorId, FactorState, IdentityId};
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
        failures: Some(11),
        ..FactorChange::default()
    };
    store.change_factor(factor.id, &locked).await.expect("changed");
    assert!(
        !use_otp(otp(&factor, 106)).await,
        "more failures than it may have, an attempt under way included"
    );
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
        failures: Some(11),
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

pub(crate) async fn no_more_attempts_begin_than_may_fail(store: Arc<dyn Store>) {
    let mut factors = Vec::new();
    for number in 0..4 {
        let mut new = factor(&format!("f{number}"));
        new.stored.factor.failures = number;
        new.stored.factor.max_failures = 12;
        factors.push(added(&*store, new).await.id);
    }
    let begun = Arc::new(AtomicUsize::new(0));
    let attempts = (0..AT_ONCE).map(|number| {
        let (store, begun) = (Arc::clone(&store), Arc::clone(&begun));
        let mut factors = factors.clone();
        // In all orders: nobody waits for somebody who waits for them.
        factors.rotate_left(number % 4);
        if number % 3 == 0 {
            factors.reverse();
        }
        factors.push(factors[0]);
        factors.push(FactorId(uuid()));
        move || async move {
            let places = store.begin_attempts(&factors).await.expect("an answer");
            begun.fetch_add(places.len(), Ordering::SeqCst);
            true
        }
    });
    assert_eq!(winners(attempts).await, AT_ONCE);
    let places: usize = (0..4).map(|failures| AT_ONCE.min(12 - failures)).sum();
    assert_eq!(
        begun.load(Ordering::SeqCst),
        places,
        "each call once on each, as long as there is room"
    );
    for number in 0..4 {
        let failures = there(&*store, &format!("f{number}")).await.failures;
        assert_eq!(failures as usize, 12.min(number + AT_ONCE));
    }
    assert_eq!(store.begin_attempts(&[]).await.expect("nothing to do"), []);
}

pub(crate) async fn an_attempt_is_taken_back_and_never_more(store: Arc<dyn Store>) {
    let factor = added(&*store, factor("one")).await;
    let failures = async || there(&*store, "one").await.failures;
    let before = failures().await;
    assert_eq!(
        store.begin_attempts(&[factor.id]).await.expect("an answer"),
        [factor.id]
    );
    assert_eq!(failures().await, before + 1);
    for expected in (0..=before).rev().chain([0]) {
        store.take_back_attempts(&[factor.id, factor.id]).await.expect("done");
        assert_eq!(failures().await, expected);
    }
}

pub(crate) async fn a_change_is_made_if_the_factor_is_as_it_must_be(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.stored.factor.owner = None;
    let factor = added(&*store, new).await;
    let change = async |only_in, only_of, state| {
        let change = FactorChange {
            only_in,
            only_of,
            state: Some(state),
            ..FactorChange::default()
        };
        store.change_factor(factor.id, &change).await.expect("an answer")
    };
    let somebody = Some(Some(IdentityId(uuid())));
    assert!(!change(Some(FactorState::Disabled), None, FactorState::Revoked).await);
    assert!(!change(Some(FactorState::Active), somebody, FactorState::Revoked).await);
    assert_eq!(there(&*store, "one").await.state, FactorState::Active);
    assert!(change(Some(FactorState::Active), Some(None), FactorState::Disabled).await);
    assert_eq!(there(&*store, "one").await.state, FactorState::Disabled);
}
