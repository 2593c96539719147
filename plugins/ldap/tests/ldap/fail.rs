//! Directories that are no directories, and settings that cannot work: faults that name the reason.

use keyway_sdk::{Capability, Fault, json};
use ldap::Ldap;
use ldap3_proto::proto::{LdapOp, LdapResultCode, LdapSearchResultReference};

use crate::server::{Entry, PEOPLE, Reply, SERVICE, Server, bound, done, message};
use crate::{both, direct, fault, reaching, searching};

/// A success, as the answer to the first bind.
fn success() -> Vec<u8> {
    bound(1, LdapResultCode::Success, "", None)
}

/// Both kinds of login meet a directory that sends this and ends.
#[track_caller]
fn check(bytes: &[u8], reason: &str) {
    let answer = bytes.to_vec();
    let server = Server::scripted([], move |_, _| Reply::Last(answer.clone()));
    for host in both(&server) {
        let fault = fault(host.login::<Ldap>("alice", "s3cre7"));
        assert!(
            fault.starts_with("Unavailable") && fault.contains(reason),
            "{fault} for {bytes:x?}"
        );
    }
}

#[test]
fn what_is_no_ldap_is_named() {
    check(b"", "closed the connection");
    check(
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "does not begin as an LDAP message does",
    );
    check(b"\x30\x80\x02\x01\x01\x00\x00", "indefinite");
    check(b"\x30\x85\x00\x00\x00\x00\x00", "more than four bytes");
    check(b"\x30\x84\xff\xff\xff\xff\x02\x01\x01", "larger than");
    check(b"\x30\x83\x10\x00\x01\x02\x01\x01", "larger than");
    check(b"\x30\x00", "malformed");
    check(b"\x30\x03\x02\x01\x01", "malformed");
    check(b"\x30\x05\x02\x01\x01\x04\x00", "malformed");
    check(&[0x30, 0x82, 0x10, 0x00].repeat(1025), "malformed");
    check(&success()[..8], "in the middle of an answer");
    // The controls of a success, cut off inside of a message that is not.
    let mut cut = success();
    cut[1] += 1;
    cut.push(0xa0);
    check(&cut, "malformed: an element that is cut off");
}

#[test]
fn an_answer_to_something_else_is_named() {
    check(
        &bound(99, LdapResultCode::Success, "", None),
        "the number of another request",
    );
    check(
        &bound(-1, LdapResultCode::Success, "", None),
        "the number of another request",
    );
    check(&done(1, LdapResultCode::Success), "something else to a bind");
    check(&message(0, LdapOp::UnbindRequest), "it was not asked");
    let unknown = ldap3_proto::proto::LdapExtendedResponse::new_success(Some("1.2.3"), None);
    check(&message(0, LdapOp::ExtendedResponse(unknown)).repeat(9), "notices");
    let mut farewell = ldap3_proto::proto::LdapExtendedResponse::new_operationserror("going down\n");
    farewell.name = Some("1.3.6.1.4.1.1466.20036".to_owned());
    let farewell = message(0, LdapOp::ExtendedResponse(farewell));
    check(&farewell, "ended the session: OperationsError (1), `going down`");
}

#[test]
fn every_cut_and_every_flipped_bit_of_an_answer_is_survived() {
    let whole = success();
    for length in 0..whole.len() {
        check(&whole[..length], "");
    }
    let entry = message(
        2,
        LdapOp::SearchResultEntry(ldap3_proto::proto::LdapSearchResultEntry {
            dn: format!("uid=alice,{PEOPLE}"),
            attributes: Vec::new(),
        }),
    );
    let answers = [entry, done(2, LdapResultCode::Success)].concat();
    for bit in 0..answers.len() * 8 {
        let mut answers = answers.clone();
        answers[bit / 8] ^= 1 << (bit % 8);
        let server = Server::scripted([Entry::user("alice")], move |message, connection| match &message.op {
            LdapOp::SearchRequest(_) if connection == 0 => Reply::Last(answers.clone()),
            _ => Reply::Usual,
        });
        let host = searching(&server, json!({}));
        let _ = host.login::<Ldap>("alice", "s3cre7");
    }
}

