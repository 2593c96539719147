//! Whom a name means.

use keyway_sdk::testing::{MockHost, verifier};
use keyway_sdk::{Outcome, Refusal, json};
use realm::Realm;

use super::{attribute, verified};

fn file(logins: &[(&str, &str)]) -> String {
    let line = |(number, (login, password)): (usize, &(&str, &str))| {
        format!("{login}:{}:{number}:1::/:/bin/sh\n", verifier(password))
    };
    logins.iter().enumerate().map(line).collect()
}

/// `carol` is somebody in each of two realms, and there is a login with an `@` in it.
fn host() -> MockHost {
    MockHost::new()
        .config(json!({
            "default_realm": "Realm1",
            "realms": { "realm1": { "resolvers": [{ "name": "one" }] }, "Realm2": { "resolvers": [{ "name": "two" }] } },
            "resolvers": { "one": { "type": "passwd", "file": "one" }, "two": { "type": "passwd", "file": "two" } }
        }))
        .file("one", &file(&[("carol", "p1"), ("carol@nosuch", "at"), ("realm2\\dave", "back")]))
        .file("two", &file(&[("carol", "p2"), ("erin@example.org", "p2")]))
}

fn asking(host: MockHost, realm: &str) -> MockHost {
    host.context(|context| {
        context.attributes.insert("realm".to_owned(), realm.to_owned());
    })
}

#[test]
fn a_name_means_somebody_of_a_realm() {
    for (identifier, password, realm, login) in [
        ("carol", "p1", "realm1", "carol"),
        ("carol@realm2", "p2", "realm2", "carol"),
        ("carol@REALM2", "p2", "realm2", "carol"),
        ("carol@nosuch", "at", "realm1", "carol@nosuch"),
        ("erin@example.org@realm2", "p2", "realm2", "erin@example.org"),
        ("realm2\\carol", "p2", "realm2", "carol"),
        ("RealM2\\carol", "p2", "realm2", "carol"),
        ("\\carol", "p1", "realm1", "carol"),
    ] {
        let carol = verified(host().login::<Realm>(identifier, password));
        assert_eq!(
            (attribute(&carol, "realm.name"), carol.login.as_str()),
            (realm, login),
            "{identifier}"
        );
    }
}

#[test]
fn a_realm_that_is_asked_for_goes_before_the_one_in_the_name() {
    for (realm, identifier, password) in [
        ("realm2", "carol", "p2"),
        ("REALM2", "carol", "p2"),
        ("realm2", "carol@realm1", "p2"),
        ("realm1", "realm2\\carol", "p1"),
        ("realm2", "nosuch\\carol", "p2"),
        ("realm2", "erin@example.org", "p2"),
        ("", "carol", "p1"),
        ("", "carol@realm2", "p2"),
    ] {
        let outcome = asking(host(), realm).login::<Realm>(identifier, password);
        assert!(
            matches!(outcome, Ok(Outcome::Verified(_))),
            "{realm} {identifier}: {outcome:?}"
        );
    }
}

#[test]
fn an_unknown_realm_is_refused_before_any_password() {
    for (realm, identifier) in [("nosuch", "carol"), ("nosuch", "carol@realm1"), ("", "nosuch\\carol")] {
        let host = asking(host(), realm);
        assert_eq!(
            host.login::<Realm>(identifier, "p1"),
            Ok(Refusal::UnknownIdentifier.into())
        );
        assert_eq!(host.comparisons(), 0);
    }
}

#[test]
fn a_name_without_a_login_is_nobodys() {
    for identifier in ["@realm1", "realm1\\", "\\"] {
        assert_eq!(
            host().login::<Realm>(identifier, "p1"),
            Ok(Refusal::UnknownIdentifier.into())
        );
    }
}

#[test]
fn without_a_default_realm_a_realm_must_be_named() {
    let host = host().config(json!({
        "realms": { "realm1": { "resolvers": [{ "name": "one" }] } },
        "resolvers": { "one": { "type": "passwd", "file": "one" } }
    }));
    assert_eq!(
        host.login::<Realm>("carol", "p1"),
        Ok(Refusal::UnknownIdentifier.into())
    );
    verified(host.login::<Realm>("carol@realm1", "p1"));
    verified(asking(host, "realm1").login::<Realm>("carol", "p1"));
}

#[test]
fn names_are_left_whole_where_the_operator_says_so() {
    let host = host().config(json!({
        "default_realm": "realm1",
        "split_at_sign": false,
        "realms": { "realm1": { "resolvers": [{ "name": "one" }] }, "realm2": { "resolvers": [{ "name": "two" }] } },
        "resolvers": { "one": { "type": "passwd", "file": "one" }, "two": { "type": "passwd", "file": "two" } }
    }));
    assert_eq!(
        host.login::<Realm>("carol@realm2", "p2"),
        Ok(Refusal::UnknownIdentifier.into())
    );
    assert_eq!(
        verified(host.login::<Realm>("realm2\\dave", "back")).login,
        "realm2\\dave"
    );
    verified(asking(host, "realm2").login::<Realm>("carol", "p2"));
}

#[test]
fn nothing_but_passwords_is_verified() {
    let otp = keyway_sdk::testing::MockCredential::Otp("123456".to_owned());
    assert_eq!(
        host().present::<Realm>("carol", otp),
        Ok(Refusal::UnsupportedCredential.into())
    );
}
