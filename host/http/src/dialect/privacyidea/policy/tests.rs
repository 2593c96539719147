//! What policies say together: one test for each rule.

use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

use super::PolicyError;
use super::action::Scope;
use super::hours::Moment;
use super::question::{AuthorizationRules, LoginMode, OtpPin, enrollable, menus};
use super::rule::Policy;
use super::set::{Admin, Circumstances, PolicySet, User};
use crate::dialect::privacyidea::rights::Role;

fn set(policies: &[(&str, Value)]) -> PolicySet {
    let policies = policies.iter().map(|(name, fields)| {
        let fields = fields.as_object().expect("an object");
        Policy::write(name, fields, None).unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    PolicySet::new(policies.collect())
}

fn monday_noon() -> Moment {
    let monday: jiff::Timestamp = "2024-01-01T12:00:00Z".parse().expect("a time");
    Moment::of(
        keyway_core::model::Timestamp(monday.as_microsecond()),
        &jiff::tz::TimeZone::UTC,
    )
}

/// Alice of realm1, known by the resolver passwd1, from 192.0.2.1, on a Monday at noon.
fn alice(headers: &HeaderMap) -> Circumstances<'_> {
    Circumstances {
        user: Some(User {
            login: "alice".to_owned(),
            realm: "realm1".to_owned(),
            resolver: Some("passwd1".to_owned()),
            attributes: vec![("group".to_owned(), "staff".to_owned())],
        }),
        admin: None,
        client: Some([192, 0, 2, 1].into()),
        headers,
        moment: monday_noon(),
    }
}

/// The local administrator root, and no user.
fn root(headers: &HeaderMap) -> Circumstances<'_> {
    Circumstances {
        user: None,
        admin: Some(Admin {
            login: "root".to_owned(),
            realm: String::new(),
        }),
        ..alice(headers)
    }
}

#[test]
fn without_policies_everything_is_allowed_and_nothing_is_changed() {
    let (headers, set) = (HeaderMap::new(), PolicySet::default());
    let login = set.login(&alice(&headers)).expect("rules");
    assert_eq!(
        (login.jwt_validity.as_secs(), login.login_mode),
        (3600, LoginMode::UserStore)
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&login.interface).expect("JSON"), @r#"
    {
      "logout_time": 120,
      "audit_page_size": 10,
      "token_page_size": 15,
      "user_page_size": 15,
      "policy_template_url": "",
      "default_tokentype": "hotp",
      "timeout_action": "lockscreen",
      "session_persistence": "tab",
      "logout_redirect_url": "",
      "user_details": false,
      "token_wizard": false,
      "token_wizard_2nd": false,
      "admin_dashboard": false,
      "dialog_no_token": false,
      "search_on_enter": false,
      "hide_buttons": false,
      "deletion_confirmation": false,
      "show_seed": false
    }
    "#);
    let authentication = set.authentication(&alice(&headers)).expect("rules");
    assert_eq!(
        (
            authentication.otppin,
            authentication.challenges,
            authentication.passthru
        ),
        (OtpPin::Token, false, false)
    );
    let authorization = set.authorization(&alice(&headers)).expect("rules");
    assert_eq!(authorization, AuthorizationRules::default());
    assert!(
        set.may(Role::User, "disable", &alice(&headers))
            .expect("an answer")
            .is_some()
    );
    let rights = set.rights(Role::User, &alice(&headers)).expect("rights");
    insta::assert_snapshot!(rights.iter().cloned().collect::<Vec<_>>().join(" "), @"assign auditlog delete disable enable enrollHOTP enrollTAN enrollTOTP enrollpin otp_pin_maxlength otp_pin_minlength reset resync revoke setdescription setpin unassign userlist");
    assert_eq!(menus(Role::User, &rights), ["tokens", "users", "audit"]);
    assert_eq!(enrollable(&rights).keys().collect::<Vec<_>>(), ["hotp", "totp", "tan"]);
    let rights = set.rights(Role::Admin, &root(&headers)).expect("rights");
    insta::assert_snapshot!(rights.iter().cloned().collect::<Vec<_>>().join(" "), @"assign auditlog configdelete configread configwrite delete disable enable enrollHOTP enrollTAN enrollTOTP enrollpin otp_pin_maxlength otp_pin_minlength policydelete policyread policywrite reset resolverdelete resolverread resolverwrite resync revoke set setdescription setpin tokenlist triggerchallenge unassign userlist");
    assert_eq!(menus(Role::Admin, &rights), ["tokens", "users", "audit", "config"]);
}

