//! Resolvers of the type `backend`.

use keyway_sdk::testing::{MockBackend, MockHost};
use keyway_sdk::{Challenge, Fault, Outcome, Principal, Refusal, Subject, json};
use realm::Realm;
use serde_json::Value;

use super::{attribute, check_refused, verified};

fn corp() -> MockBackend {
    let carol = Principal::own("4711")
        .login("carol")
        .email("c@example.org")
        .groups(["staff"]);
    MockBackend::new()
        .user("carol", "s3cre7", carol.attribute("telephoneNumber", "+49 1"))
        .user("bob", "s3cre7", Principal::own("4712").login("bob"))
        .challenges("bob", "123456")
        .refuses("mallory", Refusal::Disabled)
}

fn config() -> Value {
    json!({
        "default_realm": "r",
        "realms": {
            "r": { "resolvers": [{ "name": "corp", "priority": 1 }, { "name": "next", "priority": 2 }] },
            "other": { "resolvers": [{ "name": "next" }] }
        },
        "resolvers": {
            "corp": { "type": "backend", "backend": "ldap_corp", "map": { "phone": "telephoneNumber", "mobile": "none" } },
            "next": { "type": "backend", "backend": "next" }
        }
    })
}

/// `next` knows `carol` too, by another password, and `erin`.
fn host(corp: MockBackend) -> MockHost {
    let next = MockBackend::new().user("carol", "next", Principal::own("1")).user(
        "erin",
        "next",
        Principal::own("2").login("erin"),
    );
    MockHost::new()
        .config(config())
        .backend("ldap_corp", corp)
        .backend("next", next)
}

#[test]
fn a_user_of_another_backend_is_that_user() {
    let carol = verified(host(corp()).login::<Realm>("carol", "s3cre7"));
    let subject = Subject::Delegated {
        backend: "ldap_corp".to_owned(),
        subject: "4711".to_owned(),
    };
    assert_eq!((carol.subject, carol.groups), (subject, vec!["staff".to_owned()]));
    let told: Vec<(&str, &str)> = carol
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("email", "c@example.org"),
            ("phone", "+49 1"),
            ("realm.name", "r"),
            ("realm.resolver", "corp"),
            ("realm.userid", "4711"),
            ("telephoneNumber", "+49 1"),
        ]
    );
}

#[test]
fn neither_a_hash_nor_more_than_the_host_keeps_is_told_of() {
    let mut carol = Principal::own("4711").login("carol").groups(["x".repeat(8_000)]);
    for (name, value) in [
        ("telephoneNumber", "{SSHA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA=="),
        ("userPassword", "$6$saltstring$zCnBvulZNStdCPxo9TYAqz"),
        ("none", "{crypt}$1$abcdefgh$vr8.8qoOObXiQ0E4Ff5im0"),
        ("title", "{boss} costs $5"),
    ] {
        carol = carol.attribute(name, value);
    }
    for number in 0..10 {
        carol = carol.attribute(format!("a{number}"), "x".repeat(1_000));
    }
    let carol = verified(host(MockBackend::new().user("carol", "s3cre7", carol)).login::<Realm>("carol", "s3cre7"));
    let told: Vec<&str> = carol.attributes.keys().map(String::as_str).collect();
    assert_eq!(
        told,
        [
            "a0",
            "a1",
            "a2",
            "realm.name",
            "realm.resolver",
            "realm.userid",
            "title"
        ]
    );
}

#[test]
fn the_first_backend_that_knows_the_login_decides() {
    check_refused(&host(corp()), "carol", "next", Refusal::WrongCredential);
    check_refused(&host(corp()), "mallory", "s3cre7", Refusal::Disabled);
    check_refused(&host(corp()), "nobody", "s3cre7", Refusal::UnknownIdentifier);
    let erin = verified(host(corp()).login::<Realm>("erin", "next"));
    assert_eq!(attribute(&erin, "realm.resolver"), "next");
}

#[test]
fn a_backend_that_cannot_tell_is_asked_with_the_password() {
    let mute = || host(corp().cannot_tell());
    verified(mute().login::<Realm>("carol", "s3cre7"));
    assert_eq!(
        mute().login::<Realm>("carol", "next"),
        Ok(Refusal::WrongCredential.into())
    );
    assert_eq!(mute().login::<Realm>("mallory", "s3cre7"), Ok(Refusal::Disabled.into()));
    let erin = verified(mute().login::<Realm>("erin", "next"));
    assert_eq!(attribute(&erin, "realm.resolver"), "next");
}

#[test]
fn another_backends_challenge_is_answered_where_it_was_made() {
    let host = host(corp());
    let Ok(Outcome::Challenged(challenge)) = host.login::<Realm>("bob", "s3cre7") else {
        panic!("no challenge")
    };
    assert_eq!(challenge.state, b"r\0corp\0bob");
    let bob = verified(host.answer::<Realm>(&challenge, "123456"));
    assert_eq!(
        (
            bob.login.as_str(),
            attribute(&bob, "realm.name"),
            attribute(&bob, "realm.resolver")
        ),
        ("bob", "r", "corp")
    );
    assert_eq!(
        host.answer::<Realm>(&challenge, "000000"),
        Ok(Refusal::WrongCredential.into())
    );
}

#[test]
fn an_answer_to_what_is_configured_no_more_is_refused() {
    let host = host(corp());
    let state = |state: &[u8]| Challenge::new(keyway_sdk::ChallengeKind::Otp, "").state(state);
    for bad in [
        b"gone\0corp\0bob".as_slice(),
        b"r\0gone\0bob",
        b"other\0corp\0bob",
        b"r",
        b"",
        b"\xff\0\xff\0",
    ] {
        let answer = host.answer::<Realm>(&state(bad), "123456");
        assert_eq!(answer, Ok(Refusal::UnknownIdentifier.into()), "{bad:?}");
    }
}

#[test]
fn a_backend_that_fails_over_a_password_decided_nothing() {
    let host = host(corp().unavailable());
    let fault = Fault::unavailable("resolver `corp`: the other backend does not answer");
    assert_eq!(host.login::<Realm>("erin", "next"), Err(fault));
}
