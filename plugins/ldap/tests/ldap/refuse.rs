//! Who is refused, and what it costs.

use keyway_sdk::log::Level;
use keyway_sdk::testing::{MockCredential, MockHost};
use keyway_sdk::{Refusal, json};
use ldap::Ldap;
use ldap3_proto::proto::{LdapFilter, LdapOp, LdapPartialAttribute, LdapResultCode, LdapSearchResultEntry};

use crate::server::{Entry, PEOPLE, Reply, Server, bound, done, message};
use crate::{alice, both, direct, searching};

#[track_caller]
fn check_refused(host: &MockHost, identifier: &str, password: &str, refusal: Refusal) {
    let outcome = host.login::<Ldap>(identifier, password);
    assert_eq!(outcome, Ok(refusal.into()), "{identifier:?} {password:?}");
}

#[test]
fn a_wrong_password_is_refused() {
    let server = Server::new([Entry::user("alice")]);
    for host in both(&server) {
        check_refused(&host, "alice", "wrong", Refusal::WrongCredential);
        check_refused(&host, "alice", "s3cre7 ", Refusal::WrongCredential);
        alice(&host);
    }
}

#[test]
fn a_password_that_would_bind_anonymously_reaches_no_directory() {
    let server = Server::new([Entry::user("alice")]);
    for host in both(&server) {
        for password in ["", "\0", "\0s3cre7", "s3cre7\0"] {
            for identifier in ["alice", "nobody"] {
                check_refused(&host, identifier, password, Refusal::WrongCredential);
            }
        }
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_name_that_cannot_be_reaches_no_directory() {
    let server = Server::new([Entry::user("alice")]);
    for host in both(&server) {
        for name in ["", "\0", "alice\0", &"a".repeat(10 * 1024)] {
            check_refused(&host, name, "s3cre7", Refusal::UnknownIdentifier);
        }
    }
    assert!(server.seen().is_empty());
}

#[test]
fn somebody_unknown_costs_what_a_wrong_password_costs() {
    let shape = |name: &str, pool: bool| {
        let server = Server::new([
            Entry::user("alice"),
            Entry::user("x").with("uid", "twin"),
            Entry::user("twin"),
        ]);
        let host = searching(&server, json!({ "pool": pool }));
        assert!(matches!(
            host.login::<Ldap>(name, "wrong"),
            Ok(keyway_sdk::Outcome::Refused(_))
        ));
        let seen = server.seen();
        let shape = |seen: crate::server::Seen| match seen.op {
            LdapOp::BindRequest(bind) => {
                let ldap3_proto::proto::LdapBindCred::Simple(password) = bind.cred else {
                    panic!()
                };
                assert!(
                    name == "alice" || password != "wrong",
                    "a password goes to whom it is for"
                );
                (seen.connection, "bind", password.len())
            }
            LdapOp::SearchRequest(_) => (seen.connection, "search", 0),
            _ => (seen.connection, "other", 0),
        };
        seen.into_iter().map(shape).collect::<Vec<_>>()
    };
    for pool in [true, false] {
        assert_eq!(shape("nobody", pool), shape("alice", pool));
        assert_eq!(shape("twin", pool), shape("alice", pool));
    }
}

#[test]
fn whoever_answers_to_somebody_unknown_lets_nobody_in() {
    let server = Server::scripted([], |message, connection| match &message.op {
        LdapOp::BindRequest(_) if connection > 0 => {
            Reply::Bytes(bound(message.msgid, LdapResultCode::Success, "", None))
        }
        _ => Reply::Usual,
    });
    check_refused(
        &searching(&server, json!({})),
        "nobody",
        "s3cre7",
        Refusal::UnknownIdentifier,
    );
}

#[test]
fn a_name_of_two_is_ambiguous() {
    let twins = [1, 2].map(|number| Entry::user(&format!("twin{number}")).with("uid", "twin"));
    let third = Entry::user("twin3").with("uid", "twin");
    let two = Server::new(twins.clone());
    check_refused(&searching(&two, json!({})), "twin", "s3cre7", Refusal::Ambiguous);
    let three = Server::new(twins.into_iter().chain([third]));
    check_refused(&searching(&three, json!({})), "twin", "s3cre7", Refusal::Ambiguous);
    // A directory whose own limit is one.
    let strict = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::SearchRequest(_) => Reply::Bytes(done(message.msgid, LdapResultCode::SizeLimitExceeded)),
        _ => Reply::Usual,
    });
    check_refused(&searching(&strict, json!({})), "alice", "s3cre7", Refusal::Ambiguous);
}