#[test]
fn the_first_active_policy_of_a_scope_forbids_the_rest() {
    let headers = HeaderMap::new();
    let off = set(&[("p", json!({"scope": "user", "action": "enable", "active": false}))]);
    assert!(
        off.may(Role::User, "disable", &alice(&headers))
            .expect("an answer")
            .is_some()
    );
    let on = set(&[(
        "p",
        json!({"scope": "user", "action": "enable, enrollTOTP, otp_pin_minlength=4"}),
    )]);
    assert!(
        on.may(Role::User, "disable", &alice(&headers))
            .expect("an answer")
            .is_none()
    );
    assert!(
        on.may(Role::User, "enable", &alice(&headers))
            .expect("an answer")
            .is_some()
    );
    let rights = on.rights(Role::User, &alice(&headers)).expect("rights");
    assert_eq!(
        Vec::from_iter(&rights),
        ["enable", "enrollTOTP", "otp_pin_minlength", "otp_pin_minlength=4"]
    );
    assert_eq!(menus(Role::User, &rights), ["tokens"]);
    assert_eq!(enrollable(&rights).keys().collect::<Vec<_>>(), ["totp"]);
    // The other scope has no policy.
    assert!(
        on.may(Role::Admin, "disable", &root(&headers))
            .expect("an answer")
            .is_some()
    );
    // One that does not fit forbids as well.
    let elsewhere = set(&[("p", json!({"scope": "user", "action": "enable", "realm": "realm2"}))]);
    assert!(
        elsewhere
            .may(Role::User, "enable", &alice(&headers))
            .expect("an answer")
            .is_none()
    );
    // So does one that allows nothing.
    let nothing = set(&[("p", json!({"scope": "user"}))]);
    assert!(nothing.rights(Role::User, &alice(&headers)).expect("rights").is_empty());
}

#[test]
fn a_policy_holds_where_all_that_it_says_fits() {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static("privacyidea-cp/3.1 Windows"),
    );
    let table = [
        (json!({}), true),
        (json!({"realm": "Realm1"}), true),
        (json!({"realm": "realm2, realm3"}), false),
        (json!({"realm": "*, -realm1"}), false),
        (json!({"resolver": "passwd1"}), true),
        (json!({"resolver": "passwd2"}), false),
        (json!({"user": "bob, ali.*"}), true),
        (json!({"user": "Alice"}), false),
        (json!({"user": "Alice", "user_case_insensitive": true}), true),
        (json!({"client": "192.0.2.0/24"}), true),
        (json!({"client": "192.0.2.0/24, -192.0.2.1"}), false),
        (json!({"time": "Mon: 12-13"}), true),
        (json!({"time": "Tue-Sun: 0-24"}), false),
        (json!({"user_agents": "PrivacyIDEA-CP"}), true),
        (json!({"user_agents": "curl"}), false),
        (
            json!({"conditions": [["userinfo", "group", "equals", "staff", true]]}),
            true,
        ),
        (
            json!({"conditions": [["userinfo", "group", "equals", "staff", true], ["userinfo", "group", "equals", "x", true]]}),
            false,
        ),
        (json!({"realm": "realm1", "user": "bob"}), false),
    ];
    for (limits, holds) in table {
        let mut fields = json!({"scope": "authentication", "action": "passthru"});
        fields
            .as_object_mut()
            .expect("an object")
            .extend(limits.as_object().expect("an object").clone());
        let rules = set(&[("p", fields)]).authentication(&alice(&headers)).expect("rules");
        assert_eq!(rules.passthru, holds, "{limits}");
        assert_eq!(rules.policies.contains("p"), holds, "{limits}");
    }
}

