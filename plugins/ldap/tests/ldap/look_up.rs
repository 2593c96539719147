//! Who somebody is, without a password.

use keyway_sdk::testing::MockHost;
use keyway_sdk::{Fault, Found, Key, Principal, Refusal, Subject, json};
use ldap::Ldap;
use ldap3_proto::proto::LdapOp;

use crate::server::{Entry, GROUPS, PEOPLE, Server};
use crate::{alice, direct, searching};

fn identifier(host: &MockHost, name: &str) -> Result<Found, Fault> {
    host.lookup::<Ldap>(Key::Identifier(name.to_owned()))
}

fn subject(host: &MockHost, name: &str) -> Result<Found, Fault> {
    host.lookup::<Ldap>(Key::Subject(name.to_owned()))
}

#[track_caller]
fn found(found: Result<Found, Fault>) -> Principal {
    match found {
        Ok(Found::Principal(principal)) => principal,
        other => panic!("not found: {other:?}"),
    }
}

#[test]
fn whoever_logged_in_is_found_by_what_the_login_said() {
    let guid = b"0123456789abcdef";
    for user in [
        Entry::user("alice"),
        Entry::user("alice").without("entryUUID").bytes("objectGUID", guid),
        Entry::user("alice").without("entryUUID"),
    ] {
        let server = Server::new([user.with("memberOf", &format!("cn=staff,{GROUPS}"))]);
        let host = searching(&server, json!({}));
        let login = alice(&host);
        let Subject::Own(name) = &login.subject else { panic!() };
        assert_eq!(found(subject(&host, name)), login);
        assert_eq!(found(identifier(&host, "alice")), login);
        let binds = server.binds().len();
        assert_eq!(binds, 2, "the service's connection does for all");
    }
}

#[test]
fn it_looks_by_the_configured_id_alone() {
    let server = Server::new([Entry::user("alice").with("employeeNumber", "7")]);
    let host = searching(&server, json!({ "uid_attribute": "employeeNumber" }));
    assert_eq!(found(subject(&host, "7")).login, "alice");
    for other in ["uuid-of-alice", &format!("uid=alice,{PEOPLE}")] {
        assert_eq!(subject(&host, other), Ok(Refusal::UnknownIdentifier.into()), "{other}");
    }
}

#[test]
fn nobody_is_found_by_what_is_nobodys() {
    let server = Server::new([Entry::user("alice"), Entry::new("uid=outsider,dc=example,dc=org")]);
    let host = searching(&server, json!({}));
    let elsewhere = "uid=outsider,dc=example,dc=org";
    let gone = format!("uid=gone,{PEOPLE}");
    for name in [
        "",
        "\0",
        "*",
        "uuid-of-bob",
        "x=y",
        elsewhere,
        &gone,
        "33323130-3534-3736-3839-616263646566",
    ] {
        assert_eq!(subject(&host, name), Ok(Refusal::UnknownIdentifier.into()), "{name:?}");
    }
    for name in ["", "*", "bob", "alice)(uid=alice"] {
        assert_eq!(
            identifier(&host, name),
            Ok(Refusal::UnknownIdentifier.into()),
            "{name:?}"
        );
    }
}

#[test]
fn whoever_may_not_log_in_is_refused() {
    for (attribute, value, refusal) in [
        ("userAccountControl", "514", Refusal::Disabled),
        ("nsAccountLock", "TRUE", Refusal::Disabled),
        ("pwdAccountLockedTime", "000001010000Z", Refusal::Locked),
        ("accountExpires", "131592384000000000", Refusal::Expired),
        ("shadowExpire", "17532", Refusal::Expired),
    ] {
        let server = Server::new([Entry::user("alice").with(attribute, value)]);
        let host = searching(&server, json!({}));
        assert_eq!(identifier(&host, "alice"), Ok(refusal.into()), "{attribute}");
        assert_eq!(subject(&host, "uuid-of-alice"), Ok(refusal.into()), "{attribute}");
    }
    let server = Server::new([Entry::user("alice")
        .with("userAccountControl", "512")
        .with("nsAccountLock", "false")
        // Of somebody who guesses; it ends by itself.
        .with("pwdAccountLockedTime", "20260101000000Z")
        .with("accountExpires", "9223372036854775807")
        .with("shadowExpire", "-1")]);
    found(identifier(&searching(&server, json!({})), "alice"));
}

#[test]
fn without_an_account_there_is_nobody_to_ask() {
    let server = Server::new([Entry::user("alice")]);
    assert_eq!(identifier(&direct(&server, json!({})), "alice"), Ok(Found::CannotTell));
    assert!(
        !server
            .seen()
            .iter()
            .any(|seen| matches!(seen.op, LdapOp::SearchRequest(_)))
    );
}

#[test]
fn whoever_the_operators_filter_does_not_let_in_any_more_is_nobody() {
    let server = Server::new([
        Entry::user("alice").with("employeeType", "staff"),
        Entry::user("bob").with("employeeType", "former"),
        Entry::user("nameless")
            .with("employeeType", "staff")
            .without("uid")
            .without("mail"),
    ]);
    for name in ["uid", "mail"] {
        let filter = format!("(&(employeeType=staff)({name}={{username}}))");
        let host = searching(&server, json!({ "search_filters": filter }));
        assert_eq!(found(subject(&host, "uuid-of-alice")).login, "alice", "{name}");
        for gone in ["uuid-of-bob", "uuid-of-nameless"] {
            assert_eq!(
                subject(&host, gone),
                Ok(Refusal::UnknownIdentifier.into()),
                "{name} {gone}"
            );
        }
    }
}
