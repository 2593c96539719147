//! Which groups somebody is in.

use keyway_sdk::json;
use keyway_sdk::log::Level;
use ldap3_proto::proto::{LdapOp, LdapSearchScope};

use crate::server::{Entry, GROUPS, PEOPLE, SERVICE, Server};
use crate::{alice, direct, fault, searching};

fn alice_dn() -> String {
    format!("uid=alice,{PEOPLE}")
}

fn group_dn(name: &str) -> String {
    format!("cn={name},{GROUPS}")
}

#[test]
fn an_attribute_of_the_user_names_them() {
    let server = Server::new([Entry::user("alice")
        .with("memberOf", &group_dn("staff"))
        .with("memberOf", "CN=Domain Users\\, all,DC=example")
        .bytes("memberOf", b"cn=\xff")]);
    for host in crate::both(&server) {
        assert_eq!(alice(&host).groups, ["Domain Users, all", "staff"]);
    }
    let other = searching(&server, json!({ "member_of_attribute": "isMemberOf" }));
    assert!(alice(&other).groups.is_empty());
}

#[test]
fn an_attribute_counts_only_below_its_base_and_by_the_groups_own_name() {
    let server = Server::new([Entry::user("alice")
        .with("memberOf", &group_dn("staff").to_uppercase())
        .with("memberOf", "cn=admins,ou=mine,dc=example,dc=org")
        .with("memberOf", &format!("ou=unit,{GROUPS}"))
        .with("memberOf", &format!("ou=unit+CN=both,{GROUPS}"))]);
    let below = |more| crate::with(json!({ "member_of_base_dn": GROUPS, "nested_groups": true }), more);
    for host in [searching(&server, below(json!({}))), direct(&server, below(json!({})))] {
        assert_eq!(alice(&host).groups, ["STAFF", "both"]);
    }
    let units = searching(&server, below(json!({ "group_name_attribute": "ou" })));
    assert_eq!(alice(&units).groups, ["unit"]);
    assert_eq!(
        alice(&searching(&server, json!({}))).groups,
        ["STAFF", "admins", "both"]
    );
}

#[test]
fn a_directory_that_does_not_say_what_a_group_is_in_is_a_fault() {
    use ldap3_proto::proto::LdapResultCode as Code;

    for (code, passes) in [
        (Code::NoSuchObject, true),
        (Code::InsufficentAccessRights, true),
        (Code::Referral, true),
        (Code::Busy, false),
        (Code::Unavailable, false),
        (Code::OperationsError, false),
    ] {
        let server = Server::scripted(
            [Entry::user("alice").with("memberOf", &group_dn("staff"))],
            move |message, _| match &message.op {
                LdapOp::SearchRequest(search) if search.base == group_dn("staff") => {
                    crate::server::Reply::Bytes(crate::server::done(message.msgid, code.clone()))
                }
                _ => crate::server::Reply::Usual,
            },
        );
        let outcome = searching(&server, json!({ "nested_groups": true })).login::<ldap::Ldap>("alice", "s3cre7");
        assert_eq!(outcome.is_ok(), passes, "{outcome:?}");
    }
}

#[test]
fn a_search_finds_them() {
    let server = Server::new([
        Entry::user("alice").with("memberOf", &group_dn("of the attribute")),
        Entry::group("staff", &[&alice_dn()]),
        Entry::group("admins", &["uid=bob"]),
        Entry::group("unix", &[]).with("memberUid", "alice"),
    ]);
    for config in [
        json!({ "group_base_dn": GROUPS }),
        json!({ "group_base_dn": GROUPS, "pool": false }),
    ] {
        assert_eq!(alice(&searching(&server, config.clone())).groups, ["staff"]);
        assert_eq!(alice(&direct(&server, config)).groups, ["staff"], "as the user");
    }
    let either = json!({ "group_base_dn": GROUPS, "group_filter": "|(member={user_dn})(memberUid={username})" });
    assert_eq!(alice(&searching(&server, either)).groups, ["staff", "unix"]);
    let named = json!({ "group_base_dn": GROUPS, "group_name_attribute": "description" });
    assert!(alice(&searching(&server, named)).groups.is_empty());
}

#[test]
fn the_service_looks_for_them_where_there_is_one() {
    let server = Server::new([Entry::user("alice"), Entry::group("staff", &[&alice_dn()])]);
    let host = searching(&server, json!({ "group_base_dn": GROUPS, "pool": false }));
    assert_eq!(alice(&host).groups, ["staff"]);
    let dns: Vec<_> = server.binds().into_iter().map(|(_, dn)| dn).collect();
    assert_eq!(dns, [SERVICE.to_owned(), alice_dn(), SERVICE.to_owned()]);
}

#[test]
fn nobody_who_is_refused_has_any_looked_for() {
    let server = Server::new([Entry::user("alice"), Entry::group("staff", &[&alice_dn()])]);
    for pool in [true, false] {
        let host = searching(&server, json!({ "group_base_dn": GROUPS, "pool": pool }));
        assert!(host.login::<ldap::Ldap>("alice", "wrong").is_ok());
    }
    assert!(server.searches().iter().all(|search| search.base == PEOPLE));
}

