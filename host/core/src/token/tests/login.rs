//! Logins.

use super::*;
use crate::gate::GateLimits;
use crate::model::{Challenge, ChallengeKind, DigestAlgorithm, PluginDigest};
use crate::port::Step;

fn own(subject: &str) -> Outcome {
    Outcome::Verified(principal(Subject::Own(subject.to_owned()), "bob"))
}

/// What a backend gets wrong about a principal.
type Case = (&'static str, fn(&mut Principal));

fn is_broken(error: &TokenError) -> bool {
    matches!(
        error,
        TokenError::Backend {
            fault: BackendFault::Broken(_),
            ..
        }
    )
}

#[tokio::test]
async fn a_verified_directory_user_gets_a_durable_token() {
    let house = House::new().await;
    let issued = house.token().await;
    let record = &issued.live.record;
    assert_eq!(record.session.identity.user, Some(house.alice.id));
    assert_eq!(record.session.identity.id, house.alice.id.into());
    assert_eq!(record.session.identity.login, "Alice", "in the directory's spelling");
    assert_eq!(record.session.plugin, PluginDigest([7; 32]));
    assert_eq!(record.token.issued_at, house.clock.now());
    assert_eq!(record.token.expires_at, house.clock.now().plus(Duration::from_hours(2)));
    assert_eq!(house.store.token_count(), 1);
    house.cache.forget_all();
    assert!(house.is_good(&issued.value).await, "from the store");
}

#[tokio::test]
async fn a_backend_is_told_where_the_request_comes_from() {
    let house = House::new().await;
    let mut request = login("xivo_user");
    request.tenant = Some("example.org".to_owned());
    request.client.address = Some("192.0.2.1".to_owned());
    request.attributes = vec![("wazo.session-type".to_owned(), "mobile".to_owned())];
    let issued = house.login(request).await.unwrap();
    let calls = house.backend.calls();
    let context = &calls.first().unwrap().context;
    assert_eq!(context.request_id, "request-1");
    assert_eq!(context.dialect, "wazo");
    assert_eq!(context.tenant.as_deref(), Some("example.org"));
    assert_eq!(context.client_address.as_deref(), Some("192.0.2.1"));
    assert_eq!(context.attributes, issued.live.record.session.attributes);
    assert_eq!(
        issued.live.record.session.identity.backend.as_str(),
        "wazo_user",
        "an alias is no name"
    );
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let house = House::new().await;
    let mut request = login("wazo_user");
    request.credentials = Some(("alice".to_owned(), Credential::Password("wrong".into())));
    let refused = house.login(request).await.unwrap_err();
    assert!(matches!(refused, TokenError::Refused(Refusal::WrongCredential)));
    assert_eq!(house.store.token_count(), 0);
}

#[tokio::test]
async fn a_login_that_no_backend_judges_costs_one_computation() {
    let house = House::new().await;
    let unknown = house.login(login("nope")).await.unwrap_err();
    assert!(matches!(unknown, TokenError::UnknownBackend(name) if name == "nope"));
    assert_eq!(house.passwords.computed(), 1);

    let mut request = login("wazo_user");
    request.credentials = None;
    assert!(matches!(
        house.login(request).await.unwrap_err(),
        TokenError::NoCredential
    ));
    assert_eq!(house.passwords.computed(), 2);

    let mut request = login("nope");
    request.credentials = None;
    assert!(matches!(
        house.login(request).await.unwrap_err(),
        TokenError::UnknownBackend(_)
    ));
    assert_eq!(house.passwords.computed(), 3);

    for identifier in [String::new(), "x".repeat(1025)] {
        let mut request = login("wazo_user");
        request.credentials = Some((identifier, Credential::Password("s3cre7".into())));
        let refused = house.login(request).await.unwrap_err();
        assert!(matches!(refused, TokenError::Refused(Refusal::UnknownIdentifier)));
    }
    assert_eq!(house.passwords.computed(), 5);
    assert!(house.backend.calls().is_empty());
}

#[tokio::test]
async fn a_saturated_pool_is_no_refusal() {
    let house = House::new().await;
    let slow = crate::password::PasswordParams {
        iterations: 20_000,
        ..crate::testing::CHEAP
    };
    let pool = Arc::new(PasswordPool::for_tests(slow, 1, 0, Arc::new(SystemRandom)).unwrap());
    let service = house.another_service(&pool).await;
    let secret: Secret<Vec<u8>> = "x".into();
    let (busy, result) = tokio::join!(
        pool.burn(&crate::password::Share::Unjudged, &secret),
        service.login(login("nope"))
    );
    assert!(busy.is_ok());
    assert!(matches!(result, Err(TokenError::Saturated)));
}

#[tokio::test]
async fn a_life_out_of_range_is_refused_before_anything_is_asked() {
    let house = House::new().await;
    let day = Duration::from_hours(24);
    for ttl in [Duration::ZERO, Duration::from_millis(999), day + Duration::from_secs(1)] {
        let mut request = login("wazo_user");
        request.ttl = Some(ttl);
        let refused = house.login(request).await.unwrap_err();
        assert!(
            matches!(refused, TokenError::TtlOutOfRange { max } if max == day),
            "{ttl:?}"
        );
    }
    assert!(house.backend.calls().is_empty());
    for ttl in [Duration::from_secs(1), day] {
        let mut request = login("wazo_user");
        request.ttl = Some(ttl);
        let token = house.login(request).await.unwrap().live.record.token.clone();
        assert_eq!(token.expires_at, token.issued_at.plus(ttl));
    }
}

#[tokio::test]
async fn a_user_who_is_gone_or_disabled_is_refused() {
    let house = House::new().await;
    let disabled = User {
        enabled: false,
        ..house.alice.clone()
    };
    house.store.replace_user(disabled);
    let refused = house.login(login("wazo_user")).await.unwrap_err();
    assert!(matches!(refused, TokenError::Refused(Refusal::Disabled)));
    house.store.remove_user(house.alice.id).await.unwrap();
    let refused = house.login(login("wazo_user")).await.unwrap_err();
    assert!(matches!(refused, TokenError::Refused(Refusal::UnknownIdentifier)));
    assert_eq!(house.store.token_count(), 0);
}

#[tokio::test]
async fn a_subject_keeps_its_identity_and_shares_it_with_no_other_backend() {
    let house = House::new().await;
    house.add_backend(|| Ok(own("uid=bob")));
    let other = Arc::new(FakeBackend::new(|_| Ok(own("uid=bob"))));
    house.backends.add("other", other).unwrap();
    let first = house.login(login("own")).await.unwrap();
    let again = house.login(login("own")).await.unwrap();
    let foreign = house.login(login("other")).await.unwrap();
    let identity = |issued: &IssuedToken| issued.live.record.session.identity.clone();
    assert_eq!(identity(&first).id, identity(&again).id);
    assert_ne!(identity(&first).id, identity(&foreign).id);
    assert_eq!(identity(&first).user, None);
    assert_eq!(identity(&first).tenant, house.tenants.master().await.unwrap());
    assert_eq!(identity(&first).login, "bob");
}

#[tokio::test]
async fn a_token_holds_the_policies_and_what_the_ceiling_lets_through() {
    let house = House::new().await;
    let mut claims = principal(Subject::Directory(house.alice.id), "alice");
    claims.accesses = vec!["calls.read".to_owned(), "users.read".to_owned()];
    house.add_backend(move || Ok(Outcome::Verified(claims.clone())));
    house.add_policy("b", &["b.1", "b.2"], house.alice.id.into()).await;
    house.add_policy("a", &["a.1"], house.alice.id.into()).await;
    house.add_policy("c", &["c.1"], IdentityId(SystemRandom.uuid())).await;
    let accesses = async || {
        house
            .login(login("own"))
            .await
            .unwrap()
            .live
            .record
            .token
            .accesses
            .to_vec()
    };
    assert_eq!(accesses().await, ["a.1", "b.1", "b.2"]);
    house.backends.change("own", |slot| {
        slot.acl_ceiling = Some(vec!["calls.#".to_owned(), "!calls.delete".to_owned()].into());
    });
    assert_eq!(accesses().await, ["a.1", "b.1", "b.2", "calls.read", "!calls.delete"]);
}

#[tokio::test]
async fn the_backends_groups_have_the_policies_that_the_operator_gives_them() {
    let house = House::new().await;
    let mut claims = principal(Subject::Own("bob".to_owned()), "bob");
    claims.groups = vec!["staff".to_owned(), "admins".to_owned()];
    house.add_backend(move || Ok(Outcome::Verified(claims.clone())));
    house
        .add_policy("work", &["work.#"], IdentityId(SystemRandom.uuid()))
        .await;
    house
        .add_policy("rule", &["rule.#", "!work.late"], IdentityId(SystemRandom.uuid()))
        .await;
    let give = |table: &[(&str, &[&str])]| {
        let slugs = |slugs: &[&str]| slugs.iter().map(ToString::to_string).collect();
        let table = table
            .iter()
            .map(|(group, policies)| ((*group).to_owned(), slugs(policies)));
        let table = Arc::new(table.collect());
        house.backends.change("own", |slot| slot.group_policies = table);
    };
    let accesses = async || Ok::<_, TokenError>(house.login(login("own")).await?.live.record.token.accesses.to_vec());
    assert!(accesses().await.unwrap().is_empty());
    give(&[
        ("staff", &["work"]),
        ("admins", &["rule", "work"]),
        ("others", &["missing"]),
    ]);
    assert_eq!(accesses().await.unwrap(), ["rule.#", "!work.late", "work.#"]);
    // A policy that is not there may have been one that denies something.
    give(&[("staff", &["work"]), ("admins", &["missing"])]);
    assert!(matches!(
        accesses().await,
        Err(TokenError::Backend { fault: BackendFault::Misconfigured(reason), .. }) if reason.contains("`missing`")
    ));
}

#[tokio::test]
async fn the_hosts_own_groups_have_none_of_a_backends_policies() {
    let house = House::new().await;
    let mut claims = principal(Subject::Directory(house.alice.id), "alice");
    claims.groups = vec!["staff".to_owned()];
    house.add_backend(move || Ok(Outcome::Verified(claims.clone())));
    house
        .add_policy("work", &["work.#"], IdentityId(SystemRandom.uuid()))
        .await;
    house.backends.change("own", |slot| {
        slot.group_policies = Arc::new([("staff".to_owned(), vec!["work".to_owned()])].into());
    });
    let issued = house.login(login("own")).await.unwrap();
    let accesses = &issued.live.record.token.accesses;
    assert!(!accesses.contains(&"work.#".to_owned()), "{accesses:?}");
}

#[tokio::test]
async fn a_session_keeps_the_attributes_of_the_dialect_then_the_backend_then_the_groups() {
    let house = House::new().await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut claims = principal(Subject::Own("bob".to_owned()), "bob");
    claims.attributes = vec![pair("department", "sales")];
    claims.groups = vec!["staff".to_owned()];
    house.add_backend(move || Ok(Outcome::Verified(claims.clone())));
    let mut request = login("own");
    request.attributes = vec![pair("kept", "1"), pair("nul", "\0"), pair("long", &"x".repeat(5000))];
    let issued = house.login(request).await.unwrap();
    let expected = [
        pair("kept", "1"),
        pair("department", "sales"),
        pair(GROUP_ATTRIBUTE, "staff"),
    ];
    assert_eq!(issued.live.record.session.attributes, expected);
}

#[tokio::test]
async fn a_principal_beyond_the_bounds_is_a_fault() {
    let house = House::new().await;
    let cases: [Case; 8] = [
        ("empty subject", |p| p.subject = Subject::Own(String::new())),
        ("long subject", |p| p.subject = Subject::Own("x".repeat(256))),
        ("subject with NUL", |p| p.subject = Subject::Own("a\0b".to_owned())),
        ("long login", |p| p.login = "x".repeat(1025)),
        ("large attributes", |p| {
            p.attributes = vec![("a".to_owned(), "x".repeat(12 * 1024))];
        }),
        ("many groups", |p| p.groups = vec!["x".repeat(1024); 13]),
        ("group with NUL", |p| p.groups = vec!["a\0".to_owned()]),
        ("access with NUL", |p| p.accesses = vec!["a\0".to_owned()]),
    ];
    for (case, change) in cases {
        let mut claims = principal(Subject::Own("bob".to_owned()), "bob");
        change(&mut claims);
        house.add_backend(move || Ok(Outcome::Verified(claims.clone())));
        let fault = house.login(login("own")).await.unwrap_err();
        assert!(is_broken(&fault), "{case}: {fault:?}");
    }
    assert_eq!(house.store.token_count(), 0);
}

#[tokio::test]
async fn a_challenge_issues_nothing() {
    let house = House::new().await;
    let challenge = Challenge {
        kind: ChallengeKind::Otp,
        prompt: "code?".to_owned(),
        state: vec![1],
        attributes: Vec::new(),
    };
    house.add_backend(move || Ok(Outcome::Challenged(challenge.clone())));
    let outcome = house.service.login(login("own")).await.unwrap();
    assert!(matches!(outcome, LoginOutcome::Challenged(asked) if asked.prompt == "code?"));
    assert_eq!(house.store.session_count(), 0);
}

#[tokio::test]
async fn faults_open_the_breaker_which_names_the_backend() {
    let house = House::new().await;
    let backend = house.add_backend(|| Err(BackendFault::Unavailable("ldap is away".to_owned())));
    house.backends.change("own", |slot| {
        slot.gate.set_limits(GateLimits {
            breaker_faults: 2,
            ..GateLimits::default()
        });
    });
    for _ in 0..3 {
        let failed = house.login(login("own")).await.unwrap_err();
        assert!(matches!(failed, TokenError::Backend { backend, .. } if backend == "own"));
    }
    assert_eq!(backend.calls().len(), 2, "the third met the open breaker");
    assert!(
        house.login(login("wazo_user")).await.is_ok(),
        "the others are not concerned"
    );
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_does_not_answer_is_given_up_a_little_after_its_deadline() {
    let house = House::new().await;
    let slow = FakeBackend::new(|_| Ok(own("bob"))).slow(Duration::from_hours(1));
    house.backends.add("slow", Arc::new(slow)).unwrap();
    let start = tokio::time::Instant::now();
    let failed = house.login(login("slow")).await.unwrap_err();
    let deadline = Duration::from_secs(5);
    assert!(
        matches!(&failed, TokenError::Backend { fault: BackendFault::DeadlineExceeded(after), .. } if *after == deadline),
        "{failed:?}"
    );
    assert!((deadline..deadline + Duration::from_secs(1)).contains(&start.elapsed()));
}

#[tokio::test]
async fn a_store_that_is_down_issues_nothing() {
    let house = House::new().await;
    house.store.set_down(true);
    assert!(matches!(
        house.login(login("wazo_user")).await,
        Err(TokenError::Store(_))
    ));
    house.store.set_down(false);
    assert_eq!((house.store.token_count(), house.store.session_count()), (0, 0));
}

#[tokio::test]
async fn a_backend_gets_the_first_step_with_the_identifier_as_it_was_written() {
    let house = House::new().await;
    let mut request = login("wazo_user");
    request.credentials = Some((" ALICE ".to_owned(), Credential::Password("s3cre7".into())));
    house.login(request).await.unwrap();
    let calls = house.backend.calls();
    assert!(matches!(&calls.first().unwrap().step, Step::Start { identifier, .. } if identifier == " ALICE "));
}

#[tokio::test]
async fn a_digest_is_handed_to_the_backend_without_a_name() {
    let house = House::new().await;
    let id = house.alice.id;
    let backend = Arc::new(FakeBackend::new(move |request| match &request.step {
        Step::Start {
            credential: Credential::Digest { algorithm, value },
            ..
        } if *value == "0cc1".into() && *algorithm == DigestAlgorithm::Md5 => {
            Ok(Outcome::Verified(principal(Subject::Directory(id), "alice")))
        }
        _ => Ok(Outcome::Refused(Refusal::UnsupportedCredential)),
    }));
    house.backends.add("digests", Arc::clone(&backend) as Arc<_>).unwrap();
    let unnamed = |credential| LoginRequest {
        credentials: Some((String::new(), credential)),
        ..login("digests")
    };
    let issued = house
        .login(unnamed(Credential::Digest {
            algorithm: DigestAlgorithm::Md5,
            value: "0cc1".into(),
        }))
        .await
        .unwrap();
    assert_eq!(issued.live.record.session.identity.login, "Alice");
    assert!(house.is_good(&issued.value).await);
    for credential in [
        Credential::Password("0cc1".into()),
        Credential::Otp("0cc1".into()),
        Credential::ApiKey("0cc1".into()),
    ] {
        let refused = house.login(unnamed(credential)).await.unwrap_err();
        assert!(matches!(refused, TokenError::Refused(Refusal::UnknownIdentifier)));
    }
    let calls = backend.calls();
    assert_eq!(calls.len(), 1);
    assert!(matches!(&calls[0].step, Step::Start { identifier, .. } if identifier.is_empty()));
}
