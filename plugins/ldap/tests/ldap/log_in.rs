//! Who gets in, and as whom.

use keyway_sdk::log::Level;
use keyway_sdk::{Refusal, Subject, json};
use ldap::Ldap;

use crate::server::{Entry, PEOPLE, SERVICE, Server};
use crate::{alice, both, direct, principal, searching};

fn server() -> Server {
    Server::new([Entry::user("alice"), Entry::user("bob").password("b0bs")])
}

#[test]
fn a_user_is_known_by_what_the_directory_says() {
    let server = server();
    for host in both(&server) {
        let alice = alice(&host);
        assert_eq!(alice.subject, Subject::Own("uuid-of-alice".to_owned()));
        assert_eq!(alice.login, "alice");
        assert_eq!(alice.email.as_deref(), Some("alice@example.org"));
        assert_eq!(alice.display_name.as_deref(), Some("The alice"));
        assert!(alice.groups.is_empty() && alice.accesses.is_empty() && alice.attributes.is_empty());
    }
}

#[test]
fn the_service_searches_and_the_user_binds_beside_it() {
    let server = server();
    let host = searching(&server, json!({}));
    let alice_dn = format!("uid=alice,{PEOPLE}");
    alice(&host);
    assert_eq!(server.binds(), [(0, SERVICE.to_owned()), (1, alice_dn.clone())]);
    // The service's connection is kept, and the user's never is.
    alice(&host);
    assert_eq!(
        host.login::<Ldap>("alice", "wrong"),
        Ok(Refusal::WrongCredential.into())
    );
    alice(&host);
    let binds = server.binds();
    let connections: Vec<_> = binds.iter().map(|(connection, _)| *connection).collect();
    assert_eq!(connections, [0, 1, 2, 3, 4], "{binds:?}");
    assert!(binds[1..].iter().all(|(_, dn)| *dn == alice_dn), "{binds:?}");
    assert!(server.searches().iter().all(|search| search.sizelimit == 2));
}

#[test]
fn without_a_pool_one_connection_does_for_all() {
    let server = server();
    let host = searching(&server, json!({ "pool": false }));
    for _ in 0..2 {
        alice(&host);
    }
    let connections: Vec<_> = server.binds().iter().map(|(connection, _)| *connection).collect();
    assert_eq!(connections, [0, 0, 1, 1]);
}

#[test]
fn without_a_service_the_user_binds_and_reads() {
    let server = server();
    alice(&direct(&server, json!({})));
    assert_eq!(server.binds(), [(0, format!("uid=alice,{PEOPLE}"))]);
    let templated = direct(
        &server,
        json!({ "user_dn_template": format!("UID={{username}},{PEOPLE}") }),
    );
    alice(&templated);
    // As in wazo: without a `bind_dn` its password is not used.
    alice(&direct(&server, json!({})).secret("bind_password", "unused"));
    alice(&direct(&server, json!({ "bind_dn": "" })));
}

#[test]
fn a_kept_connection_that_died_is_replaced_once() {
    for end in [None, Some(notice_of_disconnection())] {
        let server = Server::scripted([Entry::user("alice")], move |message, connection| {
            use crate::server::Reply;
            use ldap3_proto::proto::LdapOp;
            match (&message.op, &end) {
                // The second search on the first connection.
                (LdapOp::SearchRequest(_), end) if connection == 0 && message.msgid == 1 => {
                    Reply::Last(end.clone().unwrap_or_default())
                }
                _ => Reply::Usual,
            }
        });
        let host = searching(&server, json!({}));
        alice(&host);
        alice(&host);
        let services = server.binds().into_iter().filter(|(_, dn)| dn == SERVICE).count();
        assert_eq!(services, 2);
    }
}

fn notice_of_disconnection() -> Vec<u8> {
    use ldap3_proto::proto::{LdapExtendedResponse, LdapOp};
    let mut response = LdapExtendedResponse::new_operationserror("going down");
    response.name = Some("1.3.6.1.4.1.1466.20036".to_owned());
    crate::server::message(0, LdapOp::ExtendedResponse(response))
}

#[test]
fn the_operators_filter_decides() {
    let server = Server::new([Entry::user("alice").with("employeeType", "staff"), Entry::user("bob")]);
    for filters in [
        "(&(employeeType=staff)(|({user_login_attribute}={username})({user_email_attribute}={username})))",
        "&(employeeType=staff)(|(uid={username})(mail={username}))",
    ] {
        let host = searching(&server, json!({ "search_filters": filters }));
        assert_eq!(
            principal(host.login::<Ldap>("ALICE@example.org", "s3cre7")).login,
            "alice"
        );
        assert_eq!(
            host.login::<Ldap>("bob", "s3cre7"),
            Ok(Refusal::UnknownIdentifier.into())
        );
    }
}

