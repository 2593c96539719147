//! Where one-time passwords are looked for.

use proptest::prelude::*;

use super::super::window::{Fit, Place, find_pair, fit};
use super::*;
use crate::model::Timestamp;

fn factor(kind: FactorKind, counter: u64, drift: i64, window: u32) -> Factor {
    Factor {
        id: FactorId(Uuid::nil()),
        serial: "X".to_owned(),
        kind,
        parameters: OtpParameters { digits: 8, ..SIX },
        owner: None,
        state: FactorState::Active,
        pin: None,
        counter,
        drift,
        failures: 0,
        max_failures: 10,
        window,
        sync_window: 100,
        description: String::new(),
        attributes: Vec::new(),
        created_at: Timestamp(0),
        last_used_at: None,
    }
}

fn generator(factor: &Factor) -> Generator {
    Generator::new(factor.parameters, &secret("12345678901234567890"))
}

/// The clock in the middle of a time step.
fn at_step(step: u64) -> Timestamp {
    Timestamp(i64::try_from(step * 30 + 15).unwrap() * 1_000_000)
}

#[test]
fn hotp_looks_ahead_and_never_back() {
    let factor = factor(FactorKind::Hotp, 20, 0, 10);
    let made = generator(&factor);
    let judged = |counter| fit(&factor, &made, made.at(counter), Timestamp(0));
    for counter in 20..=30 {
        assert_eq!(judged(counter), Fit::Fresh(Place { counter, drift: 0 }));
    }
    assert_eq!(judged(31), Fit::Wrong);
    for counter in 9..20 {
        assert_eq!(judged(counter), Fit::Stale);
    }
    assert_eq!(judged(8), Fit::Wrong);
}

#[test]
fn totp_takes_a_step_to_either_side_and_never_one_twice() {
    let (now, fresh) = (at_step(1000), factor(FactorKind::Totp, 0, 0, 1));
    let made = generator(&fresh);
    let judged = |factor: &Factor, step| fit(factor, &made, made.at(step), now);
    for (step, drift) in [(999, -1), (1000, 0), (1001, 1)] {
        assert_eq!(judged(&fresh, step), Fit::Fresh(Place { counter: step, drift }));
    }
    for step in [998, 1002] {
        assert_eq!(judged(&fresh, step), Fit::Wrong, "early or late: {step}");
    }
    let used = factor(FactorKind::Totp, 1001, 0, 1);
    assert_eq!(judged(&used, 1000), Fit::Stale);
    assert_eq!(judged(&used, 999), Fit::Stale);
    assert_eq!(
        judged(&used, 1001),
        Fit::Fresh(Place {
            counter: 1001,
            drift: 1
        })
    );
}

#[test]
fn who_was_slow_more_than_once_is_let_in_by_what_the_device_shows_now() {
    let mut known = factor(FactorKind::Totp, 0, 0, 1);
    let made = generator(&known);
    for (now, step) in [(1000, 999), (1100, 1098), (1200, 1200)] {
        let Fit::Fresh(place) = fit(&known, &made, made.at(step), at_step(now)) else {
            panic!("{step} at {now}");
        };
        (known.counter, known.drift) = (place.counter + 1, place.drift);
    }
    assert_eq!(known.drift, 0);
}

#[test]
fn totp_used_long_ago_is_known_as_used() {
    let factor = factor(FactorKind::Totp, 501, 0, 1);
    let made = generator(&factor);
    assert_eq!(fit(&factor, &made, made.at(500), at_step(1000)), Fit::Stale);
    assert_eq!(fit(&factor, &made, made.at(490), at_step(1000)), Fit::Wrong);
}

#[test]
fn the_last_counters_there_are_do_no_harm() {
    let hotp = factor(FactorKind::Hotp, u64::MAX, 0, 10);
    let made = generator(&hotp);
    assert!(matches!(
        fit(&hotp, &made, made.at(u64::MAX), Timestamp(0)),
        Fit::Fresh(_)
    ));
    assert_eq!(find_pair(&hotp, &made, (made.at(u64::MAX), 0), Timestamp(0)), None);
    let totp = factor(FactorKind::Totp, 0, i64::MIN, 6);
    assert!(matches!(
        fit(&totp, &made, made.at(0), Timestamp(i64::MIN)),
        Fit::Fresh(_)
    ));
    let ahead = factor(FactorKind::Totp, 0, i64::MAX, 6);
    assert_ne!(fit(&ahead, &made, 100_000_000, Timestamp(i64::MAX)), Fit::Stale);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_clock_that_drifts_stays_in_reach(drifts in proptest::collection::vec(-1_i64..=1, 1..60), window in 1_u32..=6) {
        let (mut drift, mut now) = (0_i64, 100_000_u64);
        let mut known = factor(FactorKind::Totp, 0, 0, window);
        let made = generator(&known);
        for more in drifts {
            drift += more;
            // Far enough from the last use that no step is used twice.
            now += 200;
            let step = now.checked_add_signed(drift).unwrap();
            let expected = Place { counter: step, drift };
            let found = fit(&known, &made, made.at(step), at_step(now));
            prop_assert_eq!(found, Fit::Fresh(expected));
            known.counter = step + 1;
            known.drift = drift;
        }
    }

    #[test]
    fn what_was_accepted_is_never_fresh_again(
        uses in proptest::collection::vec((0_u64..3, -3_i64..=3), 1..40),
        window in 0_u32..=6,
    ) {
        let (mut now, mut used) = (50_000_u64, std::collections::HashSet::new());
        let mut known = factor(FactorKind::Totp, 0, 0, window);
        let made = generator(&known);
        for (later, off) in uses {
            now += later;
            let step = now.checked_add_signed(off).unwrap();
            if let Fit::Fresh(place) = fit(&known, &made, made.at(step), at_step(now)) {
                prop_assert!(used.insert(place.counter), "step {} twice", place.counter);
                known.counter = place.counter + 1;
                known.drift = place.drift;
            }
        }
    }

    #[test]
    fn two_in_a_row_are_found_within_the_window(counter in 0_u64..1000, ahead in 0_u64..130) {
        let known = factor(FactorKind::Hotp, counter, 0, 10);
        let made = generator(&known);
        let first = counter + ahead;
        let found = find_pair(&known, &made, (made.at(first), made.at(first + 1)), Timestamp(0));
        let expected = (ahead <= 100).then_some(Place { counter: first + 1, drift: 0 });
        prop_assert_eq!(found, expected);
        prop_assert_eq!(find_pair(&known, &made, (made.at(first), made.at(first + 2)), Timestamp(0)), None);
    }

    #[test]
    fn a_clock_is_found_wherever_it_stands_in_the_window(off in -130_i64..130) {
        let known = factor(FactorKind::Totp, 0, 0, 1);
        let made = generator(&known);
        let first = 50_000_u64.checked_add_signed(off).unwrap();
        let found = find_pair(&known, &made, (made.at(first), made.at(first + 1)), at_step(50_000));
        let expected = (-100..=100).contains(&off).then_some(Place { counter: first + 1, drift: off + 1 });
        prop_assert_eq!(found, expected);
    }
}
