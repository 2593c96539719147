//! Resolvers of the type `directory`.

use keyway_sdk::testing::{MockHost, MockUser};
use keyway_sdk::{Refusal, Subject, json};
use realm::Realm;
use serde_json::Value;

use super::{attribute, check_refused, verified};

fn host(resolver: &Value) -> MockHost {
    MockHost::new()
        .config(json!({
            "default_realm": "r",
            "realms": { "r": { "resolvers": [{ "name": "local" }] } },
            "resolvers": { "local": resolver }
        }))
        .add_user(
            MockUser::new("alice")
                .password("s3cre7")
                .email("alice@example.org")
                .groups(["staff"]),
        )
        .add_user(MockUser::new("alice").password("other").tenant("acme"))
        .add_user(MockUser::new("bob").password("s3cre7").email("bob@example.org"))
        .add_user(MockUser::new("mallory").password("s3cre7").disabled())
}

#[test]
fn a_user_of_the_directory_is_that_user() {
    let host = host(&json!({ "type": "directory" }));
    for identifier in ["BOB", "bob@example.org", "bob@example.org@r"] {
        let bob = verified(host.login::<Realm>(identifier, "s3cre7"));
        assert_eq!(bob.subject, Subject::Directory("user-bob-master".to_owned()));
        assert_eq!(
            (bob.login.as_str(), attribute(&bob, "realm.userid")),
            ("bob", "user-bob-master")
        );
        assert_eq!(attribute(&bob, "email"), "bob@example.org");
    }
}

#[test]
fn whoever_it_is_costs_one_comparison() {
    let host = host(&json!({ "type": "directory" }));
    check_refused(&host, "bob", "wrong", Refusal::WrongCredential);
    check_refused(&host, "erin", "s3cre7", Refusal::UnknownIdentifier);
    check_refused(&host, "mallory", "s3cre7", Refusal::Disabled);
    check_refused(&host, "alice", "s3cre7", Refusal::Ambiguous);
}

#[test]
fn the_tenant_is_the_resolvers_else_the_callers() {
    let of_acme = host(&json!({ "type": "directory", "tenant": "acme" }));
    let calling = |host: MockHost, tenant: &str| host.context(|context| context.tenant = Some(tenant.to_owned()));
    let alice = verified(calling(of_acme, "master").login::<Realm>("alice", "other"));
    assert_eq!(alice.subject, Subject::Directory("user-alice-acme".to_owned()));
    let of_any = calling(host(&json!({ "type": "directory" })), "master");
    let alice = verified(of_any.login::<Realm>("alice", "s3cre7"));
    assert_eq!(alice.subject, Subject::Directory("user-alice-master".to_owned()));
}
