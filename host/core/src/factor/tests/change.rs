//! Finding factors, changing them and giving them away.

use super::*;
use crate::port::{FactorChange, FactorFilter, FactorQuery};

#[tokio::test]
async fn what_was_revoked_stays_so() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let set = async |state| house.factors.set_state(&device.serial, state).await;
    for state in [
        FactorState::Disabled,
        FactorState::Active,
        FactorState::Active,
        FactorState::Revoked,
    ] {
        assert_eq!(set(state).await.unwrap().state, state);
    }
    for state in [FactorState::Active, FactorState::Disabled, FactorState::Enrolling] {
        assert!(matches!(
            set(state).await,
            Err(FactorError::State(FactorState::Revoked))
        ));
    }
    let refused = house.factors.assign(&device.serial, alice()).await;
    assert!(matches!(refused, Err(FactorError::State(FactorState::Revoked))));
}

#[tokio::test]
async fn limits_are_kept_within_bounds() {
    let house = House::new();
    let (hotp, totp) = (
        house.give(of(FactorKind::Hotp)).await,
        house.give(of(FactorKind::Totp)).await,
    );
    let window = |window| FactorChange {
        window: Some(window),
        ..FactorChange::default()
    };
    house.factors.change(&totp.serial, window(6)).await.unwrap();
    assert!(is_invalid(&house.factors.change(&totp.serial, window(7)).await));
    house.factors.change(&hotp.serial, window(100)).await.unwrap();
    assert!(is_invalid(&house.factors.change(&hotp.serial, window(101)).await));
    let failures = |failures| FactorChange {
        max_failures: Some(failures),
        ..FactorChange::default()
    };
    for wrong in [failures(0), failures(1001)] {
        assert!(is_invalid(&house.factors.change(&hotp.serial, wrong).await));
    }
    let wide = FactorChange {
        sync_window: Some(10_001),
        ..FactorChange::default()
    };
    assert!(is_invalid(&house.factors.change(&hotp.serial, wide).await));
    let state = FactorChange {
        state: Some(FactorState::Active),
        ..FactorChange::default()
    };
    assert!(is_invalid(&house.factors.change(&hotp.serial, state).await));
    assert_eq!(house.factors.get(&totp.serial).await.unwrap().window, 6);
}

#[tokio::test]
async fn a_wider_window_takes_an_early_or_late_clock_in() {
    let house = House::new();
    let device = house.give(of(FactorKind::Totp)).await;
    let change = FactorChange {
        window: Some(6),
        ..FactorChange::default()
    };
    house.factors.change(&device.serial, change).await.unwrap();
    let early = house
        .factors
        .check(alice().identity, &device.otp(house.step() - 6))
        .await
        .unwrap();
    accepted(&early);
    assert_eq!(house.factors.get(&device.serial).await.unwrap().drift, -6);
}

#[tokio::test]
async fn a_factor_changes_hands_without_its_pin_and_failures() {
    let house = House::new();
    let device = house.give(with_pin(FactorKind::Hotp, "pin")).await;
    let bob = || FactorOwner {
        identity: IdentityId(Uuid::from_u128(8)),
        login: "bob".to_owned(),
        ..alice()
    };
    house.factors.check(alice().identity, &secret("x")).await.unwrap();
    assert!(is_invalid(&house.factors.assign(&device.serial, bob()).await));
    house.factors.unassign(&device.serial).await.unwrap();
    let none = house.factors.check(alice().identity, &device.otp(0)).await.unwrap();
    assert_eq!(none, FactorVerdict::NoFactor);
    house.factors.assign(&device.serial, bob()).await.unwrap();
    let factor = house.factors.get(&device.serial).await.unwrap();
    assert_eq!((factor.pin.is_some(), factor.failures), (false, 0));
    let verdict = house.factors.check(bob().identity, &device.otp(0)).await.unwrap();
    accepted(&verdict);
}

#[tokio::test]
async fn a_pin_is_set_and_taken_away() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let check = async |text: String| {
        let rule = PinRule::Factor;
        house
            .factors
            .check_serial(&device.serial, &secret(&text), rule)
            .await
            .unwrap()
    };
    house
        .factors
        .set_pin(&device.serial, Some(secret("new")))
        .await
        .unwrap();
    assert_eq!(
        check(device.text(0)).await,
        FactorVerdict::Refused(FactorRefusal::WrongPin)
    );
    accepted(&check(format!("new{}", device.text(0))).await);
    house.factors.set_pin(&device.serial, None).await.unwrap();
    accepted(&check(device.text(1)).await);
    assert!(is_invalid(
        &house.factors.set_pin(&device.serial, Some(secret(""))).await
    ));
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    house.factors.remove(&device.serial.to_lowercase()).await.unwrap();
    let serial = device.serial.as_str();
    assert_eq!(house.factors.find(serial).await.unwrap(), None);
    let results = [
        house.factors.get(serial).await.map(drop),
        house.factors.remove(serial).await,
        house.factors.reset(serial).await,
        house
            .factors
            .check_serial(serial, &secret("x"), PinRule::Factor)
            .await
            .map(drop),
    ];
    for result in results {
        assert!(matches!(result, Err(FactorError::Unknown(unknown)) if unknown == serial));
    }
}

#[tokio::test]
async fn a_list_is_narrowed_by_patterns() {
    let house = House::new();
    for serial in ["AB1", "ab2", "C3"] {
        let enrollment = Enrollment {
            serial: Some(serial.to_owned()),
            owner: (serial != "C3").then(alice),
            ..of(FactorKind::Totp)
        };
        house.factors.enroll(enrollment).await.unwrap();
    }
    let list = async |filter: FactorFilter| {
        let query = FactorQuery {
            filter,
            ..FactorQuery::default()
        };
        let page = house.factors.list(&query).await.unwrap();
        assert_eq!((page.total, page.filtered), (3, page.items.len() as u64));
        page.items.into_iter().map(|factor| factor.serial).collect::<Vec<_>>()
    };
    let serial = |pattern: &str| FactorFilter {
        serial: Some(pattern.to_owned()),
        ..FactorFilter::default()
    };
    assert_eq!(list(FactorFilter::default()).await, ["AB1", "ab2", "C3"]);
    assert_eq!(list(serial("aB*")).await, ["AB1", "ab2"]);
    assert_eq!(list(serial("*B*2")).await, ["ab2"]);
    assert_eq!(list(serial("b")).await, [""; 0]);
    let free = FactorFilter {
        assigned: Some(false),
        ..FactorFilter::default()
    };
    assert_eq!(list(free).await, ["C3"]);
    let login = FactorFilter {
        login: Some("ALICE".to_owned()),
        ..FactorFilter::default()
    };
    assert_eq!(list(login).await, ["AB1", "ab2"]);
}
