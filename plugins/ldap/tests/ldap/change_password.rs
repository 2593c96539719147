//! A new password for somebody who proves the present one.

use keyway_sdk::testing::MockHost;
use keyway_sdk::{Changed, Fault, Refusal, Rejection, json};
use ldap::Ldap;
use ldap3_proto::proto::{LdapOp, LdapResultCode as Code};

use crate::server::{Entry, GROUPS, PEOPLE, Reply, SERVICE, Server, bound, done, extended};
use crate::{both, direct, principal, searching};

fn change(host: &MockHost, name: &str, present: &str, new: &str) -> Result<Changed, Fault> {
    host.change_password::<Ldap>(name, present, new)
}

#[track_caller]
fn changed(outcome: Result<Changed, Fault>) -> keyway_sdk::Principal {
    match outcome {
        Ok(Changed::Changed(principal)) => principal,
        other => panic!("not changed: {other:?}"),
    }
}

#[test]
fn it_is_changed_by_whose_it_is() {
    for place in 0..2 {
        let server = Server::new([Entry::user("alice")]);
        let host = &both(&server)[place];
        let alice = changed(change(host, "alice", "s3cre7", "a better one"));
        assert_eq!(
            server.password_of(&format!("uid=alice,{PEOPLE}")).as_deref(),
            Some("a better one")
        );
        assert_eq!(
            host.login::<Ldap>("alice", "s3cre7"),
            Ok(Refusal::WrongCredential.into())
        );
        assert_eq!(principal(host.login::<Ldap>("alice", "a better one")), alice);
        let lines = format!("{:?}", host.lines());
        assert!(!lines.contains("a better one") && !lines.contains("s3cre7"), "{lines}");
        let _ = change(host, "alice", "a better one", "another");
        assert!(host.lines().iter().any(|line| line.message.contains("without TLS")));
    }
}

#[test]
fn whoever_does_not_prove_the_present_one_is_refused() {
    let server = Server::new([Entry::user("alice")]);
    for host in both(&server) {
        for (name, present, refusal) in [
            ("alice", "wrong", Refusal::WrongCredential),
            ("alice", "", Refusal::WrongCredential),
            ("alice", "\0", Refusal::WrongCredential),
            ("", "s3cre7", Refusal::UnknownIdentifier),
        ] {
            assert_eq!(
                change(&host, name, present, "new"),
                Ok(refusal.into()),
                "{name} {present}"
            );
        }
        assert!(matches!(
            change(&host, "nobody", "s3cre7", "new"),
            Ok(Changed::Refused(_))
        ));
    }
    assert!(
        !server
            .seen()
            .iter()
            .any(|seen| matches!(seen.op, LdapOp::ExtendedRequest(_)))
    );
    assert_eq!(
        server.password_of(&format!("uid=alice,{PEOPLE}")).as_deref(),
        Some("s3cre7")
    );
}

#[test]
fn one_that_must_be_changed_first_is_good_for_it() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::BindRequest(bind) if bind.dn != SERVICE => {
            Reply::Bytes(bound(message.msgid, Code::Success, "", Some(2)))
        }
        LdapOp::ExtendedRequest(_) => Reply::Bytes(extended(message.msgid, Code::Success, None)),
        _ => Reply::Usual,
    });
    for host in both(&server) {
        assert_eq!(
            host.login::<Ldap>("alice", "s3cre7"),
            Ok(Refusal::MustChangePassword.into())
        );
        changed(change(&host, "alice", "s3cre7", "a better one"));
    }
    let expired = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::BindRequest(bind) if bind.dn != SERVICE => {
            Reply::Bytes(bound(message.msgid, Code::InvalidCredentials, "", Some(0)))
        }
        _ => Reply::Usual,
    });
    let host = searching(&expired, json!({}));
    assert_eq!(change(&host, "alice", "s3cre7", "new"), Ok(Refusal::Expired.into()));
}