#[test]
fn more_than_was_asked_for_is_named() {
    let reference = LdapSearchResultReference {
        uris: vec!["ldap://other.example.org".to_owned()],
    };
    let reference = message(2, LdapOp::SearchResultReference(reference));
    let many = reference.repeat(65);
    let some = [reference, done(2, LdapResultCode::Success)].concat();
    let entry = |id| {
        message(
            id,
            LdapOp::SearchResultEntry(ldap3_proto::proto::LdapSearchResultEntry {
                dn: "uid=x".to_owned(),
                attributes: Vec::new(),
            }),
        )
    };
    let searched = |answer: Vec<u8>| {
        let server = Server::scripted([], move |message, _| match &message.op {
            LdapOp::SearchRequest(_) => Reply::Last(answer.clone()),
            _ => Reply::Usual,
        });
        searching(&server, json!({})).login::<Ldap>("alice", "s3cre7")
    };
    assert!(fault(searched(many)).contains("more references"));
    assert!(fault(searched(entry(2).repeat(3))).contains("more entries"));
    // Somebody who is elsewhere is nobody here: no server is asked that the operator did not name.
    assert_eq!(searched(some), Ok(keyway_sdk::Refusal::UnknownIdentifier.into()));
    let referred = fault(searched(done(2, LdapResultCode::Referral)));
    assert!(
        referred.starts_with("Unavailable") && referred.contains("referrals are not followed"),
        "{referred}"
    );
    let nameless = [
        message(
            2,
            LdapOp::SearchResultEntry(ldap3_proto::proto::LdapSearchResultEntry {
                dn: String::new(),
                attributes: Vec::new(),
            }),
        ),
        done(2, LdapResultCode::Success),
    ];
    assert!(fault(searched(nameless.concat())).contains("without a name"));
}

#[test]
fn a_service_that_may_not_bind_is_the_operators_matter() {
    let server = Server::new([Entry::user("alice")]);
    let wrong = searching(&server, json!({})).secret("bind_password", "wrong");
    let unpooled = searching(&server, json!({ "pool": false })).secret("bind_password", "wrong");
    for (fault, kind) in [
        // Of these the host bears only a few, before it leaves the directory alone: one that counts would lock the account.
        (fault(wrong.login::<Ldap>("alice", "s3cre7")), "Unavailable"),
        (fault(unpooled.login::<Ldap>("alice", "s3cre7")), "Unavailable"),
        (format!("{:?}", wrong.health::<Ldap>().unwrap_err()), "Misconfigured"),
    ] {
        assert!(fault.starts_with(kind), "{fault}");
        for word in [SERVICE, "bind_dn", "bind_password", "InvalidCredentials (49)"] {
            assert!(fault.contains(word), "{fault}");
        }
    }
    let busy = Server::scripted([], |message, _| {
        Reply::Bytes(bound(message.msgid, LdapResultCode::Busy, "", None))
    });
    assert!(fault(searching(&busy, json!({})).login::<Ldap>("alice", "s3cre7")).starts_with("Unavailable"));
}

#[test]
fn a_service_without_a_password_is_the_operators_matter() {
    let server = Server::new([Entry::user("alice")]);
    let config = json!({ "user_base_dn": PEOPLE, "bind_dn": SERVICE });
    let host = reaching(&server).config(config);
    let expected = Fault::misconfigured("there is a `bind_dn` and no `secrets.bind_password`");
    assert_eq!(host.login::<Ldap>("alice", "s3cre7"), Err(expected.clone()));
    assert_eq!(host.health::<Ldap>(), Err(expected));
    let empty = searching(&server, json!({})).secret("bind_password", "");
    assert!(fault(empty.login::<Ldap>("alice", "s3cre7")).contains("empty"));
    assert!(server.seen().is_empty());
}

