//! Tokens, which become factors.

use super::*;
use crate::factor::{FactorRefusal, FactorVerdict, PinRule};
use crate::model::{FactorState, OtpAlgorithm, Timestamp};
use crate::password::Share;
use crate::port::PrivacyideaToken;

/// The RFC's one-time passwords of the counters from 0 on.
const OTPS: [&str; 6] = ["755224", "287082", "359152", "969429", "338314", "254676"];

impl House {
    async fn bring(&self, token: PrivacyideaToken) -> Factor {
        let serial = token.serial.clone();
        let report = self.bring_all(vec![token]).await;
        assert_eq!(reasons(&report), [""; 0]);
        self.factor(&serial).await
    }

    async fn bring_all(&self, tokens: Vec<PrivacyideaToken>) -> PrivacyideaReport {
        self.run(&Fake {
            tokens,
            ..small_realm()
        })
        .await
    }

    async fn check(&self, serial: &str, text: &str) -> FactorVerdict {
        let text = Secret::from(text);
        let checked = self.factors.check_serial(serial, &text, PinRule::Factor);
        checked.await.unwrap()
    }

    async fn accepts(&self, serial: &str, text: &str) -> bool {
        matches!(self.check(serial, text).await, FactorVerdict::Accepted(_))
    }
}

fn small_realm() -> Fake {
    Fake {
        tokens: Vec::new(),
        policies: Vec::new(),
        ..small()
    }
}

