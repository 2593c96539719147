//! Second factors: at the end of the password, beside it, or as the answer to a challenge.

use super::*;
use crate::factor::{Enrollment, FactorRefusal};
use crate::model::{
    Challenge, ChallengeKind, DigestAlgorithm, Factor, FactorKind, FactorOwner, FactorState, Found, OtpAlgorithm,
    OtpParameters, Principal,
};
use crate::port::{LookupKey, RequestContext, Step};

const SEED: &[u8] = b"12345678901234567890";
/// RFC 4226, appendix D.
pub(super) const CODES: [&str; 10] = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
];

/// Gives alice an HOTP factor with the seed of RFC 4226.
pub(super) async fn enroll(house: &House, pin: Option<&str>) -> Factor {
    let owner = FactorOwner {
        identity: house.alice.id.into(),
        tenant: house.alice.tenant,
        login: "alice".to_owned(),
        realm: String::new(),
        resolver: String::new(),
    };
    let enrolled = house.factors.enroll(Enrollment {
        kind: FactorKind::Hotp,
        parameters: OtpParameters {
            algorithm: OtpAlgorithm::Sha1,
            digits: 6,
            period: 30,
        },
        seed: Some(Secret::new(SEED.to_vec())),
        serial: None,
        owner: Some(owner),
        pin: pin.map(Into::into),
        description: String::new(),
        confirmed_later: false,
        attributes: Vec::new(),
    });
    enrolled.await.unwrap().factor
}

fn with_password(password: &str) -> LoginRequest {
    LoginRequest {
        credentials: Some(("alice".to_owned(), Credential::Password(password.into()))),
        ..login("wazo_user")
    }
}

fn answer(asked: &Asked, otp: &str) -> LoginRequest {
    LoginRequest {
        transaction: Some(asked.transaction.clone()),
        ..with_password(otp)
    }
}

impl House {
    async fn asked(&self, request: LoginRequest) -> Asked {
        match self.service.login(request).await.unwrap() {
            LoginOutcome::Challenged(asked) => asked,
            LoginOutcome::Issued(_) => panic!("a token was issued"),
        }
    }

