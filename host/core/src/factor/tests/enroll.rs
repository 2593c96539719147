//! Making factors, and showing that they work.

use super::*;

#[tokio::test]
async fn a_serial_is_drawn_or_chosen_and_is_unique() {
    let house = House::new();
    for (kind, prefix) in [
        (FactorKind::Hotp, "OATH"),
        (FactorKind::Totp, "TOTP"),
        (FactorKind::Recovery, "TAN"),
    ] {
        let factor = house.factors.enroll(of(kind)).await.unwrap().factor;
        let number = factor.serial.strip_prefix(prefix).unwrap();
        assert!(
            number.len() == 8
                && number
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        );
        let again = Enrollment {
            serial: Some(factor.serial.to_lowercase()),
            ..of(kind)
        };
        assert!(matches!(house.factors.enroll(again).await, Err(FactorError::Taken(_))));
        assert_eq!(
            house.factors.find(&factor.serial.to_lowercase()).await.unwrap(),
            Some(factor)
        );
    }
    for serial in ["", "a b", "ü", &"x".repeat(65)] {
        let enrollment = Enrollment {
            serial: Some(serial.to_owned()),
            ..of(FactorKind::Totp)
        };
        assert!(is_invalid(&house.factors.enroll(enrollment).await), "{serial}");
    }
}

#[tokio::test]
async fn a_fresh_seed_is_as_long_as_the_hash() {
    let house = House::new();
    for (algorithm, length) in [
        (OtpAlgorithm::Sha1, 20),
        (OtpAlgorithm::Sha256, 32),
        (OtpAlgorithm::Sha512, 64),
    ] {
        let enrollment = Enrollment {
            parameters: OtpParameters { algorithm, ..SIX },
            ..of(FactorKind::Totp)
        };
        assert_eq!(
            house.factors.enroll(enrollment).await.unwrap().seed.expose().len(),
            length
        );
    }
}

#[tokio::test]
async fn what_is_out_of_range_is_refused() {
    let house = House::new();
    let plain = || of(FactorKind::Totp);
    let refused = [
        Enrollment {
            parameters: OtpParameters { digits: 7, ..SIX },
            ..plain()
        },
        Enrollment {
            parameters: OtpParameters { period: 45, ..SIX },
            ..plain()
        },
        Enrollment {
            seed: Some(Secret::new(vec![1; 15])),
            ..plain()
        },
        Enrollment {
            seed: Some(Secret::new(vec![1; 129])),
            ..plain()
        },
        Enrollment {
            pin: Some(secret("")),
            ..plain()
        },
        Enrollment {
            pin: Some(Secret::new(vec![b'1'; 129])),
            ..plain()
        },
        Enrollment {
            description: "ü".repeat(1025),
            ..plain()
        },
        Enrollment {
            attributes: vec![("a".to_owned(), "x".repeat(8192))],
            ..plain()
        },
        Enrollment {
            seed: Some(Secret::new(vec![1; 20])),
            ..of(FactorKind::Recovery)
        },
        Enrollment {
            confirmed_later: true,
            ..of(FactorKind::Recovery)
        },
    ];
    for enrollment in refused {
        let shown = format!("{enrollment:?}");
        assert!(is_invalid(&house.factors.enroll(enrollment).await), "{shown}");
    }
    let unused = OtpParameters { period: 0, ..SIX };
    let hotp = Enrollment {
        parameters: unused,
        ..of(FactorKind::Hotp)
    };
    assert_eq!(house.factors.enroll(hotp).await.unwrap().factor.parameters.period, 30);
}

#[tokio::test]
async fn a_sealed_seed_opens_for_its_own_factor_and_under_its_own_key() {
    let house = House::new();
    let enrollment = || Enrollment {
        seed: Some(secret("a seed of 20 letters")),
        ..of(FactorKind::Totp)
    };
    let one = house.factors.enroll(enrollment()).await.unwrap();
    let other = house.factors.enroll(enrollment()).await.unwrap();
    let mut stored = house.store.find_factor(&one.factor.serial).await.unwrap().unwrap();
    let hidden = |sealed: &[u8]| !sealed.windows(6).any(|part| part == b"a seed");
    assert!(hidden(&stored.sealed_seed));
    assert!(house.factors.open(&stored).is_ok());
    let moved = house
        .store
        .find_factor(&other.factor.serial)
        .await
        .unwrap()
        .unwrap()
        .sealed_seed;
    assert_ne!(moved, stored.sealed_seed, "equal seeds look different");
    stored.sealed_seed = moved;
    assert!(matches!(house.factors.open(&stored), Err(FactorError::Sealed(_))));
}