#[test]
fn a_directory_says_why_it_does_not_take_it() {
    for (code, policy, rejection) in [
        (Code::ConstraintViolation, Some(3), Rejection::NotAllowed),
        (Code::ConstraintViolation, Some(5), Rejection::TooWeak),
        (Code::ConstraintViolation, Some(6), Rejection::TooShort),
        (Code::ConstraintViolation, Some(7), Rejection::TooSoon),
        (Code::ConstraintViolation, Some(8), Rejection::UsedBefore),
        (Code::ConstraintViolation, None, Rejection::TooWeak),
        (Code::InsufficentAccessRights, None, Rejection::NotAllowed),
        (Code::UnwillingToPerform, None, Rejection::Unspecified),
    ] {
        let answer = code.clone();
        let server = Server::scripted([Entry::user("alice")], move |message, _| match &message.op {
            LdapOp::ExtendedRequest(_) => Reply::Bytes(extended(message.msgid, answer.clone(), policy)),
            _ => Reply::Usual,
        });
        for host in both(&server) {
            assert_eq!(
                change(&host, "alice", "s3cre7", "new"),
                Ok(rejection.into()),
                "{code:?} {policy:?}"
            );
        }
    }
}

#[test]
fn what_no_directory_takes_is_not_sent() {
    let server = Server::new([Entry::user("alice")]);
    for host in both(&server) {
        assert_eq!(change(&host, "alice", "s3cre7", ""), Ok(Rejection::TooShort.into()));
        assert_eq!(
            change(&host, "alice", "s3cre7", "a\0"),
            Ok(Rejection::Unspecified.into())
        );
    }
    assert!(
        !server
            .seen()
            .iter()
            .any(|seen| matches!(seen.op, LdapOp::ExtendedRequest(_)))
    );
}

#[test]
fn a_directory_that_cannot_is_the_operators_matter() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::ExtendedRequest(_) => Reply::Bytes(extended(message.msgid, Code::ProtocolError, None)),
        _ => Reply::Usual,
    });
    let fault = change(&searching(&server, json!({})), "alice", "s3cre7", "new").unwrap_err();
    assert!(
        matches!(&fault, Fault::Misconfigured(message) if message.contains("RFC 3062")),
        "{fault:?}"
    );
}

#[test]
fn whoever_is_refused_keeps_the_old_one() {
    for place in 0..2 {
        let server = Server::new([Entry::user("alice")]);
        let config = json!({ "link": "email" });
        let host = &[searching(&server, config.clone()), direct(&server, config)][place];
        let host = host.clone().grant(keyway_sdk::Capability::DirectoryLink);
        assert_eq!(
            change(&host, "alice", "s3cre7", "a better one"),
            Ok(Refusal::UnknownIdentifier.into())
        );
        let kept = server.password_of(&format!("uid=alice,{PEOPLE}"));
        assert_eq!(kept.as_deref(), Some("s3cre7"));
    }
}

#[test]
fn whoever_must_change_it_and_is_nobody_to_the_host_is_not_said_to_have_kept_it() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::BindRequest(_) => Reply::Bytes(bound(message.msgid, Code::Success, "", Some(2))),
        LdapOp::ExtendedRequest(_) => Reply::Bytes(extended(message.msgid, Code::Success, None)),
        _ => Reply::Usual,
    });
    let host = direct(&server, json!({ "link": "email" })).grant(keyway_sdk::Capability::DirectoryLink);
    let fault = change(&host, "alice", "s3cre7", "new").unwrap_err();
    assert!(
        matches!(&fault, Fault::Misconfigured(message) if message.contains("was changed")),
        "{fault:?}"
    );
}

#[test]
fn groups_do_not_matter_to_it() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::SearchRequest(search) if search.base == GROUPS => Reply::Bytes(done(message.msgid, Code::Busy)),
        _ => Reply::Usual,
    });
    let config = json!({ "group_base_dn": GROUPS });
    assert!(
        changed(change(&searching(&server, config.clone()), "alice", "s3cre7", "new"))
            .groups
            .is_empty()
    );
    changed(change(&direct(&server, config), "alice", "new", "newer"));
}

#[test]
fn a_connection_that_dies_meanwhile_is_a_fault_and_nothing_is_sent_twice() {
    for place in 0..2 {
        let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
            LdapOp::ExtendedRequest(_) => Reply::Last(Vec::new()),
            _ => Reply::Usual,
        });
        let outcome = change(&both(&server)[place], "alice", "s3cre7", "new");
        assert!(matches!(outcome, Err(Fault::Unavailable(_))), "{outcome:?}");
        let seen = server.seen();
        let sent = seen.iter().filter(|seen| matches!(seen.op, LdapOp::ExtendedRequest(_)));
        assert_eq!(sent.count(), 1);
    }
}
