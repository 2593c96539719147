//! One-time passwords alone, and recovery codes.

use proptest::prelude::*;

use super::*;
use crate::port::FactorChange;

const WRONG: FactorVerdict = FactorVerdict::Refused(FactorRefusal::WrongOtp);
const USED: FactorVerdict = FactorVerdict::Refused(FactorRefusal::UsedBefore);
pub(super) const LOCKED: FactorVerdict = FactorVerdict::Refused(FactorRefusal::Locked);

impl House {
    async fn check(&self, otp: &Secret<Vec<u8>>) -> FactorVerdict {
        self.factors.check(alice().identity, otp).await.unwrap()
    }
}

#[tokio::test]
async fn hotp_is_good_once() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    assert_eq!(accepted(&house.check(&device.otp(0)).await), device.serial);
    assert_eq!(house.check(&device.otp(0)).await, USED);
    assert_eq!(house.failures(&device).await, 1);
    assert_eq!(accepted(&house.check(&device.otp(4)).await), device.serial);
    assert_eq!(house.check(&device.otp(2)).await, USED, "a later one was used");
    assert_eq!(house.check(&device.otp(16)).await, WRONG, "beyond the window");
    let factor = house.factors.get(&device.serial).await.unwrap();
    assert_eq!((factor.counter, factor.failures), (5, 2));
    assert_eq!(factor.last_used_at, Some(house.clock.now()));
}

#[tokio::test]
async fn totp_is_good_once_and_its_drift_is_kept() {
    let house = House::new();
    let device = house.give(of(FactorKind::Totp)).await;
    let step = house.step();
    assert_eq!(house.check(&device.otp(step + 2)).await, WRONG);
    accepted(&house.check(&device.otp(step + 1)).await);
    for used in [step, step + 1] {
        assert_eq!(house.check(&device.otp(used)).await, USED);
    }
    let factor = house.factors.get(&device.serial).await.unwrap();
    assert_eq!((factor.drift, factor.counter, factor.failures), (1, step + 2, 2));
    // Two ahead of the host's clock is one ahead of where the device's was.
    accepted(&house.check(&device.otp(step + 2)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_at_once_one_is_accepted() {
    let house = Arc::new(House::new());
    let (hotp, totp) = (
        house.give(of(FactorKind::Hotp)).await,
        house.give(of(FactorKind::Totp)).await,
    );
    let codes = house.factors.enroll(of(FactorKind::Recovery)).await.unwrap().codes;
    let code = Secret::from(codes.first().unwrap().expose().as_str());
    let more = FactorChange {
        max_failures: Some(1000),
        ..FactorChange::default()
    };
    for device in [&hotp, &totp] {
        house.factors.change(&device.serial, more.clone()).await.unwrap();
    }
    for otp in [hotp.otp(3), totp.otp(house.step()), code] {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (house, otp) = (Arc::clone(&house), otp.clone());
            tasks.spawn(async move { house.check(&otp).await });
        }
        let verdicts = tasks.join_all().await;
        let good = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, FactorVerdict::Accepted(_)));
        assert_eq!(good.count(), 1);
        for serial in [&hotp.serial, &totp.serial] {
            house.factors.reset(serial).await.unwrap();
        }
        let all = house.factors.active_of(alice().identity).await.unwrap();
        house
            .factors
            .reset(&all.iter().find(|one| one.kind == FactorKind::Recovery).unwrap().serial)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_one_time_password_used_elsewhere_meanwhile_is_refused_and_counted() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let before = house.store.find_factor(&device.serial).await.unwrap().unwrap();
    accepted(&house.check(&device.otp(0)).await);
    // As a node sees it that has read the factor before the other used it.
    let judged = house
        .factors
        .judge_alone(&[before], device.otp(0).expose())
        .await
        .unwrap();
    assert_eq!(judged, USED);
    assert_eq!(house.failures(&device).await, 1);
}

#[tokio::test]
async fn a_wrong_one_counts_on_every_factor() {
    let house = House::new();
    let (hotp, totp) = (
        house.give(of(FactorKind::Hotp)).await,
        house.give(of(FactorKind::Totp)).await,
    );
    assert_eq!(house.check(&secret("no digits")).await, WRONG);
    assert_eq!(house.check(&secret("")).await, WRONG);
    assert_eq!((house.failures(&hotp).await, house.failures(&totp).await), (2, 2));
    assert_eq!(accepted(&house.check(&hotp.otp(0)).await), hotp.serial);
    assert_eq!(
        (house.failures(&hotp).await, house.failures(&totp).await),
        (0, 2),
        "only its own go"
    );
}

#[tokio::test]
async fn a_locked_factor_refuses_and_uses_nothing_up() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let wrong = secret(&device.wrong(0));
    for _ in 0..10 {
        assert_eq!(house.check(&wrong).await, WRONG);
    }
    assert_eq!(house.check(&device.otp(0)).await, LOCKED);
    assert_eq!(house.failures(&device).await, 10, "a locked one counts no more");
    house.factors.reset(&device.serial).await.unwrap();
    accepted(&house.check(&device.otp(0)).await);
}

#[tokio::test]
async fn a_factor_that_locks_while_its_one_time_password_is_judged_refuses() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let before = house.store.find_factor(&device.serial).await.unwrap().unwrap();
    for _ in 0..10 {
        house.store.begin_attempts(&[before.factor.id]).await.unwrap();
    }
    let judged = house
        .factors
        .judge_alone(&[before], device.otp(0).expose())
        .await
        .unwrap();
    assert_eq!(judged, LOCKED);
}

