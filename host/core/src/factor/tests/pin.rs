//! PINs before one-time passwords.

use proptest::prelude::*;

use super::super::pin::split;
use super::check::LOCKED;
use super::*;
use crate::port::NewFactor;

const WRONG_OTP: FactorVerdict = FactorVerdict::Refused(FactorRefusal::WrongOtp);
const WRONG_PIN: FactorVerdict = FactorVerdict::Refused(FactorRefusal::WrongPin);

impl House {
    async fn check_pin(&self, text: &str) -> FactorVerdict {
        let rule = PinRule::Factor;
        let verdict = self.factors.check_with_pin(alice().identity, &secret(text), rule).await;
        verdict.unwrap()
    }

    /// How many verifiers a text costs.
    async fn cost(&self, text: &str) -> u64 {
        let before = self.passwords.computed();
        self.check_pin(text).await;
        self.passwords.computed() - before
    }
}

fn serials(verdict: &FactorVerdict) -> Vec<&str> {
    match verdict {
        FactorVerdict::PinOnly(factors) => factors.iter().map(|factor| factor.serial.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_last_characters_are_the_one_time_password() {
    let house = House::new();
    let eight = Enrollment {
        parameters: OtpParameters { digits: 8, ..SIX },
        ..with_pin(FactorKind::Hotp, "pin1234")
    };
    let (six, eight) = (
        house.give(with_pin(FactorKind::Hotp, "p\u{ef}n")).await,
        house.give(eight).await,
    );
    let verdict = house.check_pin(&format!("p\u{ef}n{}", six.text(0))).await;
    assert_eq!(accepted(&verdict), six.serial);
    let verdict = house.check_pin(&format!("pin1234{}", eight.text(0))).await;
    assert_eq!(accepted(&verdict), eight.serial);
    assert_eq!(house.check_pin(&eight.text(1)).await, WRONG_PIN, "the PIN is missing");
}

#[tokio::test]
async fn a_right_pin_says_on_which_factor_a_wrong_one_time_password_counts() {
    let house = House::new();
    let (one, other) = (
        house.give(with_pin(FactorKind::Hotp, "one")).await,
        house.give(with_pin(FactorKind::Hotp, "other")).await,
    );
    assert_eq!(house.check_pin(&format!("one{}", one.wrong(0))).await, WRONG_OTP);
    assert_eq!((house.failures(&one).await, house.failures(&other).await), (1, 0));
    assert_eq!(house.check_pin(&format!("none{}", one.text(0))).await, WRONG_PIN);
    assert_eq!(house.check_pin("no").await, WRONG_PIN);
    assert_eq!((house.failures(&one).await, house.failures(&other).await), (3, 2));
    let verdict = house.check_pin(&format!("one{}", one.text(0))).await;
    assert_eq!(accepted(&verdict), one.serial, "a wrong PIN used nothing up");
    let again = house.check_pin(&format!("one{}", one.text(0))).await;
    assert_eq!(again, FactorVerdict::Refused(FactorRefusal::UsedBefore));
}

#[tokio::test]
async fn a_pin_alone_is_told_and_counts_nothing() {
    let house = House::new();
    let one = house.give(with_pin(FactorKind::Hotp, "123456")).await;
    let two = house.give(with_pin(FactorKind::Totp, "123456")).await;
    let other = house.give(with_pin(FactorKind::Hotp, "else")).await;
    let verdict = house.check_pin("123456").await;
    assert_eq!(serials(&verdict), [one.serial.as_str(), two.serial.as_str()]);
    assert_eq!(house.failures(&one).await + house.failures(&other).await, 0);
}

#[tokio::test]
async fn nothing_is_the_pin_of_a_factor_that_has_none() {
    let house = House::new();
    let (bare, _) = (
        house.give(of(FactorKind::Hotp)).await,
        house.give(with_pin(FactorKind::Hotp, "pin")).await,
    );
    assert_eq!(serials(&house.check_pin("").await), [bare.serial.as_str()]);
    assert_eq!(house.check_pin(&format!("x{}", bare.text(0))).await, WRONG_PIN);
    assert_eq!(accepted(&house.check_pin(&bare.text(0)).await), bare.serial);
}

#[tokio::test]
async fn where_no_pin_is_asked_for_the_text_is_the_one_time_password() {
    let house = House::new();
    let device = house.give(with_pin(FactorKind::Hotp, "pin")).await;
    let check = async |text: &str| {
        let (serial, text) = (device.serial.as_str(), secret(text));
        house.factors.check_serial(serial, &text, PinRule::None).await.unwrap()
    };
    assert_eq!(check(&format!("pin{}", device.text(0))).await, WRONG_OTP);
    assert_eq!(serials(&check("").await), [device.serial.as_str()]);
    accepted(&check(&device.text(0)).await);
}

#[tokio::test]
async fn a_recovery_code_may_follow_a_pin() {
    let house = House::new();
    let enrolled = house
        .factors
        .enroll(with_pin(FactorKind::Recovery, "pin"))
        .await
        .unwrap();
    let code = enrolled.codes.first().unwrap().expose();
    assert_eq!(house.check_pin(code).await, WRONG_PIN);
    let verdict = house.check_pin(&format!("pin{code}")).await;
    assert_eq!(accepted(&verdict), enrolled.factor.serial);
}

#[tokio::test]
async fn a_locked_factor_refuses_even_with_its_pin() {
    let house = House::new();
    let device = house.give(with_pin(FactorKind::Hotp, "pin")).await;
    for _ in 0..10 {
        assert_eq!(house.check_pin("wrong").await, WRONG_PIN);
    }
    for text in [format!("pin{}", device.text(0)), "pin".to_owned()] {
        assert_eq!(
            house.check_pin(&text).await,
            FactorVerdict::Refused(FactorRefusal::Locked)
        );
    }
    house.factors.reset(&device.serial).await.unwrap();
    accepted(&house.check_pin(&format!("pin{}", device.text(0))).await);
}

#[tokio::test]
async fn one_factor_none_and_a_locked_one_cost_the_same() {
    let nobody = House::new();
    let bare = House::new();
    bare.give(of(FactorKind::Hotp)).await;
    let (one, locked, eight) = (House::new(), House::new(), House::new());
    one.give(with_pin(FactorKind::Hotp, "pin")).await;
    eight
        .give(Enrollment {
            parameters: OtpParameters { digits: 8, ..SIX },
            ..with_pin(FactorKind::Hotp, "pin")
        })
        .await;
    let device = locked.give(with_pin(FactorKind::Hotp, "pin")).await;
    let id = locked.factors.get(&device.serial).await.unwrap().id;
    for _ in 0..10 {
        locked.store.begin_attempts(&[id]).await.unwrap();
    }
    let long = "x".repeat(300);
    for text in [
        "",
        "pin",
        "wrong1",
        "pin123456",
        "pin12345678",
        "pinpinpin",
        "1234567",
        &long,
    ] {
        let expected = nobody.cost(text).await;
        for house in [&bare, &one, &locked, &eight] {
            assert_eq!(house.cost(text).await, expected, "{text}");
        }
    }
}

#[tokio::test]
async fn a_right_pin_with_a_wrong_one_time_password_costs_what_a_wrong_pin_costs() {
    let house = House::new();
    let device = house.give(with_pin(FactorKind::Hotp, "pin")).await;
    let wrong = device.wrong(0);
    assert_eq!(
        house.cost(&format!("pin{wrong}")).await,
        house.cost(&format!("nip{wrong}")).await
    );
}

#[tokio::test]
async fn of_many_factors_eight_pins_are_compared_and_the_fitting_one_is_among_them() {
    let house = House::new();
    let mut devices = Vec::new();
    for number in 0..20 {
        let enrollment = Enrollment {
            serial: Some(format!("T{number:02}")),
            ..with_pin(FactorKind::Hotp, "pin")
        };
        devices.push(house.give(enrollment).await);
    }
    assert_eq!(house.cost("wrong123456").await, 16);
    let last = devices.last().unwrap();
    let verdict = house.check_pin(&format!("pin{}", last.text(0))).await;
    assert_eq!(accepted(&verdict), last.serial);
}

#[tokio::test]
async fn a_pin_that_factors_share_is_compared_once() {
    let house = House::new();
    let device = house.give(with_pin(FactorKind::Hotp, "pin")).await;
    let mut twin = house.store.find_factor(&device.serial).await.unwrap().unwrap();
    twin.factor.id = FactorId(Uuid::from_u128(5));
    twin.factor.serial = "TWIN".to_owned();
    twin.sealed_seed = house.factors.seal(twin.factor.id, &secret("12345678901234567890"));
    let new = NewFactor {
        stored: twin,
        codes: Vec::new(),
    };
    house.store.add_factor(&new).await.unwrap();
    let before = house.passwords.computed();
    assert_eq!(serials(&house.check_pin("pin").await).len(), 2);
    // The second is paid for all the same, so that nobody learns that they share it.
    assert_eq!(house.passwords.computed() - before, 2);
}

#[tokio::test]
async fn a_broken_verifier_is_no_fault_of_its_owners_other_factors() {
    let house = House::new();
    let (broken, whole) = (
        house.give(with_pin(FactorKind::Hotp, "pin")).await,
        house.give(with_pin(FactorKind::Hotp, "pin")).await,
    );
    let change = crate::port::FactorChange {
        pin: Some(Some(Secret::new("$unknown$x".to_owned()))),
        ..crate::port::FactorChange::default()
    };
    let id = house.factors.get(&broken.serial).await.unwrap().id;
    house.store.change_factor(id, &change).await.unwrap();
    let verdict = house.check_pin(&format!("pin{}", whole.text(0))).await;
    assert_eq!(accepted(&verdict), whole.serial);
}

#[tokio::test]
async fn a_full_pool_is_a_fault_and_lets_nobody_guess_more() {
    let store = MemoryStore::new();
    let factors = |workers, queue| {
        FactorService::new(
            Arc::clone(&store) as Arc<dyn FactorStore>,
            Arc::new(cheap_passwords(workers, queue).unwrap()),
            MasterKey::new([7; 32]),
            Arc::new(StillClock::new()),
            Arc::new(crate::port::SystemRandom),
        )
    };
    let enrolled = factors(1, 4).enroll(with_pin(FactorKind::Hotp, "pin")).await.unwrap();
    let full = factors(1, 0);
    let text = secret("pin000000");
    let checks = (0..32).map(|_| full.check_with_pin(alice().identity, &text, PinRule::Factor));
    let verdicts = futures_of(checks).await;
    let is_judged =
        |verdict: &&Result<FactorVerdict, FactorError>| matches!(verdict, Ok(verdict) if *verdict != LOCKED);
    let judged = verdicts.iter().filter(is_judged).count();
    assert!(judged < 32, "32 at once find room for one");
    for fault in verdicts.into_iter().filter_map(Result::err) {
        assert!(
            matches!(fault, FactorError::Password(PasswordError::Saturated)),
            "{fault:?}"
        );
    }
    let failures = full.get(&enrolled.factor.serial).await.unwrap().failures;
    let failures = usize::try_from(failures).unwrap();
    assert!((judged..=10).contains(&failures), "{failures} of {judged}");
}

#[tokio::test]
async fn what_a_full_pool_kept_from_being_judged_is_not_counted() {
    let store = MemoryStore::new();
    let pool = Arc::new(cheap_passwords(1, 0).unwrap());
    let factors = FactorService::new(
        Arc::clone(&store) as Arc<dyn FactorStore>,
        Arc::clone(&pool),
        MasterKey::new([7; 32]),
        Arc::new(StillClock::new()),
        Arc::new(crate::port::SystemRandom),
    );
    let enrolled = factors.enroll(with_pin(FactorKind::Hotp, "pin")).await.unwrap();
    let (nothing, text, slow) = (secret(""), secret("pin000000"), slow_verifier());
    let other = pool.verify_stored(&crate::password::Share::Unjudged, &nothing, Some(&slow));
    let (other, verdict) =
        tokio::join!(biased; other, factors.check_with_pin(alice().identity, &text, PinRule::Factor));
    assert!(other.is_ok() && verdict.is_err(), "{other:?} {verdict:?}");
    let failures = factors.get(&enrolled.factor.serial).await.unwrap().failures;
    assert_eq!(failures, 0);
}

/// One that takes a while to compare with: bcrypt of cost 10.
fn slow_verifier() -> Secret<String> {
    Secret::new("$2b$10$R8AUgR1YXBmbo19xiXaa1eMyHMcxQoHQYVWJm/iuA/vGdjuExpRLG".to_owned())
}

#[tokio::test]
async fn whoever_goes_away_while_a_guess_is_judged_has_failed() {
    let house = House::new();
    let device = house.give(with_pin(FactorKind::Hotp, "pin")).await;
    let text = secret("pin000000");
    let id = house.factors.get(&device.serial).await.unwrap().id;
    let change = crate::port::FactorChange {
        pin: Some(Some(slow_verifier())),
        ..crate::port::FactorChange::default()
    };
    assert!(house.store.change_factor(id, &change).await.unwrap());
    let check = house.factors.check_with_pin(alice().identity, &text, PinRule::Factor);
    // As far as the first comparison, and no further.
    let gone = tokio::time::timeout(std::time::Duration::ZERO, check).await;
    assert!(gone.is_err(), "{gone:?}");
    assert_eq!(house.failures(&device).await, 1);
}

#[tokio::test]
async fn no_more_guesses_are_judged_at_once_than_may_fail() {
    let house = House::new();
    let device = house.give(of(FactorKind::Hotp)).await;
    let (right, wrong) = (device.otp(0), secret(&device.wrong(0)));
    let guesses = (0..40).map(|_| house.factors.check(alice().identity, &wrong));
    let verdicts = futures_of(guesses).await;
    let judged = verdicts.iter().filter(|verdict| *verdict.as_ref().unwrap() != LOCKED);
    assert_eq!(judged.count(), 10);
    assert_eq!(house.factors.check(alice().identity, &right).await.unwrap(), LOCKED);
}

/// All of these, polled together.
async fn futures_of<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (one, done) in &mut waiting {
            if done.is_none() {
                match one.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *done = Some(output),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

proptest! {
    #[test]
    fn a_text_is_split_into_its_own_bytes(text in proptest::collection::vec(any::<u8>(), 0..40), eight in any::<bool>()) {
        let stored = stored(FactorKind::Totp, if eight { 8 } else { 6 });
        let digits = if eight { 8 } else { 6 };
        if let Some((pin, otp)) = split(&stored, &text) {
            prop_assert_eq!(&[pin, otp].concat(), &text);
            prop_assert_eq!(otp.len(), digits);
            prop_assert!(otp.iter().all(u8::is_ascii_digit));
        } else {
            let tail = text.len().checked_sub(digits).and_then(|from| text.get(from..));
            prop_assert!(tail.is_none_or(|tail| !tail.iter().all(u8::is_ascii_digit)));
        }
    }

    #[test]
    fn any_pin_and_its_one_time_password_come_apart(pin in ".{0,20}", otp in "[0-9]{6}") {
        let text = format!("{pin}{otp}");
        let apart = split(&stored(FactorKind::Hotp, 6), text.as_bytes()).map(|(one, two)| (one.to_vec(), two.to_vec()));
        prop_assert_eq!(apart, Some((pin.into_bytes(), otp.into_bytes())));
    }
}

fn stored(kind: FactorKind, digits: u8) -> StoredFactor {
    StoredFactor {
        factor: Factor {
            id: FactorId(Uuid::nil()),
            serial: "X".to_owned(),
            kind,
            parameters: OtpParameters { digits, ..SIX },
            owner: None,
            state: FactorState::Active,
            pin: None,
            counter: 0,
            drift: 0,
            failures: 0,
            max_failures: 10,
            window: 1,
            sync_window: 1,
            description: String::new(),
            attributes: Vec::new(),
            created_at: crate::model::Timestamp(0),
            last_used_at: None,
        },
        sealed_seed: Vec::new(),
    }
}
