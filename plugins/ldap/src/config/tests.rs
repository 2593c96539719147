use keyway_sdk::testing::MockHost;
use keyway_sdk::{Capability, json};

use crate::Ldap;

/// Says, of a configuration with these keys beside the base, to what its problems point.
fn problems(more: &[(&str, serde_json::Value)]) -> Vec<String> {
    let mut config = json!({ "user_base_dn": "ou=people,dc=example" });
    for (key, value) in more {
        config[*key] = value.clone();
    }
    match MockHost::new().check_config::<Ldap>(&config) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.pointer).collect(),
    }
}

#[test]
fn the_base_is_all_that_must_be_said() {
    assert!(problems(&[]).is_empty());
    let without = MockHost::new().check_config::<Ldap>(&json!({})).unwrap_err();
    assert!(without[0].message.contains("user_base_dn"));
}

#[test]
fn an_empty_text_is_none() {
    for key in [
        "bind_dn",
        "search_filters",
        "user_dn_template",
        "group_base_dn",
        "group_filter",
        "member_of_base_dn",
        "uid_attribute",
        "tenant",
    ] {
        assert!(problems(&[(key, json!(""))]).is_empty(), "{key}");
        assert!(problems(&[(key, json!(null))]).is_empty(), "{key}");
    }
}

#[test]
fn what_cannot_work_is_pointed_at() {
    for (key, value, pointer) in [
        ("user_base_dn", json!(""), "/user_base_dn"),
        ("user_base_dn", json!("people"), "/user_base_dn"),
        ("user_login_attribute", json!("u)(id"), "/user_login_attribute"),
        ("user_email_attribute", json!(""), "/user_email_attribute"),
        ("user_name_attribute", json!("a b"), "/user_name_attribute"),
        ("uid_attribute", json!("*"), "/uid_attribute"),
        ("member_of_attribute", json!("1x"), "/member_of_attribute"),
        ("member_of_base_dn", json!("groups"), "/member_of_base_dn"),
        ("attributes", json!(["cn", "c=n"]), "/attributes/1"),
        ("bind_dn", json!("cn=\u{0}"), "/bind_dn"),
        ("search_filters", json!("(uid=alice)"), "/search_filters"),
        ("search_filters", json!("(uid={username}"), "/search_filters"),
        ("search_filters", json!("(uid={user_dn})"), "/search_filters"),
        ("user_dn_template", json!("uid=alice,dc=example"), "/user_dn_template"),
        ("link", json!("name"), "/link"),
        ("usr_base_dn", json!("x"), "/usr_base_dn"),
    ] {
        assert_eq!(problems(&[(key, value.clone())]), [pointer], "{key} {value}");
    }
    let base = ("group_base_dn", json!("ou=groups,dc=example"));
    assert_eq!(problems(&[("group_base_dn", json!("groups"))]), ["/group_base_dn"]);
    assert_eq!(
        problems(&[base.clone(), ("group_filter", json!("(cn=*)"))]),
        ["/group_filter"]
    );
    assert_eq!(
        problems(&[base, ("group_filter", json!("(member={user})"))]),
        ["/group_filter"]
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let wrong = [
        ("user_base_dn", json!("x")),
        ("search_filters", json!("(")),
        ("user_dn_template", json!("x")),
    ];
    assert_eq!(
        problems(&wrong),
        ["/user_base_dn", "/search_filters", "/user_dn_template"]
    );
}

#[test]
fn the_password_is_exposed_and_the_hosts_users_only_where_that_is_granted() {
    let description = MockHost::new().describe::<Ldap>();
    let wanted = [
        Capability::Log,
        Capability::CredentialExpose,
        Capability::Net("directory"),
    ];
    assert_eq!(description.wanted(), wanted);
    assert_eq!(
        description.usable(),
        [Capability::DirectoryFind, Capability::DirectoryLink]
    );
}
