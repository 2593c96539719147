//! Devices that ran away.

use super::*;

const FAR: u64 = 800;

#[tokio::test]
async fn hotp_goes_on_after_the_second_of_two() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let resync = async |first, second| {
        let (first, second) = (device.otp(first), device.otp(second));
        house.factors.resync(&device.serial, &first, &second).await.unwrap()
    };
    assert!(!resync(FAR, FAR + 2).await, "not in a row");
    assert!(!resync(FAR + 1, FAR).await, "not in this order");
    assert!(!resync(1001, 1002).await, "beyond the window");
    assert_eq!(house.failures(&device).await, 3);
    assert!(resync(FAR, FAR + 1).await);
    assert_eq!(house.failures(&device).await, 0);
    assert!(!resync(FAR, FAR + 1).await, "they are used up");
    let verdict = house
        .factors
        .check(alice().identity, &device.otp(FAR + 2))
        .await
        .unwrap();
    accepted(&verdict);
}

#[tokio::test]
async fn totp_takes_the_drift_in() {
    let house = House::new();
    let device = house.give(of(FactorKind::Totp)).await;
    let theirs = house.step() + 40;
    let (first, second) = (device.otp(theirs), device.otp(theirs + 1));
    assert!(house.factors.resync(&device.serial, &first, &second).await.unwrap());
    assert_eq!(house.factors.get(&device.serial).await.unwrap().drift, 41);
    let used = house.factors.check(alice().identity, &second).await.unwrap();
    assert_eq!(used, FactorVerdict::Refused(FactorRefusal::UsedBefore));
    house.clock.advance(std::time::Duration::from_secs(30));
    let next = house
        .factors
        .check(alice().identity, &device.otp(theirs + 2))
        .await
        .unwrap();
    accepted(&next);
}

#[tokio::test]
async fn a_factor_that_has_failed_too_often_is_reset_first() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let (first, second) = (device.otp(FAR), device.otp(FAR + 1));
    for _ in 0..10 {
        assert!(
            !house
                .factors
                .resync(&device.serial, &secret("x"), &second)
                .await
                .unwrap()
        );
    }
    assert!(!house.factors.resync(&device.serial, &first, &second).await.unwrap());
    house.factors.reset(&device.serial).await.unwrap();
    assert!(house.factors.resync(&device.serial, &first, &second).await.unwrap());
}

#[tokio::test]
async fn a_factor_that_is_switched_off_stays_so() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    house
        .factors
        .set_state(&device.serial, FactorState::Disabled)
        .await
        .unwrap();
    assert!(
        house
            .factors
            .resync(&device.serial, &device.otp(5), &device.otp(6))
            .await
            .unwrap()
    );
    let factor = house.factors.get(&device.serial).await.unwrap();
    assert_eq!((factor.state, factor.counter), (FactorState::Disabled, 7));
    house
        .factors
        .set_state(&device.serial, FactorState::Revoked)
        .await
        .unwrap();
    let refused = house
        .factors
        .resync(&device.serial, &device.otp(8), &device.otp(9))
        .await;
    assert!(matches!(refused, Err(FactorError::State(FactorState::Revoked))));
}

#[tokio::test]
async fn recovery_codes_have_nothing_to_run_away_with() {
    let house = House::new();
    let device = house.give(of(FactorKind::Recovery)).await;
    assert!(
        !house
            .factors
            .resync(&device.serial, &secret("0123456789"), &secret("0123456789"))
            .await
            .unwrap()
    );
}
