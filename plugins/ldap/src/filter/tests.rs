use ldap3_proto::proto::{LdapMsg, LdapOp, LdapSearchRequest, LdapSearchScope};
use proptest::prelude::*;

use super::*;

fn words() -> Words<'static> {
    Words {
        constants: &[("user_login_attribute", "uid"), ("user_email_attribute", "mail")],
        values: &[("username", Placeholder::Username), ("user_dn", Placeholder::UserDn)],
    }
}

fn template(text: &str) -> Template {
    Template::parse(text, &words()).unwrap()
}

fn filled(text: &str, username: &str) -> LdapFilter {
    let values = Values {
        username,
        user_dn: "uid=alice,dc=example",
    };
    template(text).fill(values)
}

fn uid(value: &str) -> LdapFilter {
    LdapFilter::Equality("uid".to_owned(), value.to_owned())
}

#[test]
fn placeholders_stand_for_attributes_and_values() {
    assert_eq!(filled("({user_login_attribute}={username})", "alice"), uid("alice"));
    assert_eq!(
        filled(
            "(|(uid={username})({user_email_attribute}={username}@example.org))",
            "alice"
        ),
        LdapFilter::Or(vec![
            uid("alice"),
            LdapFilter::Equality("mail".to_owned(), "alice@example.org".to_owned()),
        ])
    );
    assert_eq!(
        filled("(member={user_dn})", "alice"),
        LdapFilter::Equality("member".to_owned(), "uid=alice,dc=example".to_owned())
    );
}

#[test]
fn outermost_parentheses_may_be_missing() {
    assert_eq!(filled("uid={username}", "alice"), uid("alice"));
    assert_eq!(
        filled(" &(uid={username})(!(cn=x)) ", "alice"),
        filled("(&(uid={username})(!(cn=x)))", "alice")
    );
}

#[test]
fn every_kind_of_filter_is_read() {
    for (text, filter) in [
        ("(cn=*)", LdapFilter::Present("cn".to_owned())),
        ("(cn>=3)", LdapFilter::GreaterOrEqual("cn".to_owned(), "3".to_owned())),
        ("(cn<=3)", LdapFilter::LessOrEqual("cn".to_owned(), "3".to_owned())),
        ("(cn~=3)", LdapFilter::Approx("cn".to_owned(), "3".to_owned())),
        ("(cn=a=b)", LdapFilter::Equality("cn".to_owned(), "a=b".to_owned())),
        (
            "(cn=\\28\\2a\\29)",
            LdapFilter::Equality("cn".to_owned(), "(*)".to_owned()),
        ),
        (
            "(cn=caf\\c3\\a9)",
            LdapFilter::Equality("cn".to_owned(), "café".to_owned()),
        ),
        ("(cn=)", LdapFilter::Equality("cn".to_owned(), String::new())),
        (
            "(cn=a*b*{username})",
            LdapFilter::Substring(
                "cn".to_owned(),
                LdapSubstringFilter {
                    initial: Some("a".to_owned()),
                    any: vec!["b".to_owned()],
                    final_: Some("*".to_owned()),
                },
            ),
        ),
        (
            "(userAccountControl:1.2.840.113556.1.4.803:=2)",
            LdapFilter::Extensible(LdapMatchingRuleAssertion {
                matching_rule: Some("1.2.840.113556.1.4.803".to_owned()),
                type_: Some("userAccountControl".to_owned()),
                match_value: "2".to_owned(),
                dn_attributes: false,
            }),
        ),
        (
            "(ou:dn:=people)",
            LdapFilter::Extensible(LdapMatchingRuleAssertion {
                matching_rule: None,
                type_: Some("ou".to_owned()),
                match_value: "people".to_owned(),
                dn_attributes: true,
            }),
        ),
    ] {
        assert_eq!(filled(text, "*"), filter, "{text}");
    }
}

#[test]
fn what_is_no_filter_is_a_problem() {
    for text in [
        "",
        "()",
        "(uid={username}",
        "(uid={username}))",
        "(uid={username})(cn=x)",
        "(&)",
        "(&uid=x)",
        "(!)",
        "(uid)",
        "(={username})",
        "({username}=x)",
        "(uid={user})",
        "(uid={username)",
        "(uid=\\2)",
        "(uid=\\zz)",
        "(uid=\\+1)",
        "(uid=\\ff)",
        "(uid=a**b)",
        "(uid>=a*)",
        "(uid:=*)",
        "(:=x)",
        "(:dn:=x)",
        "(a:b:c:d:=x)",
        "(u id=x)",
        "(uid=a\0)",
    ] {
        assert!(Template::parse(text, &words()).is_err(), "{text}");
    }
    let deep = |depth: usize| format!("{}(uid=x){}", "(!".repeat(depth), ")".repeat(depth));
    assert!(Template::parse(&deep(15), &words()).is_ok());
    assert!(Template::parse(&deep(16), &words()).is_err());
    assert!(Template::parse(&format!("(uid={})", "x".repeat(5000)), &words()).is_err());
}

#[test]
fn it_is_known_which_values_a_template_uses() {
    assert!(template("(&(cn=x)(!(uid=a*{username})))").uses(Placeholder::Username));
    assert!(!template("(&(cn=x)(uid=username))").uses(Placeholder::Username));
    assert!(template("(member:1.2.3:={user_dn})").uses(Placeholder::UserDn));
}

/// What a directory decodes from the bytes that go out.
fn over_the_wire(filter: LdapFilter) -> LdapFilter {
    let request = LdapSearchRequest {
        base: String::new(),
        scope: LdapSearchScope::Subtree,
        aliases: ldap3_proto::proto::LdapDerefAliases::Never,
        sizelimit: 2,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: Vec::new(),
    };
    let bytes = crate::protocol::encode(LdapMsg::new(1, LdapOp::SearchRequest(request))).unwrap();
    match crate::protocol::decode(&bytes).unwrap().op {
        LdapOp::SearchRequest(request) => request.filter,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_directory_reads_the_value_as_it_was(value in any::<String>()) {
        prop_assert_eq!(over_the_wire(filled("(uid={username})", &value)), uid(&value));
    }

    #[test]
    fn no_value_changes_a_templates_structure(value in any::<String>()) {
        let expected = LdapFilter::And(vec![
            LdapFilter::Equality("objectClass".to_owned(), "person".to_owned()),
            LdapFilter::Or(vec![uid(&value), LdapFilter::Not(Box::new(uid(&format!("x{value}"))))]),
        ]);
        let text = "(&(objectClass=person)(|(uid={username})(!(uid=x{username}))))";
        prop_assert_eq!(over_the_wire(filled(text, &value)), expected);
    }

    #[test]
    fn special_characters_stay_in_the_value(value in "[*()\\\\\u{0}&|!=<>~:{}]{1,20}") {
        prop_assert_eq!(over_the_wire(filled("(uid={username})", &value)), uid(&value));
    }

    #[test]
    fn no_template_is_too_strange_to_be_refused(text in any::<String>()) {
        let _ = Template::parse(&text, &words());
    }
}