#[test]
fn no_name_is_more_than_a_value() {
    let server = Server::new([Entry::user("alice"), Entry::user("bob")]);
    let names = [
        "*",
        "a*",
        "al*ce",
        "(",
        ")",
        "\\",
        "\\2a",
        "*)(uid=*",
        "alice)(uid=alice",
        "alice)(|(uid=*",
        "&",
        "{username}",
        "alice,ou=people",
        "alice+uid=alice",
        "#616c",
        "alice\\",
        " alice",
        "ali\u{0301}ce",
        "\u{feff}",
    ];
    let [searching, direct] = both(&server);
    for name in names {
        check_refused(&searching, name, "s3cre7", Refusal::UnknownIdentifier);
        check_refused(&direct, name, "s3cre7", Refusal::WrongCredential);
    }
    let filters: Vec<_> = server.searches().into_iter().map(|search| search.filter).collect();
    let expected = names.map(|name| LdapFilter::Equality("uid".to_owned(), name.to_owned()));
    assert_eq!(filters, expected);
    assert!(
        server
            .binds()
            .iter()
            .all(|(_, dn)| dn.ends_with(PEOPLE) || dn == crate::SERVICE)
    );
}

#[test]
fn no_name_reaches_another_branch() {
    let below = |branch: &str| {
        Entry::new(&format!("uid=twin,{branch}{PEOPLE}"))
            .password("s3cre7")
            .with("uid", "twin")
    };
    let server = Server::new([below("ou=staff,"), Entry::user("alice")]);
    let direct = direct(&server, json!({}));
    for (name, rdn) in [
        ("twin,ou=staff", "uid=twin\\,ou\\=staff"),
        ("twin;ou=staff", "uid=twin\\;ou\\=staff"),
        ("twin\\,ou=staff", "uid=twin\\\\\\,ou\\=staff"),
        ("twin+ou=staff", "uid=twin\\+ou\\=staff"),
        ("#7477696e", "uid=\\#7477696e"),
        (" twin ", "uid=\\ twin\\ "),
        ("\"twin\"", "uid=\\\"twin\\\""),
    ] {
        check_refused(&direct, name, "s3cre7", Refusal::WrongCredential);
        let (_, dn) = server.binds().pop().unwrap();
        assert_eq!(dn, format!("{rdn},{PEOPLE}"), "{name}");
    }
}

#[test]
fn other_credentials_than_a_password_are_refused_unseen() {
    let server = Server::new([Entry::user("alice")]);
    let host = searching(&server, json!({}));
    for credential in [
        MockCredential::Otp("s3cre7".to_owned()),
        MockCredential::ApiKey("s3cre7".to_owned()),
    ] {
        let outcome = host.present::<Ldap>("alice", credential);
        assert_eq!(outcome, Ok(Refusal::UnsupportedCredential.into()));
        assert_eq!(host.exposures(), 0);
    }
    assert!(server.seen().is_empty());
}

/// A directory that answers the bind of a user so.
fn answering(code: &LdapResultCode, words: &str, policy: Option<u8>) -> Server {
    let (code, words) = (code.clone(), words.to_owned());
    Server::scripted([Entry::user("alice")], move |message, _| match &message.op {
        LdapOp::BindRequest(bind) if bind.dn.starts_with("uid=") => {
            Reply::Bytes(bound(message.msgid, code.clone(), &words, policy))
        }
        _ => Reply::Usual,
    })
}