#[test]
fn wanted_attributes_stay_with_the_principal_as_far_as_they_fit() {
    let server = Server::new([Entry::user("alice")
        .with("telephoneNumber", "12")
        .with("telephoneNumber", "13")
        .with("description", &"x".repeat(2000))
        .bytes("title", b"\xff\xfe")]);
    let wanted = json!({ "attributes": ["telephoneNumber", "description", "title", "street"] });
    let host = searching(&server, wanted);
    let attributes = alice(&host).attributes;
    assert_eq!(
        attributes.into_iter().collect::<Vec<_>>(),
        [("telephoneNumber".to_owned(), "12".to_owned())]
    );
    assert!(
        host.lines()
            .iter()
            .any(|line| line.field("attribute") == Some("description"))
    );
}

#[test]
fn a_warning_of_the_password_policy_keeps_nobody_out() {
    use ldap3_proto::proto::LdapOp;

    // The seconds until it expires; how many logins are left until it must be changed; nothing; and what is no such thing.
    for value in [
        &[0x30, 5, 0xa0, 3, 0x80, 1, 9][..],
        &[0x30, 5, 0xa0, 3, 0x81, 1, 0],
        &[0x30, 0],
        &[0x30, 9],
    ] {
        let server = Server::scripted([Entry::user("alice")], move |message, _| match &message.op {
            LdapOp::BindRequest(bind) if bind.dn != SERVICE => {
                crate::server::Reply::Bytes(crate::server::bound_and_told(message.msgid, value))
            }
            _ => crate::server::Reply::Usual,
        });
        for host in both(&server) {
            assert_eq!(alice(&host).login, "alice", "{value:x?}");
        }
    }
}

#[test]
fn what_is_too_long_for_the_host_keeps_nobody_out() {
    let long = |length| "x".repeat(length);
    let server = Server::new([
        Entry::user("alice")
            .without("mail")
            .without("displayName")
            .with("mail", &long(1025))
            .with("displayName", &long(1025))
            .with("cn", &long(1025))
            .with("memberOf", &format!("cn={},dc=example", long(4097)))
            .with("memberOf", "cn=staff,dc=example"),
        Entry::user("bob").with("cn", &long(1025)).with("cn", "Bob"),
    ]);
    let filter = "(uid={username})";
    let config = json!({ "user_login_attribute": "cn", "search_filters": filter });
    let host = searching(&server, config);
    let alice = alice(&host);
    assert_eq!(
        (alice.login.as_str(), alice.email, alice.display_name),
        ("alice", None, None)
    );
    assert_eq!(alice.groups, ["staff"]);

    assert_eq!(host.lines().iter().filter(|line| line.level == Level::Warn).count(), 2);
    assert_eq!(principal(host.login::<Ldap>("bob", "s3cre7")).login, "Bob");
}

#[test]
fn what_is_no_text_is_as_if_it_were_not_there() {
    let server = Server::new([Entry::user("alice")
        .without("mail")
        .without("displayName")
        .bytes("mail", b"\xff")
        .bytes("displayName", b"a\0b")]);
    for host in both(&server) {
        let alice = alice(&host);
        assert_eq!((alice.email, alice.display_name), (None, None));
    }
}

#[test]
fn the_subject_is_an_id_or_else_the_entrys_name() {
    let guid = b"0123456789abcdef";
    let server = Server::new([
        Entry::user("alice").without("entryUUID").bytes("objectGUID", guid),
        Entry::user("bob").without("entryUUID").with("employeeNumber", "7"),
    ]);
    let host = searching(&server, json!({}));
    assert_eq!(
        alice(&host).subject,
        Subject::Own("33323130-3534-3736-3839-616263646566".to_owned())
    );
    let bob = |host: &keyway_sdk::testing::MockHost| principal(host.login::<Ldap>("bob", "s3cre7")).subject;
    assert_eq!(bob(&host), Subject::Own(format!("uid=bob,{PEOPLE}")));
    let numbered = searching(&server, json!({ "uid_attribute": "employeeNumber" }));
    assert_eq!(bob(&numbered), Subject::Own("7".to_owned()));
    assert!(crate::fault(numbered.login::<Ldap>("alice", "s3cre7")).contains("uid_attribute"));
}

#[test]
fn each_step_is_in_the_log_and_no_password() {
    let server = server();
    let host = searching(&server, json!({ "group_base_dn": crate::GROUPS }));
    alice(&host);
    let lines = host.lines();
    let steps: Vec<_> = lines.iter().filter_map(|line| line.field("step")).collect();
    assert_eq!(steps, ["bind service", "search", "bind user", "groups", "identity"]);
    let search = lines.iter().find(|line| line.field("step") == Some("search")).unwrap();
    assert_eq!((search.level, search.message.as_str()), (Level::Debug, "1 entry"));
    assert!(lines.iter().all(|line| line.level == Level::Debug), "{lines:?}");
    let text = format!("{lines:?}");
    assert!(!text.contains("s3cre7") && !text.contains("[secret]"), "{text}");
}
