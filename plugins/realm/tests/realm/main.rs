//! What the backend promises, tested on a `MockHost`: one rule each.

mod backends;
mod configuration;
mod directories;
mod files;
mod health;
mod hostile;
mod look_up;
mod names;
mod order;
mod readme;
mod search;
mod services;
mod tables;

use keyway_sdk::testing::MockHost;
use keyway_sdk::{Fault, Found, Outcome, Principal, Refusal};
use realm::Realm;

#[track_caller]
#[expect(clippy::panic, reason = "a test's own assertion")]
fn verified(outcome: Result<Outcome, Fault>) -> Principal {
    match outcome {
        Ok(Outcome::Verified(principal)) => principal,
        other => panic!("not verified: {other:?}"),
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "a test's own assertion")]
fn found(answer: Result<Found, Fault>) -> Principal {
    match answer {
        Ok(Found::Principal(principal)) => principal,
        other => panic!("not found: {other:?}"),
    }
}

/// Nobody is let in, and it cost one comparison.
#[track_caller]
fn check_refused(host: &MockHost, identifier: &str, password: &str, refusal: Refusal) {
    assert_eq!(
        host.login::<Realm>(identifier, password),
        Ok(refusal.into()),
        "{identifier}"
    );
    assert_eq!(host.comparisons(), 1, "{identifier}");
}

/// The message of a warning that names this resolver.
fn warned(host: &MockHost, resolver: &str) -> Option<String> {
    let lines = host.lines();
    let line = lines
        .iter()
        .find(|line| line.level == keyway_sdk::log::Level::Warn && line.field("resolver") == Some(resolver));
    line.map(|line| line.message.clone())
}

fn attribute<'a>(principal: &'a Principal, name: &str) -> &'a str {
    principal.attributes.get(name).map_or("", String::as_str)
}