#[tokio::test]
async fn what_is_not_active_is_asked_of_nobody() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    house
        .factors
        .set_state(&device.serial, FactorState::Disabled)
        .await
        .unwrap();
    assert_eq!(house.check(&device.otp(0)).await, FactorVerdict::NoFactor);
    let verdict = house
        .factors
        .check_serial(&device.serial, &device.otp(0), PinRule::None)
        .await;
    assert_eq!(verdict.unwrap(), FactorVerdict::NoFactor);
    let verdict = house
        .factors
        .check_one_of(std::slice::from_ref(&device.serial), &device.otp(0))
        .await;
    assert_eq!(verdict.unwrap(), FactorVerdict::NoFactor);
    house
        .factors
        .set_state(&device.serial, FactorState::Active)
        .await
        .unwrap();
    accepted(&house.check(&device.otp(0)).await);
}

#[tokio::test]
async fn a_challenge_is_answered_by_its_own_factors_only() {
    let house = House::new();
    let (mine, other) = (
        house.give(of(FactorKind::Hotp)).await,
        house.give(of(FactorKind::Hotp)).await,
    );
    let serials = [mine.serial.to_lowercase(), "GONE".to_owned()];
    let verdict = house.factors.check_one_of(&serials, &other.otp(0)).await.unwrap();
    assert_eq!(verdict, WRONG);
    assert_eq!((house.failures(&mine).await, house.failures(&other).await), (1, 0));
    let verdict = house.factors.check_one_of(&serials, &mine.otp(0)).await.unwrap();
    assert_eq!(accepted(&verdict), mine.serial);
}

#[tokio::test]
async fn a_recovery_code_is_good_once_however_it_is_written() {
    let house = House::new();
    let enrolled = house.factors.enroll(of(FactorKind::Recovery)).await.unwrap();
    assert_eq!(enrolled.codes.len(), 10);
    assert_eq!(
        house.factors.otp_lengths().await.unwrap(),
        [0; 0],
        "it stands alone, not after a password"
    );
    let id = enrolled.factor.id;
    for (index, code) in enrolled.codes.iter().enumerate() {
        let (lower, upper) = (
            code.expose().clone(),
            code.expose().to_uppercase().replace('0', "O").replace('1', "l"),
        );
        let (first, again) = if index % 2 == 0 { (lower, upper) } else { (upper, lower) };
        accepted(&house.check(&secret(&first)).await);
        assert_eq!(house.check(&secret(&again)).await, WRONG);
        assert_eq!(house.store.count_codes(id).await.unwrap() as usize, 9 - index);
    }
}

#[tokio::test]
async fn a_recovery_code_is_good_for_its_own_factor() {
    let house = House::new();
    let one = house.factors.enroll(of(FactorKind::Recovery)).await.unwrap();
    let other = house.factors.enroll(of(FactorKind::Recovery)).await.unwrap();
    let code = Secret::from(one.codes.first().unwrap().expose().as_str());
    let verdict = house.factors.check_one_of(&[other.factor.serial], &code).await.unwrap();
    assert_eq!(verdict, WRONG);
    accepted(&house.check(&code).await);
}

#[tokio::test]
async fn a_seed_that_does_not_open_is_a_fault_unless_another_factor_lets_in() {
    let house = House::new();
    let (broken, whole) = (
        house.give(of(FactorKind::Hotp)).await,
        house.give(of(FactorKind::Hotp)).await,
    );
    let mut stored = house.store.find_factor(&broken.serial).await.unwrap().unwrap();
    stored.sealed_seed = house
        .factors
        .seal(FactorId(Uuid::from_u128(9)), &secret("12345678901234567890"));
    let factors = [stored, house.store.find_factor(&whole.serial).await.unwrap().unwrap()];
    let verdict = house
        .factors
        .judge_alone(&factors, whole.otp(0).expose())
        .await
        .unwrap();
    assert_eq!(accepted(&verdict), whole.serial);
    let fault = house.factors.judge_alone(&factors, broken.otp(0).expose()).await;
    assert!(matches!(fault, Err(FactorError::Sealed(serial)) if serial == broken.serial));
}

#[tokio::test]
async fn nobody_gets_in_while_the_store_is_down() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let stored = house.store.find_factor(&device.serial).await.unwrap().unwrap();
    house.store.set_down(true);
    for otp in [device.text(0), device.wrong(0)] {
        let fault = house
            .factors
            .judge_alone(std::slice::from_ref(&stored), otp.as_bytes())
            .await;
        assert!(matches!(fault, Err(FactorError::Store(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is tried in which order: so many failures in a row lock, a success forgets them, and nothing is accepted twice or while locked.
    #[test]
    fn failures_are_counted_in_a_row(right in proptest::collection::vec(any::<bool>(), 1..40), max in 1_u32..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let house = House::new();
            let device = house.give(of(FactorKind::Hotp)).await;
            let change = FactorChange { max_failures: Some(max), ..FactorChange::default() };
            house.factors.change(&device.serial, change).await.unwrap();
            let (wrong, mut counter, mut failures) = (secret(&device.wrong(0)), 0, 0);
            for right in right {
                let otp = if right { device.otp(counter) } else { wrong.clone() };
                let verdict = house.check(&otp).await;
                match (failures >= max, right) {
                    (true, _) => assert_eq!(verdict, LOCKED),
                    (false, true) => {
                        accepted(&verdict);
                        (counter, failures) = (counter + 1, 0);
                    }
                    (false, false) => {
                        assert_eq!(verdict, WRONG);
                        failures += 1;
                    }
                }
                assert_eq!(house.failures(&device).await, failures);
            }
        });
    }
}