#[test]
fn the_smallest_priority_number_has_the_say() {
    let headers = HeaderMap::new();
    let set = set(&[
        (
            "a",
            json!({"scope": "webui", "action": "jwt_validity=100", "priority": 2}),
        ),
        (
            "b",
            json!({"scope": "webui", "action": "jwt_validity=200, login_mode=privacyIDEA", "priority": 1}),
        ),
        (
            "c",
            json!({"scope": "webui", "action": "jwt_validity=300, logout_time=5", "priority": 3}),
        ),
    ]);
    let login = set.login(&alice(&headers)).expect("rules");
    assert_eq!(
        (login.jwt_validity.as_secs(), login.login_mode),
        (200, LoginMode::PrivacyIdea)
    );
    assert_eq!(login.interface["logout_time"], 5);
    assert_eq!(Vec::from_iter(&login.policies), ["b", "c"]);
}

#[test]
fn different_values_of_the_same_priority_are_an_error_and_equal_ones_are_not() {
    let headers = HeaderMap::new();
    let two = |one: &str, other: &str| {
        let policy = |value: &str| json!({"scope": "webui", "action": format!("login_mode={value}")});
        set(&[("a", policy(one)), ("b", policy(other))]).login(&alice(&headers))
    };
    insta::assert_snapshot!(two("userstore", "disable").expect_err("a contradiction"), @"contradicting values of `login_mode` in the policies `a`, `b`");
    assert_eq!(
        two("disable", "disable").expect("rules").login_mode,
        LoginMode::Disabled
    );
}

#[test]
fn what_a_condition_does_not_know_is_an_error_where_the_policy_would_count() {
    let headers = HeaderMap::new();
    let policy = json!({"scope": "authentication", "action": "passthru", "conditions": [["userinfo", "phone", "equals", "1", true]]});
    let elsewhere = json!({"scope": "authentication", "action": "passthru", "realm": "realm2", "conditions": [["userinfo", "phone", "equals", "1", true]]});
    insta::assert_snapshot!(set(&[("p", policy)]).authentication(&alice(&headers)).expect_err("not known"), @"the policy `p` has a condition on `phone` in the section `userinfo`, which is not known here");
    assert!(
        !set(&[("p", elsewhere)])
            .authentication(&alice(&headers))
            .expect("rules")
            .passthru
    );
}

#[test]
fn an_administrators_policy_is_about_who_asks_and_about_whom() {
    let headers = HeaderMap::new();
    let set = set(&[
        (
            "all",
            json!({"scope": "admin", "action": "tokenlist, configread", "adminuser": "root"}),
        ),
        (
            "some",
            json!({"scope": "admin", "action": "delete, enable", "realm": "realm1", "adminuser": "root"}),
        ),
        (
            "help",
            json!({"scope": "admin", "action": "disable", "adminrealm": "helpdesk"}),
        ),
    ]);
    let about = |realm: &str, base: Circumstances<'static>| Circumstances {
        user: Some(User {
            realm: realm.to_owned(),
            ..User::default()
        }),
        ..base
    };
    let none: &'static HeaderMap = Box::leak(Box::new(HeaderMap::new()));
    let may = |action, circumstances: &Circumstances<'_>| {
        set.may(Role::Admin, action, circumstances)
            .expect("an answer")
            .is_some()
    };
    assert!(may("configread", &root(&headers)));
    assert!(may("delete", &about("realm1", root(none))));
    assert!(!may("delete", &about("realm2", root(none))));
    assert!(
        !may("delete", &about("", root(none))),
        "a token of nobody is of no realm"
    );
    assert!(!may("disable", &root(&headers)));
    assert!(
        set.may_everywhere(Role::Admin, "tokenlist", &root(&headers))
            .expect("an answer")
    );
    assert!(
        !set.may_everywhere(Role::Admin, "delete", &root(&headers))
            .expect("an answer")
    );
    let helper = Circumstances {
        admin: Some(Admin {
            login: "eve".to_owned(),
            realm: "helpdesk".to_owned(),
        }),
        ..root(&headers)
    };
    assert!(may("disable", &helper));
    assert!(!may("configread", &helper));
}