    async fn refusal(&self, request: LoginRequest) -> FactorRefusal {
        match self.service.login(request).await.unwrap_err() {
            TokenError::Factor(reason) => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn is_refused(outcome: &Result<IssuedToken, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Refused(_)))
}

#[tokio::test]
async fn a_user_with_a_factor_is_asked_for_it_after_the_password() {
    let house = House::new().await;
    enroll(&house, None).await;
    let asked = house.asked(with_password("s3cre7")).await;
    assert_eq!(asked.kind, ChallengeKind::Otp);
    assert_eq!(asked.transaction.len(), 20);
    assert!(asked.transaction.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(house.store.session_count(), 0);
    assert_eq!(house.refusal(answer(&asked, "000000")).await, FactorRefusal::WrongOtp);
    let issued = house.login(answer(&asked, CODES[0])).await.unwrap();
    assert!(house.is_good(&issued.value).await);
}

#[tokio::test]
async fn a_user_with_a_factor_is_asked_for_it_after_a_digest() {
    let house = House::new().await;
    let id = house.alice.id;
    house.add_backend(move || Ok(Outcome::Verified(principal(Subject::Directory(id), "alice"))));
    enroll(&house, None).await;
    let digest = Credential::Digest {
        algorithm: DigestAlgorithm::Sha1,
        value: "0cc1".into(),
    };
    let asked = house
        .asked(LoginRequest {
            credentials: Some((String::new(), digest)),
            ..login("own")
        })
        .await;
    assert_eq!(
        (asked.login.as_deref(), house.store.session_count()),
        (Some("Alice"), 0)
    );
    let unnamed = LoginRequest {
        credentials: Some((String::new(), Credential::Otp(CODES[0].into()))),
        ..answer(&asked, "")
    };
    let issued = house.login(unnamed).await.unwrap();
    assert!(house.is_good(&issued.value).await);
}

#[tokio::test]
async fn a_challenge_is_good_for_one_right_answer() {
    let house = House::new().await;
    enroll(&house, None).await;
    let asked = house.asked(with_password("s3cre7")).await;
    house.login(answer(&asked, CODES[0])).await.unwrap();
    let state = house.service.challenge_state(&asked.transaction).await.unwrap();
    assert_eq!(state, ChallengeState::Accepted);
    assert!(is_refused(&house.login(answer(&asked, CODES[1])).await));
}

#[tokio::test]
async fn a_challenge_is_good_for_two_minutes() {
    let house = House::new().await;
    enroll(&house, None).await;
    let asked = house.asked(with_password("s3cre7")).await;
    house.clock.advance(CHALLENGE_LIFE);
    assert!(is_refused(&house.login(answer(&asked, CODES[0])).await));
    house.service.sweep().await.unwrap();
}

#[tokio::test]
async fn a_challenge_is_answered_by_whom_it_was_given() {
    let house = House::new().await;
    enroll(&house, None).await;
    let asked = house.asked(with_password("s3cre7")).await;
    let bobs = LoginRequest {
        credentials: Some(("bob".to_owned(), Credential::Password(CODES[0].into()))),
        ..answer(&asked, "")
    };
    assert!(is_refused(&house.login(bobs).await));
    let unknown = LoginRequest {
        transaction: Some("0".repeat(20)),
        ..with_password(CODES[0])
    };
    assert!(is_refused(&house.login(unknown).await));
    house.login(answer(&asked, CODES[0])).await.unwrap();
}

#[tokio::test]
async fn a_challenge_is_answered_in_the_tenant_in_which_it_was_given() {
    let house = House::new().await;
    enroll(&house, None).await;
    let of = |tenant: Option<&str>, request| LoginRequest {
        tenant: tenant.map(str::to_owned),
        ..request
    };
    let asked = house.asked(of(Some("acme"), with_password("s3cre7"))).await;
    let elsewhere = of(Some("other"), answer(&asked, CODES[0]));
    assert!(is_refused(&house.login(elsewhere).await));
    house.login(answer(&asked, CODES[0])).await.unwrap();
    let asked = house.asked(with_password("s3cre7")).await;
    let somewhere = of(Some("acme"), answer(&asked, CODES[1]));
    assert!(is_refused(&house.login(somewhere).await));
    house.login(answer(&asked, CODES[1])).await.unwrap();
}

#[tokio::test]
async fn a_password_may_end_in_the_one_time_password() {
    let house = House::new().await;
    enroll(&house, None).await;
    house.login(with_password("s3cre7755224")).await.unwrap();
    assert_eq!(
        house.refusal(with_password("s3cre7755224")).await,
        FactorRefusal::UsedBefore
    );
    assert_eq!(
        house.refusal(with_password("s3cre7000000")).await,
        FactorRefusal::WrongOtp
    );
    assert!(is_refused(&house.login(with_password("wrong287082")).await));
    house.login(with_password("s3cre7287082")).await.unwrap();
}

#[tokio::test]
async fn a_one_time_password_may_stand_beside_the_password() {
    let house = House::new().await;
    enroll(&house, None).await;
    let beside = |otp: &str| LoginRequest {
        otp: Some(otp.into()),
        ..with_password("s3cre7")
    };
    assert_eq!(house.refusal(beside("000000")).await, FactorRefusal::WrongOtp);
    house.login(beside(CODES[0])).await.unwrap();
}

#[tokio::test]
async fn who_has_no_factor_is_asked_for_none_whatever_the_password_ends_in() {
    let house = House::new().await;
    let own = house.add_backend(|| Ok(Outcome::Verified(principal(Subject::Own("carol".to_owned()), "carol"))));
    enroll(&house, None).await;
    let request = LoginRequest {
        backend: "own".to_owned(),
        ..with_password("in1999123456")
    };
    house.login(request).await.unwrap();
    assert_eq!(
        own.calls().len(),
        2,
        "once for what stands before the digits, once for the whole"
    );
}

#[tokio::test]
async fn an_unknown_user_is_asked_about_as_often_as_one_with_a_factor() {
    let house = House::new().await;
    enroll(&house, None).await;
    for name in ["alice", "nobody"] {
        let before = house.backend.calls().len();
        let request = LoginRequest {
            credentials: Some((name.to_owned(), Credential::Password("wrong123456".into()))),
            ..login("wazo_user")
        };
        assert!(is_refused(&house.login(request).await));
        assert_eq!(house.backend.calls().len() - before, 2, "{name}");
    }
}

#[tokio::test]
async fn a_factor_that_failed_too_often_lets_nobody_in() {
    let house = House::new().await;
    let factor = enroll(&house, None).await;
    let asked = house.asked(with_password("s3cre7")).await;
    for _ in 0..factor.max_failures {
        assert_eq!(house.refusal(answer(&asked, "000000")).await, FactorRefusal::WrongOtp);
    }
    assert_eq!(house.refusal(answer(&asked, CODES[0])).await, FactorRefusal::Locked);
    assert_eq!(house.refusal(with_password("s3cre7")).await, FactorRefusal::Locked);
    house.factors.reset(&factor.serial).await.unwrap();
    house.login(answer(&asked, CODES[0])).await.unwrap();
}

#[tokio::test]
async fn an_api_whose_operator_says_so_asks_for_no_factor() {
    let house = House::new().await;
    enroll(&house, None).await;
    let request = LoginRequest {
        factors: FactorRule::Never,
        ..with_password("s3cre7")
    };
    house.login(request).await.unwrap();
}

/// A house whose backend can say who alice is.
async fn house_that_finds() -> House {
    let mut house = House::new().await;
    let id = house.alice.id;
    let backend = FakeBackend::new(move |request| match &request.step {
        Step::Start {
            credential: Credential::Password(password),
            ..
        } if *password == "s3cre7".into() => Ok(Outcome::Verified(principal(Subject::Directory(id), "alice"))),
        _ => Ok(Outcome::Refused(Refusal::WrongCredential)),
    });
    let backend = backend.finds(move |request| match &request.key {
        LookupKey::Identifier(name) if name == "alice" => Ok(Found::Principal(principal(Subject::Found(id), "alice"))),
        _ => Ok(Found::Refused(Refusal::UnknownIdentifier)),
    });
    house.backend = Arc::new(backend);
    house
        .backends
        .add("found", Arc::clone(&house.backend) as Arc<_>)
        .unwrap();
    house
}

fn by_pin(password: &str) -> LoginRequest {
    LoginRequest {
        backend: "found".to_owned(),
        factors: FactorRule::PinAndOtp {
            challenges: true,
            passthru: true,
        },
        ..with_password(password)
    }
}

#[tokio::test]
async fn a_pin_and_a_one_time_password_decide_where_the_rule_says_so() {
    let house = house_that_finds().await;
    enroll(&house, Some("1234")).await;
    house.login(by_pin("1234755224")).await.unwrap();
    assert_eq!(house.refusal(by_pin("9999287082")).await, FactorRefusal::WrongPin);
    assert!(
        house.backend.calls().is_empty(),
        "the backend's password was not asked for"
    );
    let asked = house.asked(by_pin("1234")).await;
    let answered = LoginRequest {
        transaction: Some(asked.transaction),
        ..by_pin(CODES[2])
    };
    house.login(answered).await.unwrap();
}

#[tokio::test]
async fn a_challenge_of_a_pin_is_no_proof_where_the_password_is_asked_for() {
    let house = house_that_finds().await;
    enroll(&house, Some("1234")).await;
    let asked = house.asked(by_pin("1234")).await;
    let elsewhere = LoginRequest {
        backend: "found".to_owned(),
        ..answer(&asked, CODES[0])
    };
    assert!(is_refused(&house.login(elsewhere).await));
}

#[tokio::test]
async fn who_has_no_factor_passes_through_with_the_password() {
    let house = house_that_finds().await;
    house.login(by_pin("s3cre7")).await.unwrap();
    let strict = LoginRequest {
        factors: FactorRule::PinAndOtp {
            challenges: true,
            passthru: false,
        },
        ..by_pin("s3cre7")
    };
    assert!(is_refused(&house.login(strict).await));
}

#[tokio::test]
async fn who_has_a_factor_that_is_switched_off_does_not_pass_through() {
    let house = house_that_finds().await;
    let factor = enroll(&house, Some("1234")).await;
    for state in [FactorState::Disabled, FactorState::Revoked] {
        house.factors.set_state(&factor.serial, state).await.unwrap();
        assert!(is_refused(&house.login(by_pin("s3cre7")).await), "{state:?}");
    }
    house.factors.remove(&factor.serial).await.unwrap();
    house.login(by_pin("s3cre7")).await.unwrap();
}

#[tokio::test]
async fn an_unknown_user_costs_what_a_wrong_one_time_password_costs() {
    let house = house_that_finds().await;
    enroll(&house, None).await;
    let rules = [
        FactorRule::OtpOnly { passthru: false },
        FactorRule::PinAndOtp {
            challenges: true,
            passthru: false,
        },
    ];
    for factors in rules {
        for password in ["000000", "longer000000"] {
            let mut costs = Vec::new();
            for name in ["alice", "nobody"] {
                let before = house.passwords.computed();
                let request = LoginRequest {
                    credentials: Some((name.to_owned(), Credential::Password(password.into()))),
                    factors,
                    ..by_pin("")
                };
                house.login(request).await.unwrap_err();
                costs.push(house.passwords.computed() - before);
            }
            assert_eq!(costs[0], costs[1], "{factors:?} {password}");
            assert!(costs[0] > 0, "{factors:?} {password}");
        }
    }
}

#[tokio::test]
async fn who_has_no_factor_is_refused_where_one_is_required() {
    let house = House::new().await;
    let required = |password| LoginRequest {
        factors: FactorRule::Required,
        ..with_password(password)
    };
    assert!(is_refused(&house.login(required("s3cre7")).await));
    enroll(&house, None).await;
    house.login(required("s3cre7755224")).await.unwrap();
    let asked = house.asked(required("s3cre7")).await;
    assert!(
        is_refused(&house.login(answer(&asked, CODES[1])).await),
        "under a rule that asks for less"
    );
}

#[tokio::test]
async fn a_challenge_is_answered_in_the_realm_that_was_named() {
    let house = House::new().await;
    enroll(&house, None).await;
    let of = |realm: Option<&str>, request: LoginRequest| LoginRequest {
        attributes: realm
            .map(|realm| (REQUESTED_REALM.to_owned(), realm.to_owned()))
            .into_iter()
            .collect(),
        ..request
    };
    let asked = house.asked(of(Some("one"), with_password("s3cre7"))).await;
    for realm in [None, Some("two")] {
        let elsewhere = of(realm, answer(&asked, CODES[0]));
        assert!(is_refused(&house.login(elsewhere).await), "{realm:?}");
    }
    house.login(of(Some("one"), answer(&asked, CODES[0]))).await.unwrap();
}

#[tokio::test]
async fn a_challenge_of_some_factors_is_answered_by_no_other() {
    let house = house_that_finds().await;
    let (meant, other) = (enroll(&house, Some("1234")).await, enroll(&house, None).await);
    let whom = house.service.find_whom("found", "alice", RequestContext::default());
    let whom = whom.await.unwrap().unwrap();
    let request = by_pin("");
    let serials = [meant.serial.clone()];
    let asked = house.service.challenge_of(&request, "alice", whom, &serials);
    let asked = asked.await.unwrap().unwrap();
    let known: Vec<_> = asked.factors.iter().map(|factor| factor.serial.as_str()).collect();
    assert_eq!(known, [meant.serial.as_str()]);
    // Both devices show the same; the one that was not meant is not looked at.
    let answered = LoginRequest {
        transaction: Some(asked.transaction),
        ..by_pin(CODES[0])
    };
    house.login(answered).await.unwrap();
    assert_eq!(house.factors.get(&other.serial).await.unwrap().counter, 0);
    assert_eq!(house.factors.get(&meant.serial).await.unwrap().counter, 1);
}

#[tokio::test]
async fn who_is_found_without_a_password_does_not_log_in_by_that() {
    let house = House::new().await;
    let id = house.alice.id;
    house.add_backend(move || Ok(Outcome::Verified(principal(Subject::Found(id), "alice"))));
    assert!(is_refused(&house.login(login("own")).await));
}

#[tokio::test]
async fn a_proof_opens_no_session() {
    let house = House::new().await;
    enroll(&house, None).await;
    let ProofOutcome::Proved(proved) = house.service.prove(with_password("s3cre7755224")).await.unwrap() else {
        panic!("another step is wanted");
    };
    assert_eq!(proved.identity.user, Some(house.alice.id));
    assert!(proved.factor.is_some());
    assert_eq!(house.store.session_count(), 0);
}

#[tokio::test]
async fn a_backends_own_challenge_comes_back_to_it_once() {
    let house = House::new().await;
    let backend = Arc::new(FakeBackend::new(|request| match &request.step {
        Step::Start { .. } => Ok(Outcome::Challenged(Challenge {
            kind: ChallengeKind::Otp,
            prompt: "code?".to_owned(),
            state: vec![1, 2, 3],
            attributes: Vec::new(),
        })),
        Step::Answer { state, response } if *state == [1, 2, 3] && *response == "42".into() => {
            Ok(Outcome::Verified(principal(Subject::Own("carol".to_owned()), "carol")))
        }
        Step::Answer { .. } => Ok(Outcome::Refused(Refusal::WrongCredential)),
    }));
    house.backends.add("own", Arc::clone(&backend) as Arc<_>).unwrap();
    let asked = house.asked(login("own")).await;
    assert_eq!(asked.prompt, "code?");
    assert!(is_refused(&house.login(answer(&asked, "41")).await));
    assert!(
        is_refused(&house.login(answer(&asked, "42")).await),
        "it is good for one answer"
    );
    let asked = house.asked(login("own")).await;
    let issued = house.login(answer(&asked, "42")).await.unwrap();
    assert_eq!(issued.live.record.session.identity.backend.as_str(), "own");
}

#[tokio::test]
async fn somebody_of_another_backend_is_the_same_through_both() {
    let house = House::new().await;
    let corp = crate::model::BackendName::parse("corp").unwrap();
    let delegated = Subject::Delegated {
        backend: corp,
        subject: "uuid-1".to_owned(),
    };
    house.add_backend(move || Ok(Outcome::Verified(principal(delegated.clone(), "dora"))));
    let direct = FakeBackend::new(|_| Ok(Outcome::Verified(principal(Subject::Own("uuid-1".to_owned()), "dora"))));
    house.backends.add("corp", Arc::new(direct)).unwrap();
    let identity = |issued: IssuedToken| issued.live.record.session.identity.clone();
    let through = identity(house.login(login("own")).await.unwrap());
    let directly = identity(house.login(login("corp")).await.unwrap());
    assert_eq!(through, directly);
}

#[tokio::test]
async fn a_challenge_is_overtaken_by_a_new_password() {
    let house = House::new().await;
    enroll(&house, None).await;
    let asked = house.asked(with_password("s3cre7")).await;
    let target = crate::port::RevokeTarget::Identity(house.alice.id.into());
    house.service.revoke_all(&target).await.unwrap();
    assert!(is_refused(&house.login(answer(&asked, CODES[0])).await));
}

#[test]
fn the_principal_type_that_is_sealed_has_no_field_left_out() {
    let whole = Principal {
        display_name: Some("Alice".to_owned()),
        email: Some("alice@example.org".to_owned()),
        groups: vec!["g".to_owned()],
        accesses: vec!["a".to_owned()],
        attributes: vec![("k".to_owned(), "v".to_owned())],
        ..principal(Subject::Own("alice".to_owned()), "alice")
    };
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(serde_json::from_str::<Principal>(&text).unwrap(), whole);
}

#[tokio::test]
async fn the_limit_of_sessions_concerns_those_whom_it_is_to_concern() {
    let house = House::with_settings(TokenSettings {
        max_sessions: 1,
        ..settings()
    })
    .await;
    house.token().await;
    let more = house.login(login("wazo_user")).await;
    assert!(matches!(more, Err(TokenError::TooManySessions(_))), "{more:?}");
    let unlimited = LoginRequest {
        limited: false,
        ..login("wazo_user")
    };
    house.login(unlimited).await.unwrap();
}
