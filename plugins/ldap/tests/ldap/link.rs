//! `link = "email"`: whoever is found in the directory is a user of the host.

use keyway_sdk::testing::{MockHost, MockUser};
use keyway_sdk::{Capability, Refusal, Subject, json};
use ldap::Ldap;

use crate::server::{Entry, Server};
use crate::{alice, fault, principal, searching};

fn host(server: &Server) -> MockHost {
    searching(server, json!({ "link": "email" }))
        .grant(Capability::DirectoryLink)
        .add_user(
            MockUser::new("al")
                .with_id("id-of-al")
                .email("Alice@Example.org")
                .groups(["admins"]),
        )
}

#[test]
fn a_user_of_the_host_is_found_by_address() {
    let server = Server::new([Entry::user("alice").with("memberOf", "cn=staff,dc=example")]);
    let al = alice(&host(&server));
    assert_eq!(al.subject, Subject::Directory("id-of-al".to_owned()));
    assert_eq!(al.login, "al");
    // A group of the host's is not one of the directory's of the same name.
    assert_eq!(al.groups, ["staff"]);
    let refused = host(&server).login::<Ldap>("alice", "wrong");
    assert_eq!(refused, Ok(Refusal::WrongCredential.into()));
}

#[test]
fn or_by_a_login_that_is_the_address() {
    let server = Server::new([Entry::user("bob")]);
    let host = host(&server).add_user(MockUser::new("bob@example.org").with_id("id-of-bob"));
    let bob = principal(host.login::<Ldap>("bob", "s3cre7"));
    assert_eq!(bob.subject, Subject::Directory("id-of-bob".to_owned()));
}

#[test]
fn whoever_is_no_user_of_the_host_is_refused() {
    let server = Server::new([
        Entry::user("bob"),
        Entry::user("nomail").without("mail"),
        Entry::user("mallory"),
        Entry::user("twin"),
    ]);
    let host = host(&server)
        .add_user(MockUser::new("m").email("mallory@example.org").disabled())
        .add_user(MockUser::new("t1").tenant("acme").email("twin@example.org"))
        .add_user(
            MockUser::new("t2")
                .tenant("globex")
                .with_id("id-of-t2")
                .email("twin@example.org"),
        );
    for (name, refusal) in [
        ("bob", Refusal::UnknownIdentifier),
        ("nomail", Refusal::UnknownIdentifier),
        ("mallory", Refusal::Disabled),
        ("twin", Refusal::Ambiguous),
    ] {
        assert_eq!(host.login::<Ldap>(name, "s3cre7"), Ok(refusal.into()), "{name}");
    }
    let globex = host
        .clone()
        .context(|context| context.tenant = Some("globex".to_owned()));
    let twin = principal(globex.login::<Ldap>("twin", "s3cre7"));
    assert_eq!(twin.subject, Subject::Directory("id-of-t2".to_owned()));
}

#[test]
fn an_address_that_is_too_long_is_none() {
    let long = format!("{}@example.org", "x".repeat(1024));
    let server = Server::new([Entry::user("bob").without("mail").with("mail", &long)]);
    let host = host(&server).add_user(MockUser::new("bob").email(&long));
    assert_eq!(
        host.login::<Ldap>("bob", "s3cre7"),
        Ok(Refusal::UnknownIdentifier.into())
    );
}

#[test]
fn the_configured_tenant_goes_before_the_one_that_a_caller_names() {
    let server = Server::new([Entry::user("twin")]);
    let host = searching(&server, json!({ "link": "email", "tenant": "acme" }))
        .grant(Capability::DirectoryLink)
        .add_user(
            MockUser::new("t1")
                .tenant("acme")
                .with_id("id-of-t1")
                .email("twin@example.org"),
        )
        .add_user(MockUser::new("t2").tenant("globex").email("twin@example.org"))
        .context(|context| context.tenant = Some("globex".to_owned()));
    let twin = principal(host.login::<Ldap>("twin", "s3cre7"));
    assert_eq!(twin.subject, Subject::Directory("id-of-t1".to_owned()));
}

#[test]
fn it_takes_the_grants_and_nothing_else_does() {
    let server = Server::new([Entry::user("alice")]);
    assert!(
        fault(
            host(&server)
                .deny(Capability::DirectoryFind)
                .login::<Ldap>("alice", "s3cre7")
        )
        .contains("directory.find")
    );
    fault(
        host(&server)
            .deny(Capability::DirectoryLink)
            .login::<Ldap>("alice", "s3cre7"),
    );
    let without = searching(&server, json!({}));
    alice(&without.deny(Capability::DirectoryFind).deny(Capability::DirectoryLink));
}