#[test]
fn rules_of_proofs_are_read_from_what_policies_say() {
    let headers = HeaderMap::new();
    let set = set(&[(
        "a",
        json!({"scope": "authentication", "action": "otppin=none, challenge_response=hotp totp, set_realm=Realm2, hide_specific_error_message"}),
    )]);
    let alice = alice(&headers);
    insta::assert_debug_snapshot!(set.authentication(&alice).expect("rules"), @r#"
    AuthenticationRules {
        otppin: None,
        challenges: true,
        challenge_text: None,
        passthru: false,
        hides_reasons: true,
        policies: {
            "a",
        },
    }
    "#);
    assert_eq!(set.other_realm(&alice).expect("rules").as_deref(), Some("realm2"));
}

#[test]
fn rules_of_what_follows_are_read_from_what_policies_say() {
    let headers = HeaderMap::new();
    let set = set(&[(
        "b",
        json!({"scope": "authorization", "action": "auth_max_fail=3/1m, auth_max_success=10/1h, add_user_in_response, no_detail_on_fail, authorized=deny_access"}),
    )]);
    let alice = alice(&headers);
    insta::assert_debug_snapshot!(set.authorization(&alice).expect("rules"), @r#"
    AuthorizationRules {
        max_fail: Some(
            Limit {
                count: 3,
                within: 60s,
                written: "3/1m",
            },
        ),
        max_success: Some(
            Limit {
                count: 10,
                within: 3600s,
                written: "10/1h",
            },
        ),
        tells_user: true,
        tells_resolver: false,
        hides_success: false,
        hides_failure: true,
        denied: true,
        policies: {
            "b",
        },
    }
    "#);
}

#[test]
fn rules_of_new_tokens_are_read_from_what_policies_say() {
    let headers = HeaderMap::new();
    let set = set(&[
        (
            "c",
            json!({"scope": "enrollment", "action": "tokenissuer=ACME, tokenlabel=<u>, verify_enrollment=hotp totp, max_token_per_user=2"}),
        ),
        ("d", json!({"scope": "user", "action": "otp_pin_minlength=4"})),
    ]);
    let alice = alice(&headers);
    insta::assert_debug_snapshot!(set.enrollment(&alice).expect("rules"), @r#"
    EnrollmentRules {
        label: Some(
            "<u>",
        ),
        issuer: Some(
            "ACME",
        ),
        is_verified: true,
        max_per_user: Some(
            2,
        ),
        policies: {
            "c",
        },
    }
    "#);
    assert_eq!(set.pin(Role::User, &alice).expect("rules").min, Some(4));
}

#[test]
fn the_user_is_looked_up_where_a_policy_goes_by_who_it_is() {
    let asks = |fields: Value| set(&[("p", fields)]).asks_for_user(&[Scope::Authentication, Scope::Authorization]);
    assert!(!asks(
        json!({"scope": "authentication", "action": "passthru", "realm": "r1"})
    ));
    assert!(!asks(
        json!({"scope": "webui", "action": "hide_buttons", "user": "bob"})
    ));
    assert!(!asks(
        json!({"scope": "authentication", "action": "passthru", "user": "bob", "active": false})
    ));
    assert!(asks(
        json!({"scope": "authentication", "action": "passthru", "user": "bob"})
    ));
    assert!(asks(
        json!({"scope": "authentication", "action": "passthru", "resolver": "r"})
    ));
    assert!(asks(json!({"scope": "authorization", "action": "auth_max_fail=1/1m"})));
    let by_group = json!([["userinfo", "group", "equals", "x", true]]);
    assert!(asks(
        json!({"scope": "authorization", "action": "add_user_in_response", "conditions": by_group})
    ));
}

#[test]
fn a_policy_that_is_not_understood_is_no_policy() {
    let refused = Policy::parse(
        "p",
        json!({"scope": "webui", "action": {"a": true}})
            .as_object()
            .expect("an object"),
    );
    assert!(matches!(refused, Err(PolicyError::Invalid(_))));
}