#[test]
fn a_base_that_is_not_there_is_the_operators_matter() {
    let server = Server::new([Entry::user("alice")]);
    let host = searching(&server, json!({ "user_base_dn": "ou=persons,dc=example,dc=org" }));
    assert!(fault(host.login::<Ldap>("alice", "s3cre7")).starts_with("Misconfigured"));
    assert!(matches!(host.health::<Ldap>(), Err(Fault::Misconfigured(_))));
    let groups = searching(&server, json!({ "group_base_dn": "ou=nowhere,dc=example,dc=org" }));
    assert!(fault(groups.login::<Ldap>("alice", "s3cre7")).contains("group_base_dn"));
}

#[test]
fn an_entry_that_its_owner_may_not_read_is_the_operators_matter() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::SearchRequest(_) => Reply::Bytes(done(message.msgid, LdapResultCode::NoSuchObject)),
        _ => Reply::Usual,
    });
    assert!(fault(direct(&server, json!({})).login::<Ldap>("alice", "s3cre7")).contains("may not read"));
}

#[test]
fn no_fault_names_a_user() {
    let dn = format!("uid=alice,{PEOPLE}");
    for code in [
        LdapResultCode::Other,
        LdapResultCode::StrongerAuthRequired,
        LdapResultCode::ProtocolError,
    ] {
        let (number, words) = (code.clone(), format!("no luck with {dn}"));
        let server = Server::scripted([Entry::user("alice")], move |message, _| match &message.op {
            LdapOp::BindRequest(bind) if bind.dn != SERVICE => {
                Reply::Bytes(bound(message.msgid, number.clone(), &words, None))
            }
            _ => Reply::Usual,
        });
        for host in both(&server) {
            let fault = fault(host.login::<Ldap>("alice", "s3cre7"));
            assert!(
                !fault.contains("alice") && fault.contains(&format!("{code:?} (")),
                "{fault}"
            );
        }
        let (number, words) = (code.clone(), format!("no luck with {dn}"));
        let server = Server::scripted([Entry::user("alice")], move |message, _| match &message.op {
            LdapOp::ExtendedRequest(_) => Reply::Bytes(bound_as_extended(message.msgid, &number, &words)),
            _ => Reply::Usual,
        });
        let fault = searching(&server, json!({}))
            .change_password::<Ldap>("alice", "s3cre7", "new")
            .unwrap_err();
        let fault = format!("{fault:?}");
        assert!(
            !fault.contains("alice") && fault.contains(&format!("{code:?} (")),
            "{fault}"
        );
    }
    let server = Server::new([Entry::user("alice")]);
    let host = searching(&server, json!({ "uid_attribute": "employeeNumber" }));
    let fault = fault(host.login::<Ldap>("alice", "s3cre7"));
    assert!(!fault.contains("alice") && fault.contains("employeeNumber"), "{fault}");
}

fn bound_as_extended(id: i32, code: &LdapResultCode, words: &str) -> Vec<u8> {
    let mut response = ldap3_proto::proto::LdapExtendedResponse::new_operationserror(words);
    response.res.code = code.clone();
    message(id, LdapOp::ExtendedResponse(response))
}

#[test]
fn health_is_that_the_directory_answers() {
    let server = Server::new([Entry::user("alice")]);
    for host in both(&server) {
        assert_eq!(host.health::<Ldap>(), Ok(()));
        assert!(matches!(
            host.unavailable().health::<Ldap>(),
            Err(Fault::Unavailable(_))
        ));
    }
    let shy = Server::scripted([], |message, _| match &message.op {
        LdapOp::SearchRequest(_) => Reply::Bytes(done(message.msgid, LdapResultCode::InsufficentAccessRights)),
        _ => Reply::Usual,
    });
    assert_eq!(
        direct(&shy, json!({})).health::<Ldap>(),
        Ok(()),
        "it need not tell strangers anything"
    );
}

#[test]
fn a_missing_grant_is_named() {
    let server = Server::new([Entry::user("alice")]);
    let host = searching(&server, json!({})).deny(Capability::CredentialExpose);
    assert!(fault(host.login::<Ldap>("alice", "s3cre7")).contains("credential.expose"));
    let nowhere = keyway_sdk::testing::MockHost::new()
        .grant(Capability::CredentialExpose)
        .config(json!({ "user_base_dn": PEOPLE }));
    assert!(fault(nowhere.login::<Ldap>("alice", "s3cre7")).contains("grants.net.directory"));
}
