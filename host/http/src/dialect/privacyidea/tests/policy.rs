//! Policies, written and read over the API. What they say together is tested beside them.

use serde_json::{Value, json};

use super::{FORM, House, told};
use crate::testing::Reply;

/// The names of the policies in a list.
fn names(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let policies = body["result"]["value"].as_array();
    let policies = policies.unwrap_or_else(|| panic!("{reply:?}"));
    let name = |policy: &Value| policy["name"].as_str().expect("a name").to_owned();
    policies.iter().map(name).collect()
}

#[tokio::test]
async fn policy_is_written_shown_switched_and_removed() {
    let house = House::new().await;
    let body = json!({"scope": "webui", "action": "logout_time=17", "realm": "Realm1, house", "priority": 3});
    let written = house.admin("POST", "/policy/p1", body).await;
    assert!(
        written.json()["result"]["value"]["setPolicy p1"].is_i64(),
        "{written:?}"
    );
    let shown = house.admin("GET", "/policy/p1", Value::Null).await;
    insta::assert_snapshot!(shown.json()["result"]["value"], @r#"[{"action":{"logout_time":"17"},"active":true,"adminrealm":[],"adminuser":[],"check_all_resolvers":false,"client":[],"conditions":[],"description":null,"name":"p1","pinode":[],"priority":3,"realm":["Realm1","house"],"resolver":[],"scope":"webui","time":"","user":[],"user_agents":[],"user_case_insensitive":false}]"#);
    let rests = async || house.log_in("carol", "c4rol").await.json()["result"]["value"]["logout_time"].clone();
    assert_eq!(rests().await, 17, "it counts at once");
    let id = written.json()["result"]["value"]["setPolicy p1"].clone();
    let off = house.admin("POST", "/policy/disable/p1", Value::Null).await;
    assert_eq!(off.json()["result"]["value"], id);
    assert_eq!(rests().await, 120);
    house.admin("POST", "/policy/enable/p1", Value::Null).await;
    assert_eq!(rests().await, 17);
    let removed = house.admin("DELETE", "/policy/p1", Value::Null).await;
    assert_eq!(removed.json()["result"]["value"], id);
    assert_eq!(rests().await, 120);
    for (method, uri) in [
        ("DELETE", "/policy/p1"),
        ("POST", "/policy/enable/p1"),
        ("POST", "/policy/disable/p1"),
    ] {
        let reply = house.admin(method, uri, Value::Null).await;
        assert!(told(&reply).starts_with("404 601 "), "{method} {uri}: {reply:?}");
    }
    assert_eq!(
        names(&house.admin("GET", "/policy/p1", Value::Null).await),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn policies_are_written_as_forms_too() {
    let house = House::new().await;
    let session = house.token("alice", "s3cre7").await;
    let headers = [FORM, ("pi-authorization", session.as_str())];
    let form =
        "scope=authorization&action=auth_max_fail%3D5%2F10m%2C+no_detail_on_fail&realm=realm1&active=false&priority=2";
    let written = house.ask("POST", "/policy/limits", &headers, form).await;
    assert_eq!(written.status, 200, "{written:?}");
    let shown = house.admin("GET", "/policy/limits", Value::Null).await;
    let policy = shown.json()["result"]["value"][0].clone();
    assert_eq!(
        policy["action"],
        json!({"auth_max_fail": "5/10m", "no_detail_on_fail": true})
    );
    assert_eq!((&policy["active"], &policy["priority"]), (&json!(false), &json!(2)));
}

#[tokio::test]
async fn list_is_narrowed() {
    let house = House::new().await;
    house
        .policy(
            "a",
            json!({"scope": "webui", "action": "logout_time=17", "realm": "realm1"}),
        )
        .await;
    house
        .policy("b", json!({"scope": "user", "action": "disable", "active": false}))
        .await;
    house
        .policy(
            "c",
            json!({"scope": "user", "action": "enable", "realm": ["REALM1", "house"]}),
        )
        .await;
    for (query, expected) in [
        ("", vec!["a", "b", "c"]),
        ("?scope=user", vec!["b", "c"]),
        ("?active=true", vec!["a", "c"]),
        ("?active=0", vec!["b"]),
        ("?realm=realm1", vec!["a", "c"]),
        ("?realm=house&scope=webui", vec![]),
    ] {
        let reply = house.admin("GET", &format!("/policy/{query}"), Value::Null).await;
        assert_eq!(names(&reply), expected, "{query}");
    }
}

#[tokio::test]
async fn policy_that_would_not_be_followed_is_refused() {
    let house = House::new().await;
    let mut lines = Vec::new();
    for (name, body) in [
        ("p", json!({"action": "enable"})),
        ("p", json!({"scope": "nowhere", "action": "enable"})),
        ("p", json!({"scope": "token", "action": "x"})),
        ("p", json!({"scope": "webui"})),
        ("p", json!({"scope": "admin", "action": ""})),
        ("p", json!({"scope": "webui", "action": "jwt_validity=soon"})),
        ("p", json!({"scope": "webui", "action": "enable"})),
        ("p", json!({"scope": "authentication", "action": "otppin=maybe"})),
        ("p", json!({"scope": "authorization", "action": "auth_max_fail=many"})),
        ("p", json!({"scope": "user", "action": "enable", "client": "here"})),
        ("p", json!({"scope": "user", "action": "enable", "time": "always"})),
        ("p", json!({"scope": "user", "action": "enable", "user": "a("})),
        (
            "p",
            json!({"scope": "user", "action": "enable", "conditions": [["weather", "sun", "equals", "1", true]]}),
        ),
        ("check", json!({"scope": "user", "action": "enable"})),
        ("a%20b", json!({"scope": "user", "action": "enable"})),
    ] {
        let reply = house.admin("POST", &format!("/policy/{name}"), body.clone()).await;
        lines.push(format!("{name} {body}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    p {"action":"enable"}: 400 905 "ERR905: Missing parameter: 'scope'"
    p {"scope":"nowhere","action":"enable"}: 400 905 "ERR905: unknown scope `nowhere`"
    p {"scope":"token","action":"x"}: 400 905 "ERR905: the scope `token` has no effect on this server"
    p {"scope":"webui"}: 400 905 "ERR905: Missing parameter: 'action'"
    p {"scope":"admin","action":""}: 400 905 "ERR905: Missing parameter: 'action'"
    p {"scope":"webui","action":"jwt_validity=soon"}: 400 905 "ERR905: the action `jwt_validity` takes a number from 1 to 31536000"
    p {"scope":"webui","action":"enable"}: 400 905 "ERR905: the action `enable` has no effect in the scope `webui` of this server"
    p {"scope":"authentication","action":"otppin=maybe"}: 400 905 "ERR905: the action `otppin` takes one of `tokenpin`, `userstore`, `none`"
    p {"scope":"authorization","action":"auth_max_fail=many"}: 400 905 "ERR905: the action `auth_max_fail` takes a limit like `5/10m`"
    p {"scope":"user","action":"enable","client":"here"}: 400 905 "ERR905: `client`: `here` is no network"
    p {"scope":"user","action":"enable","time":"always"}: 400 905 "ERR905: `time`: `always` is not like `Mon-Fri: 9-18, Sat: 10:30-15`"
    p {"scope":"user","action":"enable","user":"a("}: 400 905 "ERR905: `user`: `a(` is no pattern"
    p {"scope":"user","action":"enable","conditions":[["weather","sun","equals","1",true]]}: 400 905 "ERR905: `conditions`: this server can evaluate the sections `userinfo` and `HTTP Request header` alone"
    check {"scope":"user","action":"enable"}: 405 -405 "The method is not allowed for the requested URL."
    a%20b {"scope":"user","action":"enable"}: 400 905 "ERR905: the name of a policy is 1 to 64 characters of `a-zA-Z0-9_.-`, and none of `check` and `defs`"
    "#);
    assert_eq!(
        names(&house.admin("GET", "/policy/", Value::Null).await),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn policies_that_cannot_be_followed_let_in_who_can_mend_them_and_nobody_else() {
    let house = House::new().await;
    let mode = |mode: &str| json!({"scope": "webui", "action": format!("login_mode={mode}")});
    let by_phone = json!([["userinfo", "phone", "equals", "1", true]]);
    house.policy("a", mode("userstore")).await;
    house.policy("b", mode("privacyIDEA")).await;
    insta::assert_snapshot!(told(&house.log_in("carol", "c4rol").await), @r#"403 303 "contradicting values of `login_mode` in the policies `a`, `b`""#);
    house.admin("DELETE", "/policy/b", Value::Null).await;
    assert_eq!(house.log_in("carol", "c4rol").await.status, 200);
    house
        .policy(
            "c",
            json!({"scope": "authentication", "action": "passthru", "conditions": by_phone}),
        )
        .await;
    insta::assert_snapshot!(told(&house.log_in("carol", "c4rol").await), @r#"403 303 "the policy `c` has a condition on `phone` in the section `userinfo`, which is not known here""#);
    insta::assert_snapshot!(told(&house.log_in("nobody", "c4rol").await), @r#"401 4031 "Authentication failed.""#);
    insta::assert_snapshot!(told(&house.log_in("alice", "wrong").await), @r#"403 303 "the policy `c` has a condition on `phone` in the section `userinfo`, which is not known here""#);
    house.admin("DELETE", "/policy/c", Value::Null).await;
    assert_eq!(house.log_in("carol", "c4rol").await.status, 200);
}

#[tokio::test]
async fn rights_menus_and_types_follow_the_policies_of_a_role() {
    let house = House::new().await;
    let standing = async |username: &str, password: &str| {
        let value = house.log_in(username, password).await.json()["result"]["value"].clone();
        let session = value["token"].as_str().expect("a token").to_owned();
        let types = house.by(&session, "GET", "/auth/rights", &Value::Null).await.json()["result"]["value"].clone();
        let types: Vec<_> = types.as_object().expect("types").keys().cloned().collect();
        format!("{} {} {types:?}", value["rights"], value["menus"])
    };
    house
        .policy(
            "u",
            json!({"scope": "user", "action": "enrollTOTP, disable, otp_pin_minlength=4", "realm": "realm1"}),
        )
        .await;
    house
        .policy(
            "a",
            json!({"scope": "admin", "action": "policywrite, policyread, tokenlist, enrollTAN", "adminuser": "alice"}),
        )
        .await;
    let lines = [
        standing("carol", "c4rol").await,
        standing("carol@house", "c4rol").await,
        standing("alice", "s3cre7").await,
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    ["disable","enrollTOTP","otp_pin_minlength","otp_pin_minlength=4"] ["tokens"] ["totp"]
    [] [] []
    ["enrollTAN","policyread","policywrite","tokenlist"] ["tokens","config"] ["tan"]
    "#);
    house
        .policy(
            "a",
            json!({"scope": "admin", "action": "policywrite", "adminuser": "somebody"}),
        )
        .await;
    assert_eq!(standing("alice", "s3cre7").await, "[] [] []");
}

#[tokio::test]
async fn what_a_session_may_do_is_what_policies_say_now() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    let may = async || house.by(&carol, "GET", "/audit/", &Value::Null).await.status.as_u16();
    assert_eq!(may().await, 200);
    house.policy("u", json!({"scope": "user", "action": "disable"})).await;
    assert_eq!(may().await, 403, "though the token of the session says otherwise");
    house.admin("DELETE", "/policy/u", Value::Null).await;
    assert_eq!(may().await, 200);
}

#[tokio::test]
async fn policies_are_for_administrators() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    for (method, uri) in [
        ("GET", "/policy/"),
        ("GET", "/policy/a"),
        ("POST", "/policy/a"),
        ("DELETE", "/policy/a"),
        ("POST", "/policy/enable/a"),
        ("POST", "/policy/disable/a"),
        ("GET", "/policy/defs"),
        ("GET", "/policy/check"),
    ] {
        let reply = house.by(&carol, method, uri, &Value::Null).await;
        assert!(told(&reply).starts_with("401 4306 "), "{method} {uri}: {reply:?}");
    }
}

#[tokio::test]
async fn definitions_tell_of_every_action() {
    let house = House::new().await;
    let all = house.admin("GET", "/policy/defs", Value::Null).await.json()["result"]["value"].clone();
    for (scope, action, kind) in [
        ("admin", "policywrite", "bool"),
        ("user", "enrollTOTP", "bool"),
        ("authentication", "otppin", "str"),
        ("authentication", "set_realm", "str"),
        ("authorization", "auth_max_fail", "str"),
        ("enrollment", "max_token_per_user", "int"),
        ("webui", "jwt_validity", "int"),
    ] {
        assert_eq!(all[scope][action]["type"], kind, "{scope} {action}");
        let one = house.admin("GET", &format!("/policy/defs/{scope}"), Value::Null).await;
        assert_eq!(one.json()["result"]["value"], all[scope]);
    }
    assert_eq!(
        all["authentication"]["otppin"]["value"],
        json!(["tokenpin", "userstore", "none"])
    );
    let unknown = house.admin("GET", "/policy/defs/nowhere", Value::Null).await;
    insta::assert_snapshot!(told(&unknown), @r#"400 905 "ERR905: unknown scope `nowhere`""#);
}

#[tokio::test]
async fn it_is_told_which_policies_hold_for_somebody() {
    let house = House::new().await;
    house
        .policy(
            "a",
            json!({"scope": "authentication", "action": "passthru", "realm": "realm1", "client": "192.0.2.0/24"}),
        )
        .await;
    let check = async |query: &str| {
        let query = format!("/policy/check?scope=authentication&action=passthru&{query}");
        let reply = house.admin("GET", &query, Value::Null).await;
        let value = reply.json()["result"]["value"].clone();
        format!("{} {}", value["allowed"], value["policy"][0]["name"])
    };
    assert_eq!(check("user=carol&realm=REALM1&client=192.0.2.9").await, "true \"a\"");
    assert_eq!(check("user=carol&realm=realm1&client=198.51.100.1").await, "false null");
    assert_eq!(check("user=carol&realm=house&client=192.0.2.9").await, "false null");
    for query in ["user=carol", "user=carol&realm=realm1&client=here"] {
        let uri = format!("/policy/check?scope=authentication&action=passthru&{query}");
        assert_eq!(house.admin("GET", &uri, Value::Null).await.status, 400, "{query}");
    }
}