/// alice is in `a`, which is in `b` and, round in a circle, in `c`.
fn nested() -> Server {
    let [a, b, c] = ["a", "b", "c"].map(group_dn);
    Server::new([
        Entry::user("alice").with("memberOf", &a),
        Entry::group("a", &[&alice_dn(), &c])
            .with("memberOf", &b)
            .with("memberOf", &c),
        Entry::group("b", &[&a]).with("memberOf", &c),
        Entry::group("c", &[&b, &a]).with("memberOf", &a.to_uppercase()),
    ])
}

#[test]
fn groups_in_groups_count_where_they_shall_and_circles_end() {
    let server = nested();
    for config in [json!({}), json!({ "group_base_dn": GROUPS })] {
        assert_eq!(alice(&searching(&server, config.clone())).groups, ["a"]);
        for pool in [true, false] {
            let nested = crate::with(config.clone(), json!({ "nested_groups": true, "pool": pool }));
            assert_eq!(
                alice(&searching(&server, nested.clone())).groups,
                ["a", "b", "c"],
                "{nested}"
            );
            assert_eq!(
                alice(&direct(&server, nested.clone())).groups,
                ["a", "b", "c"],
                "{nested}"
            );
        }
    }
}

#[test]
fn no_depth_and_no_number_of_groups_is_too_much() {
    let chain: Vec<_> = (0..40).map(|number| format!("g{number:02}")).collect();
    let mut entries = vec![Entry::user("alice").with("memberOf", &group_dn("g00"))];
    for pair in chain.windows(2) {
        entries.push(Entry::group(&pair[0], &[]).with("memberOf", &group_dn(&pair[1])));
    }
    let host = searching(&Server::new(entries), json!({ "nested_groups": true }));
    assert_eq!(alice(&host).groups.len(), 9, "the first one and eight steps");
    assert!(host.lines().iter().any(|line| line.level == Level::Warn));

    let mut entries = vec![Entry::user("alice")];
    entries.extend((0..300).map(|number| Entry::group(&format!("g{number}"), &[&alice_dn()])));
    let host = searching(&Server::new(entries), json!({ "group_base_dn": GROUPS }));
    assert_eq!(alice(&host).groups.len(), 256);
    assert!(host.lines().iter().any(|line| line.level == Level::Warn));

    let long = (0..40).fold(Entry::user("alice"), |alice, number| {
        alice.with("memberOf", &group_dn(&format!("{number:0>300}")))
    });
    let host = searching(&Server::new([long]), json!({}));
    let bytes: usize = alice(&host).groups.iter().map(String::len).sum();
    assert!((7000..=8192).contains(&bytes), "{bytes}: what the host lets through");
}

#[test]
fn a_group_that_nobody_may_read_is_still_one() {
    let server = Server::new([Entry::user("alice").with("memberOf", "cn=hidden,dc=elsewhere")]);
    assert_eq!(
        alice(&searching(&server, json!({ "nested_groups": true }))).groups,
        ["hidden"]
    );
}

#[test]
fn a_connection_that_dies_among_them_is_a_fault() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::SearchRequest(search) if search.base == GROUPS => crate::server::Reply::Last(Vec::new()),
        _ => crate::server::Reply::Usual,
    });
    let host = searching(&server, json!({ "group_base_dn": GROUPS }));
    assert!(fault(host.login::<ldap::Ldap>("alice", "s3cre7")).contains("closed"));
    // It is not kept.
    assert!(fault(host.login::<ldap::Ldap>("alice", "s3cre7")).contains("closed"));
    let searches = server.searches();
    assert!(searches.iter().all(|search| search.scope == LdapSearchScope::Subtree));
    assert_eq!(server.binds().iter().filter(|(_, dn)| dn == SERVICE).count(), 2);
}

#[test]
fn a_group_that_cannot_be_read_is_left_out() {
    let server = Server::scripted([Entry::user("alice")], |message, _| match &message.op {
        LdapOp::SearchRequest(search) if search.base == GROUPS => {
            let group = |name: &str| {
                let attributes = vec![ldap3_proto::proto::LdapPartialAttribute {
                    atype: "cn".to_owned(),
                    vals: vec![name.as_bytes().to_vec()],
                }];
                let dn = group_dn(name);
                let entry = ldap3_proto::proto::LdapSearchResultEntry { dn, attributes };
                crate::server::message(message.msgid, LdapOp::SearchResultEntry(entry))
            };
            let mut strange = group("x");
            let place = strange.windows(4).position(|part| part == b"cn=x").unwrap();
            strange[place + 3] = 0xff;
            let end = crate::server::done(message.msgid, ldap3_proto::proto::LdapResultCode::Success);
            crate::server::Reply::Bytes([group("staff"), strange, end].concat())
        }
        _ => crate::server::Reply::Usual,
    });
    assert_eq!(
        alice(&searching(&server, json!({ "group_base_dn": GROUPS }))).groups,
        ["staff"]
    );
}
