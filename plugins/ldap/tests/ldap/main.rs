//! The plugin against an LDAP server of the test's own.

// It always is; the lints that spare tests go by it.
#![cfg(test)]

mod change_password;
mod fail;
mod groups;
mod link;
mod log_in;
mod look_up;
mod readme;
mod refuse;
mod server;

use keyway_sdk::testing::MockHost;
use keyway_sdk::{Capability, Fault, Outcome, Principal, json};
use ldap::Ldap;
use server::{GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Server};

/// A host whose backend searches as the service.
fn searching(server: &Server, more: serde_json::Value) -> MockHost {
    let config = with(json!({ "user_base_dn": PEOPLE, "bind_dn": SERVICE }), more);
    reaching(server)
        .config(config)
        .secret("bind_password", SERVICE_PASSWORD)
}

/// A host whose backend has no service.
fn direct(server: &Server, more: serde_json::Value) -> MockHost {
    reaching(server).config(with(json!({ "user_base_dn": PEOPLE }), more))
}

/// Both of them.
fn both(server: &Server) -> [MockHost; 2] {
    [searching(server, json!({})), direct(server, json!({}))]
}

fn reaching(server: &Server) -> MockHost {
    MockHost::new()
        .grant(Capability::CredentialExpose)
        .endpoint("directory", server.address)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads best as `with(json!({ .. }), json!({ .. }))`"
)]
fn with(mut config: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

#[track_caller]
fn principal(outcome: Result<Outcome, Fault>) -> Principal {
    match outcome {
        Ok(Outcome::Verified(principal)) => principal,
        other => panic!("not verified: {other:?}"),
    }
}

/// The message of a fault.
#[track_caller]
fn fault(outcome: Result<Outcome, Fault>) -> String {
    match outcome {
        Err(fault) => format!("{fault:?}"),
        other => panic!("no fault: {other:?}"),
    }
}

/// A login with the right password.
#[track_caller]
fn alice(host: &MockHost) -> Principal {
    principal(host.login::<Ldap>("alice", "s3cre7"))
}
