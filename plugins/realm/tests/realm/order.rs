//! Which resolver decides.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use keyway_sdk::testing::{MockBackend, MockHost, verifier};
use keyway_sdk::{Fault, Principal, Refusal, json};
use realm::Realm;
use serde_json::Value;

use super::{attribute, check_refused, verified, warned};

fn line(login: &str, password: &str, uid: &str) -> String {
    format!("{login}:{}:{uid}:1::/:/bin/sh\n", verifier(password))
}

fn config(members: &Value) -> Value {
    json!({
        "default_realm": "r",
        "realms": { "r": { "resolvers": members } },
        "resolvers": {
            "a": { "type": "passwd", "file": "a" },
            "b": { "type": "passwd", "file": "b" },
            "c": { "type": "passwd", "file": "c" },
            "broken": { "type": "passwd", "file": "gone" },
            "excused": { "type": "passwd", "file": "gone", "on_error": "skip" },
            "corp": { "type": "backend", "backend": "corp" },
            "mute": { "type": "backend", "backend": "mute", "on_error": "skip" }
        }
    })
}

/// Files that all know `carol`, with other passwords.
fn host(members: &Value) -> MockHost {
    let corp = || MockBackend::new().user("carol", "corp", Principal::own("c").login("carol"));
    MockHost::new()
        .config(config(members))
        .file("a", &line("carol", "pa", "1"))
        .file("b", &(line("carol", "pb", "1") + &line("bob", "pb", "2")))
        .file("c", &line("carol", "pc", "1"))
        .missing_file("gone")
        .backend("corp", corp())
        .backend("mute", corp().unavailable())
}

#[test]
fn the_lowest_priority_goes_first_then_the_name() {
    for (members, first) in [
        (json!([{ "name": "c" }, { "name": "b" }, { "name": "a" }]), "a"),
        (json!([{ "name": "a" }, { "name": "c", "priority": 1 }]), "c"),
        (
            json!([{ "name": "a", "priority": 2 }, { "name": "b", "priority": 1 }, { "name": "c", "priority": 10 }]),
            "b",
        ),
        (json!([{ "name": "a" }, { "name": "b", "priority": 999 }]), "b"),
        (json!([{ "name": "a" }, { "name": "b", "priority": 1000 }]), "a"),
        (json!([{ "name": "a" }, { "name": "b", "priority": 1001 }]), "a"),
        (
            json!([{ "name": "b", "priority": 0 }, { "name": "c", "priority": -1 }]),
            "c",
        ),
    ] {
        let carol = verified(host(&members).login::<Realm>("carol", &format!("p{first}")));
        assert_eq!(attribute(&carol, "realm.resolver"), first, "{members}");
    }
}

#[test]
fn the_first_that_knows_the_login_decides_and_no_other_is_asked_about_the_password() {
    let members = json!([{ "name": "a", "priority": 1 }, { "name": "b", "priority": 2 }]);
    check_refused(&host(&members), "carol", "pb", Refusal::WrongCredential);
    let bob = verified(host(&members).login::<Realm>("bob", "pb"));
    assert_eq!(attribute(&bob, "realm.resolver"), "b");
    check_refused(&host(&members), "erin", "pb", Refusal::UnknownIdentifier);
}

#[test]
fn a_resolver_that_does_not_work_stops_the_login_or_is_skipped() {
    let failing = host(&json!([{ "name": "broken", "priority": 1 }, { "name": "a" }]));
    let fault = Fault::unavailable("resolver `broken`: the file cannot be read");
    assert_eq!(failing.login::<Realm>("carol", "pa"), Err(fault));
    assert_eq!(warned(&failing, "broken").as_deref(), Some("a resolver does not work"));

    let skipping = host(&json!([{ "name": "excused", "priority": 1 }, { "name": "a" }]));
    verified(skipping.login::<Realm>("carol", "pa"));
    assert_eq!(
        warned(&skipping, "excused").as_deref(),
        Some("a resolver does not work")
    );

    let later = host(&json!([{ "name": "a", "priority": 1 }, { "name": "broken" }]));
    verified(later.login::<Realm>("carol", "pa"));
    assert!(later.login::<Realm>("erin", "pa").is_err());
}

