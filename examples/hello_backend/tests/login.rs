//! What the backend promises, tested without a server: `cargo test`.

use hello_backend::Hello;
use keyway_sdk::testing::{MockHost, verifier};
use keyway_sdk::{Outcome, Principal, Refusal, json};

fn host() -> MockHost {
    MockHost::new().config(json!({ "users": { "alice": verifier("s3cre7") } }))
}

#[test]
fn a_configured_user_logs_in() {
    assert_eq!(
        host().login::<Hello>("alice", "s3cre7"),
        Ok(Principal::own("alice").into())
    );
}

#[test]
fn a_wrong_password_and_an_unknown_user_cost_the_same() {
    for identifier in ["alice", "bob"] {
        let host = host();
        assert_eq!(
            host.login::<Hello>(identifier, "wrong"),
            Ok(Refusal::WrongCredential.into())
        );
        assert_eq!(host.comparisons(), 1);
    }
}

#[test]
fn the_greeting_becomes_an_attribute() {
    let config = json!({ "users": { "alice": verifier("s3cre7") }, "greeting": "good morning" });
    match MockHost::new().config(config).login::<Hello>("alice", "s3cre7") {
        Ok(Outcome::Verified(alice)) => assert_eq!(alice.attributes["greeting"], "good morning"),
        other => panic!("not verified: {other:?}"),
    }
}

#[test]
fn a_misspelt_key_is_a_problem_that_names_it() {
    let problems = host().check_config::<Hello>(&json!({ "user": {} })).unwrap_err();
    assert_eq!(problems[0].pointer, "/user");
    assert_eq!(
        problems[0].message,
        "unknown field `user`, expected `users` or `greeting`"
    );
}