#[tokio::test]
async fn no_debug_shows_a_secret() {
    let house = House::new();
    let enrollment = Enrollment {
        seed: Some(secret("a seed of 20 letters")),
        ..with_pin(FactorKind::Totp, "PIN4711")
    };
    let codes = house.factors.enroll(of(FactorKind::Recovery)).await.unwrap();
    let shown = format!("{enrollment:?}");
    let enrolled = house.factors.enroll(enrollment).await.unwrap();
    let stored = house.store.find_factor(&enrolled.factor.serial).await.unwrap().unwrap();
    let verdict = FactorVerdict::PinOnly(vec![stored.factor.clone()]);
    let error = FactorError::Sealed(stored.factor.serial.clone());
    let shown = format!("{shown} {enrolled:?} {stored:?} {verdict:?} {error:?} {error} {codes:?}");
    let bytes = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
    for secret in ["a seed of 20 letters", "PIN4711"] {
        assert!(!shown.contains(secret) && !shown.contains(&bytes(secret)));
    }
    for secret in [
        stored.factor.pin.unwrap().expose(),
        codes.codes.first().unwrap().expose(),
    ] {
        assert!(!shown.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn a_factor_that_is_to_be_confirmed_lets_nobody_in_before() {
    let house = House::new();
    let device = house
        .give(Enrollment {
            confirmed_later: true,
            ..of(FactorKind::Totp)
        })
        .await;
    let otp = device.otp(house.step());
    assert_eq!(
        house.factors.check(alice().identity, &otp).await.unwrap(),
        FactorVerdict::NoFactor
    );
    for state in [FactorState::Active, FactorState::Disabled] {
        let refused = house.factors.set_state(&device.serial, state).await;
        assert!(matches!(refused, Err(FactorError::State(FactorState::Enrolling))));
    }
    assert!(!house.factors.confirm(&device.serial, &secret("x")).await.unwrap());
    assert_eq!(house.failures(&device).await, 1);
    assert!(house.factors.confirm(&device.serial, &otp).await.unwrap());
    let factor = house.factors.get(&device.serial).await.unwrap();
    assert_eq!((factor.state, factor.failures), (FactorState::Active, 0));
    let used = house.factors.check(alice().identity, &otp).await.unwrap();
    assert_eq!(used, FactorVerdict::Refused(FactorRefusal::UsedBefore));
    let again = house.factors.confirm(&device.serial, &otp).await;
    assert!(matches!(again, Err(FactorError::State(FactorState::Active))));
}

#[tokio::test]
async fn a_factor_that_was_guessed_at_too_often_is_not_confirmed() {
    let house = House::new();
    let device = house
        .give(Enrollment {
            confirmed_later: true,
            ..of(FactorKind::Hotp)
        })
        .await;
    for _ in 0..10 {
        assert!(!house.factors.confirm(&device.serial, &secret("x")).await.unwrap());
    }
    assert!(!house.factors.confirm(&device.serial, &device.otp(0)).await.unwrap());
}

#[tokio::test]
async fn a_factor_of_another_system_is_taken_over_with_all_that_is_known_of_it() {
    let house = House::new();
    let seed = secret("short");
    let made = house.give(of(FactorKind::Hotp)).await;
    let known = house.factors.get(&made.serial).await.unwrap();
    let foreign = Factor {
        serial: "OATH_OLD".to_owned(),
        counter: 40,
        failures: 3,
        max_failures: 5,
        ..known.clone()
    };
    let kept = house.factors.adopt(foreign.clone(), &seed).await.unwrap();
    assert_ne!(kept.id, foreign.id, "an id is given once");
    assert_eq!(Factor { id: foreign.id, ..kept }, foreign);
    let generator = Generator::new(foreign.parameters, &seed);
    let otp = secret(&format!("{:06}", generator.at(40)));
    let verdict = house
        .factors
        .check_one_of(&["OATH_OLD".to_owned()], &otp)
        .await
        .unwrap();
    assert_eq!(accepted(&verdict), "OATH_OLD");
    assert!(matches!(
        house.factors.adopt(foreign.clone(), &seed).await,
        Err(FactorError::Taken(_))
    ));
    assert!(is_invalid(&house.factors.adopt(foreign, &secret("")).await));
}