fn info(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

#[tokio::test]
async fn a_factor_goes_on_where_the_token_was() {
    let house = House::new();
    let factor = house
        .bring(PrivacyideaToken {
            counter: 3,
            failures: 2,
            max_failures: 5,
            window: 1,
            sync_window: 50,
            ..owned("HOTP1", "passwd1", "1000")
        })
        .await;
    assert_eq!((factor.counter, factor.failures, factor.max_failures), (3, 2, 5));
    assert_eq!(
        (factor.window, factor.sync_window, factor.state),
        (1, 50, FactorState::Active)
    );
    assert_eq!(factor.description, "a token");
    let used = FactorVerdict::Refused(FactorRefusal::UsedBefore);
    assert_eq!(house.check("HOTP1", OTPS[2]).await, used);
    assert!(!house.accepts("HOTP1", OTPS[5]).await, "beyond the window");
    assert!(house.accepts("HOTP1", OTPS[4]).await);
    assert_eq!(house.factor("HOTP1").await.failures, 0);
}

#[tokio::test]
async fn a_clock_goes_on_as_it_was() {
    let house = House::new();
    let step = u64::try_from(house.clock.now().0 / 30_000_000).unwrap();
    // The token was used at the step two ahead of the clock, in the second that its step began, or later in it.
    for (serial, shift, drift) in [
        ("A", "60.0", 2),
        ("B", "48.0", 2),
        ("C", "-12.5", 0),
        ("D", "-30", -1),
        ("E", "", 0),
    ] {
        let factor = house
            .bring(PrivacyideaToken {
                counter: i64::try_from(step).unwrap(),
                info: info(&[
                    ("timeShift", shift),
                    ("hashlib", "sha256"),
                    ("timeStep", "30"),
                    ("tokenkind", "software"),
                ]),
                digits: 8,
                ..token(serial, "TOTP")
            })
            .await;
        assert_eq!((factor.drift, factor.counter), (drift, step + 1), "{shift}");
        assert_eq!(
            (factor.parameters.algorithm, factor.parameters.digits),
            (OtpAlgorithm::Sha256, 8)
        );
        assert_eq!(factor.window, 6);
        assert_eq!(factor.attributes, info(&[("tokenkind", "software")]));
    }
    let factor = house
        .bring(PrivacyideaToken {
            info: info(&[("timeStep", "60"), ("timeWindow", "120")]),
            ..token("F", "totp")
        })
        .await;
    assert_eq!((factor.parameters.period, factor.window, factor.counter), (60, 2, 0));
}

#[tokio::test]
async fn what_a_token_does_not_say_the_system_does() {
    let house = House::new();
    let fake = Fake {
        tokens: vec![token("T", "totp")],
        settings: info(&[
            ("totp.hashlib", "SHA512"),
            ("totp.timeStep", "60"),
            ("hotp.hashlib", "sha1"),
        ]),
        ..small_realm()
    };
    house.run(&fake).await;
    let parameters = house.factor("T").await.parameters;
    assert_eq!((parameters.algorithm, parameters.period), (OtpAlgorithm::Sha512, 60));
}

#[tokio::test]
async fn a_token_that_is_off_stays_off() {
    let house = House::new();
    let base = || token("T", "hotp");
    for (serial, token, state) in [
        (
            "OFF",
            PrivacyideaToken {
                active: false,
                ..base()
            },
            FactorState::Disabled,
        ),
        (
            "LOCKED",
            PrivacyideaToken { locked: true, ..base() },
            FactorState::Disabled,
        ),
        (
            "REVOKED",
            PrivacyideaToken {
                active: false,
                revoked: true,
                locked: true,
                ..base()
            },
            FactorState::Revoked,
        ),
        (
            "VERIFY",
            PrivacyideaToken {
                rollout_state: "verify".to_owned(),
                ..base()
            },
            FactorState::Enrolling,
        ),
        (
            "DONE",
            PrivacyideaToken {
                rollout_state: "enrolled".to_owned(),
                ..base()
            },
            FactorState::Active,
        ),
    ] {
        let factor = house
            .bring(PrivacyideaToken {
                serial: serial.to_owned(),
                ..token
            })
            .await;
        assert_eq!(factor.state, state, "{serial}");
    }
}

#[tokio::test]
async fn a_limit_that_was_reached_switches_the_factor_off() {
    let house = House::new();
    let with = |serial: &str, pairs: &[(&str, &str)]| PrivacyideaToken {
        info: info(pairs),
        ..token(serial, "hotp")
    };
    // The clock of tests stands in 2023.
    assert!(house.clock.now() < Timestamp(1_800_000_000_000_000));
    let report = house
        .bring_all(vec![
            with("OVER", &[("validity_period_end", "2001-01-01T10:00+0200")]),
            with("EARLY", &[("validity_period_start", "2099-01-01T10:00+0200")]),
            with("NONSENSE", &[("validity_period_end", "soon")]),
            with("OFTEN", &[("count_auth_max", "5"), ("count_auth", "5")]),
            with(
                "FINE",
                &[
                    ("count_auth_success_max", "5"),
                    ("count_auth_success", "4"),
                    ("validity_period_end", ""),
                ],
            ),
        ])
        .await;
    for serial in ["OVER", "EARLY", "NONSENSE", "OFTEN"] {
        assert_eq!(house.factor(serial).await.state, FactorState::Disabled, "{serial}");
    }
    assert_eq!(house.factor("FINE").await.state, FactorState::Active);
    let notes = notes(&report);
    assert_eq!(notes.len(), 5, "{notes:?}");
    assert!(notes.contains(&"FINE: its limits do not hold here: count_auth_success_max `5`".to_owned()));
}

#[tokio::test]
async fn what_cannot_become_a_factor_is_left_out() {
    let house = House::new();
    let base = || token("T", "hotp");
    let of = |pairs: &[(&str, &str)]| PrivacyideaToken {
        info: info(pairs),
        ..token("T", "totp")
    };
    for (token, said) in [
        (token("T", "sms"), "tokens of the type `sms`"),
        (PrivacyideaToken { digits: 7, ..base() }, "7 digits"),
        (PrivacyideaToken { counter: -1, ..base() }, "counter is negative"),
        (
            PrivacyideaToken {
                rollout_state: "clientwait".to_owned(),
                ..base()
            },
            "`clientwait`",
        ),
        (
            PrivacyideaToken {
                seed: Secret::new(encrypted(0, b"")),
                ..base()
            },
            "no seed",
        ),
        (
            PrivacyideaToken {
                seed: Secret::new(encrypted(0, b"xyz")),
                ..base()
            },
            "does not open",
        ),
        (
            PrivacyideaToken {
                serial: "a b".to_owned(),
                ..base()
            },
            "a serial has",
        ),
        (of(&[("hashlib", "md5")]), "`md5`"),
        (of(&[("timeStep", "20")]), "`20` seconds"),
    ] {
        // The other one shows that the key is right.
        let report = house.bring_all(vec![fake::token("GOOD", "hotp"), token]).await;
        let reasons = reasons(&report);
        assert!(reasons.len() == 1 && reasons[0].contains(said), "{said}: {reasons:?}");
    }
}

#[tokio::test]
async fn a_pin_is_what_it_was() {
    let house = House::new();
    let hash = |pin: &'static str| {
        let passwords = Arc::clone(&house.passwords);
        async move { passwords.hash(&Share::Directory, &Secret::from(pin)).await.unwrap() }
    };
    let encrypted = format!("@@{}:{}", fake::IV, encrypted(0, "äpin".as_bytes()));
    let nothing = format!("@@{}:{}", fake::IV, fake::encrypted(0, b""));
    let tokens = [
        ("NONE", Secret::new(String::new())),
        ("HASHED", hash("1234").await),
        ("EMPTY", hash("").await),
        ("ENCRYPTED", Secret::new(encrypted)),
        ("NOTHING", Secret::new(nothing)),
        (
            "OLD",
            Secret::new("5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8".to_owned()),
        ),
        ("STRANGE", Secret::new("$unheard$of".to_owned())),
    ];
    let of = |(serial, pin): (&str, Secret<String>)| PrivacyideaToken {
        pin,
        ..token(serial, "hotp")
    };
    let report = house.bring_all(tokens.into_iter().map(of).collect()).await;
    for (serial, pin) in [
        ("NONE", ""),
        ("HASHED", "1234"),
        ("EMPTY", ""),
        ("ENCRYPTED", "äpin"),
        ("NOTHING", ""),
    ] {
        if !pin.is_empty() {
            assert!(!house.accepts(serial, OTPS[0]).await, "{serial}");
        }
        assert!(house.accepts(serial, &format!("{pin}{}", OTPS[1])).await, "{serial}");
    }
    for serial in ["OLD", "STRANGE"] {
        assert!(
            !house.accepts(serial, OTPS[0]).await,
            "{serial}: a lost PIN is not no PIN"
        );
        house.factors.set_pin(serial, Some(Secret::from("new"))).await.unwrap();
        assert!(house.accepts(serial, &format!("new{}", OTPS[1])).await, "{serial}");
    }
    assert_eq!(
        notes(&report)
            .iter()
            .filter(|note| note.contains("its PIN cannot be taken over"))
            .count(),
        2
    );
}

#[tokio::test]
async fn more_tokens_than_a_page_come_all() {
    let house = House::new();
    let tokens = (0..1003).map(|n| token(&format!("T{n}"), "hotp")).collect();
    let report = house.bring_all(tokens).await;
    assert_eq!(numbers(&report, ImportKind::Factor), (1003, 0, 0));
}