#[test]
fn a_directory_says_why_it_refuses() {
    use LdapResultCode as Code;

    let ad = |code: &str| {
        format!("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {code}, v3839")
    };
    for (code, words, policy, refusal) in [
        (Code::InvalidCredentials, String::new(), None, Refusal::WrongCredential),
        (Code::InvalidCredentials, ad("52e"), None, Refusal::WrongCredential),
        (Code::InvalidCredentials, ad("525"), None, Refusal::UnknownIdentifier),
        (Code::InvalidCredentials, ad("530"), None, Refusal::Disabled),
        (Code::InvalidCredentials, ad("532"), None, Refusal::Expired),
        (Code::InvalidCredentials, ad("533"), None, Refusal::Disabled),
        (Code::InvalidCredentials, ad("701"), None, Refusal::Expired),
        (Code::InvalidCredentials, ad("773"), None, Refusal::MustChangePassword),
        (Code::InvalidCredentials, ad("775"), None, Refusal::Locked),
        (Code::InvalidCredentials, String::new(), Some(0), Refusal::Expired),
        (Code::InvalidCredentials, String::new(), Some(1), Refusal::Locked),
        (Code::UnwillingToPerform, String::new(), None, Refusal::Disabled),
        (Code::UnwillingToPerform, String::new(), Some(1), Refusal::Locked),
        (Code::UnwillingToPerform, ad("775"), None, Refusal::Locked),
        (Code::InsufficentAccessRights, String::new(), Some(0), Refusal::Expired),
        (
            Code::InappropriateAuthentication,
            String::new(),
            Some(1),
            Refusal::Locked,
        ),
        (Code::ConstraintViolation, String::new(), Some(0), Refusal::Expired),
        (Code::Success, String::new(), Some(0), Refusal::Expired),
        (Code::Success, String::new(), Some(1), Refusal::Locked),
        (Code::Success, String::new(), Some(2), Refusal::MustChangePassword),
        (
            Code::ConstraintViolation,
            "Exceed password retry limit".to_owned(),
            None,
            Refusal::Locked,
        ),
        (
            Code::UnwillingToPerform,
            "Account inactivated.".to_owned(),
            None,
            Refusal::Disabled,
        ),
        (
            Code::InappropriateAuthentication,
            String::new(),
            None,
            Refusal::WrongCredential,
        ),
        (Code::NoSuchObject, String::new(), None, Refusal::UnknownIdentifier),
    ] {
        let server = answering(&code, &words, policy);
        for host in both(&server) {
            check_refused(&host, "alice", "s3cre7", refusal);
        }
        let direct = direct(&server, json!({}));
        check_refused(&direct, "alice", "s3cre7", refusal);
    }
}

#[test]
fn an_answer_that_judges_nobody_is_a_fault() {
    use LdapResultCode as Code;

    for code in [
        Code::Busy,
        Code::Unavailable,
        Code::ConfidentialityRequired,
        Code::StrongerAuthRequired,
        Code::Referral,
        Code::SaslBindInProgress,
        Code::Other,
        Code::ProtocolError,
        Code::AuthMethodNotSupported,
    ] {
        let server = answering(&code, "", None);
        for host in both(&server) {
            crate::fault(host.login::<Ldap>("alice", "s3cre7"));
        }
    }
}

/// A directory that answers each search so.
fn finding(answer: impl Fn(i32) -> Vec<u8> + Send + Sync + 'static) -> Server {
    Server::scripted([Entry::user("alice")], move |message, _| match &message.op {
        LdapOp::SearchRequest(_) => Reply::Bytes(answer(message.msgid)),
        _ => Reply::Usual,
    })
}

#[test]
fn whose_entry_cannot_be_read_is_nobody() {
    let entry = |value: &str| LdapSearchResultEntry {
        dn: format!("uid=alice,{PEOPLE}"),
        attributes: vec![LdapPartialAttribute {
            atype: "description".to_owned(),
            vals: vec![value.as_bytes().to_vec()],
        }],
    };
    let long = entry(&"x".repeat(1024 * 1024));
    let long = move |id| {
        let answer = [
            message(id, LdapOp::SearchResultEntry(long.clone())),
            done(id, LdapResultCode::Success),
        ];
        answer.concat()
    };
    let strange = entry("");
    let strange = move |id| {
        let mut bytes = message(id, LdapOp::SearchResultEntry(strange.clone()));
        let place = bytes.windows(5).position(|part| part == b"alice").unwrap();
        bytes[place] = 0xff;
        [bytes, done(id, LdapResultCode::Success)].concat()
    };
    for server in [finding(long), finding(strange)] {
        let key = || keyway_sdk::Key::Subject("uuid-of-alice".to_owned());
        for host in [
            searching(&server, json!({})),
            searching(&server, json!({ "pool": false })),
            direct(&server, json!({})),
        ] {
            for _ in 0..2 {
                check_refused(&host, "alice", "s3cre7", Refusal::UnknownIdentifier);
                let warning = host.lines().into_iter().find(|line| line.level == Level::Warn).unwrap();
                assert!(!format!("{warning:?}").contains("uid="), "{warning:?}");
            }
        }
        let found = searching(&server, json!({})).lookup::<Ldap>(key());
        assert_eq!(found, Ok(Refusal::UnknownIdentifier.into()));
    }
}

#[test]
fn a_search_that_is_too_much_for_the_directory_is_ambiguous() {
    for code in [LdapResultCode::AdminLimitExceeded, LdapResultCode::TimeLimitExceeded] {
        let server = finding(move |id| done(id, code.clone()));
        for _ in 0..2 {
            check_refused(&searching(&server, json!({})), "alice", "s3cre7", Refusal::Ambiguous);
        }
    }
}