#[test]
fn a_backend_that_is_down_is_a_resolver_that_does_not_work() {
    let host = host(&json!([{ "name": "mute", "priority": 1 }, { "name": "a" }]));
    verified(host.login::<Realm>("carol", "pa"));
    assert_eq!(warned(&host, "mute").as_deref(), Some("a resolver does not work"));
}

#[test]
fn a_resolver_without_a_grant_is_misconfigured() {
    let host = MockHost::new().config(config(&json!([{ "name": "a" }])));
    let fault = Fault::misconfigured("resolver `a`: `grants.file.a` is not granted");
    assert_eq!(host.login::<Realm>("carol", "pa"), Err(fault));
}

#[test]
fn where_no_password_can_be_compared_the_login_is_not_judged() {
    let host = host(&json!([{ "name": "a" }])).unavailable();
    assert!(matches!(host.login::<Realm>("carol", "pa"), Err(Fault::Unavailable(_))));
}

#[test]
fn a_stranger_costs_a_comparison_whatever_the_first_resolver_is() {
    let idp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = idp.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in idp.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let mut config = config(&json!([{ "name": "web", "priority": 1 }, { "name": "a", "priority": 2 }]));
    config["resolvers"]["web"] = json!({
        "type": "http", "endpoint": "idp", "path": "/", "body": ["{password}"], "find": { "path": "/{username}" }
    });
    let host = host(&json!([])).config(config).endpoint("idp", address);
    check_refused(&host, "erin", "pa", Refusal::UnknownIdentifier);
    check_refused(&host, "carol", "wrong", Refusal::WrongCredential);
}

#[test]
fn backends_that_cannot_tell_are_asked_once_each() {
    let backends = ["v", "w", "x", "y", "z"];
    let members: Vec<Value> = backends.iter().map(|name| json!({ "name": name })).collect();
    let resolver = |name: &&str| ((*name).to_owned(), json!({ "type": "backend", "backend": name }));
    let resolvers: serde_json::Map<String, Value> = backends.iter().map(resolver).collect();
    let config = json!({ "default_realm": "r", "realms": { "r": { "resolvers": members } }, "resolvers": resolvers });
    let host = backends.iter().fold(MockHost::new().config(config), |host, name| {
        host.backend(name, MockBackend::new().cannot_tell())
    });
    assert_eq!(
        host.login::<Realm>("erin", "s3cre7"),
        Ok(Refusal::UnknownIdentifier.into())
    );
    assert_eq!(host.delegations(), 5);
}

#[test]
fn a_realm_of_five_asks_no_other_backend_more_than_once_but_for_the_password() {
    let backends = ["v", "w", "x", "y", "z"];
    let members: Vec<Value> = backends.iter().map(|name| json!({ "name": name })).collect();
    let resolvers: serde_json::Map<String, Value> = backends
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "type": "backend", "backend": name })))
        .collect();
    let config = json!({ "default_realm": "r", "realms": { "r": { "resolvers": members } }, "resolvers": resolvers });
    let host = backends.iter().fold(MockHost::new().config(config), |host, name| {
        let double = MockBackend::new();
        host.backend(
            name,
            if *name == "z" {
                double.user("carol", "s3cre7", Principal::own("1"))
            } else {
                double
            },
        )
    });
    verified(host.login::<Realm>("carol", "s3cre7"));
    assert_eq!((host.delegations(), host.comparisons()), (6, 1));
    assert_eq!(
        host.login::<Realm>("erin", "s3cre7"),
        Ok(Refusal::UnknownIdentifier.into())
    );
    assert_eq!((host.delegations(), host.comparisons()), (6, 1));
}
