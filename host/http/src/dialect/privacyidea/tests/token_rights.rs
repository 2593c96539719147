//! Whose tokens somebody sees and changes, and which rights that takes.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::device::OTPS;
use super::{House, told};
use crate::testing::told::Told;

/// What can be done to a token, with what that needs besides the serial.
fn acts() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("POST", "/token/enable", json!({})),
        ("POST", "/token/disable", json!({})),
        ("POST", "/token/reset", json!({})),
        ("POST", "/token/revoke", json!({})),
        ("POST", "/token/resync", json!({"otp1": OTPS[0], "otp2": OTPS[1]})),
        ("POST", "/token/setpin", json!({"otppin": "mine"})),
        ("POST", "/token/set", json!({"pin": "mine"})),
        ("POST", "/token/set", json!({"description": "mine"})),
        ("POST", "/token/description", json!({"description": "mine"})),
        ("POST", "/token/unassign", json!({})),
        ("POST", "/token/assign", json!({})),
        ("POST", "/token/init", json!({"verify": OTPS[0]})),
        ("DELETE", "/token/", json!({})),
    ]
}

/// The same as a request for this token.
fn request(uri: &str, body: &Value, serial: &str) -> (String, Value) {
    if uri == "/token/" {
        return (format!("/token/{serial}"), Value::Null);
    }
    let mut body = body.clone();
    body["serial"] = serial.into();
    (uri.to_owned(), body)
}

#[tokio::test]
async fn token_of_another_is_to_a_user_as_if_there_were_none() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    let dave = house.device(json!({"user": "dave"})).await;
    let elsewhere = house.device(json!({"user": "carol", "realm": "house"})).await;
    let before = (house.shown(&dave).await, house.shown(&elsewhere).await);
    for (method, uri, body) in acts() {
        let mut told_of = BTreeSet::new();
        for serial in [dave.as_str(), elsewhere.as_str(), "OATH00000000"] {
            let (uri, body) = request(uri, &body, serial);
            let reply = house.by(&carol, method, &uri, &body).await;
            told_of.insert(told(&reply).replace(serial, "SERIAL"));
        }
        assert_eq!(told_of.len(), 1, "{method} {uri}: {told_of:?}");
        assert!(told_of.iter().all(|told| told.starts_with("404 601 ")), "{told_of:?}");
    }
    assert_eq!((house.shown(&dave).await, house.shown(&elsewhere).await), before);
}

#[tokio::test]
async fn user_sees_and_makes_its_own_tokens_whatever_it_names() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    for (serial, user) in [("C1", "carol"), ("D1", "dave"), ("E1", "carol@house")] {
        house.device(json!({"serial": serial, "user": user})).await;
    }
    house.device(json!({"serial": "N1"})).await;
    for (query, expected) in [
        ("", vec!["C1"]),
        ("?user=dave", vec!["C1"]),
        ("?user=*&realm=house", vec!["C1"]),
        ("?tokenrealm=house", vec![]),
        ("?serial=D1", vec![]),
        ("?assigned=0", vec![]),
    ] {
        let reply = house
            .by(&carol, "GET", &format!("/token/{query}"), &Value::Null)
            .await
            .json();
        let tokens = reply["result"]["value"]["tokens"].as_array().expect("tokens").clone();
        let serials: Vec<_> = tokens
            .iter()
            .map(|token| token["serial"].as_str().expect("a serial"))
            .collect();
        assert_eq!(serials, expected, "{query}");
        assert_eq!(reply["result"]["value"]["count"], expected.len(), "{query}");
    }
    let body = json!({"type": "totp", "genkey": 1, "user": "dave", "realm": "house", "serial": "C2"});
    assert_eq!(told(&house.by(&carol, "POST", "/token/init", &body).await), "200 true");
    let made = house.shown("C2").await;
    assert_eq!(
        (&made["username"], &made["user_realm"]),
        (&json!("carol"), &json!("realm1"))
    );
    // One in the drawer may be taken, and another's cannot be overwritten.
    let taken = house
        .by(
            &carol,
            "POST",
            "/token/assign",
            &json!({"serial": "N1", "user": "dave"}),
        )
        .await;
    assert_eq!(told(&taken), "200 true");
    assert_eq!(house.shown("N1").await["username"], "carol");
    let body = json!({"type": "totp", "genkey": 1, "serial": "D1"});
    assert_eq!(house.by(&carol, "POST", "/token/init", &body).await.status, 400);
    assert_eq!(house.shown("D1").await["username"], "dave");
}

#[tokio::test]
async fn user_does_to_its_own_tokens_what_policies_allow() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    // Without policies all that there is; `set` itself is for administrators.
    for (method, uri, body) in acts() {
        let serial = house.device(json!({"user": "carol"})).await;
        if uri != "/token/init" {
            let (uri, body) = request(uri, &body, &serial);
            let reply = house.by(&carol, method, &uri, &body).await;
            assert_eq!(reply.status, 200, "{method} {uri} {body}: {reply:?}");
        }
    }
    let serial = house.device(json!({"user": "carol"})).await;
    let body = json!({"serial": serial, "max_failcount": 1000});
    let reply = house.by(&carol, "POST", "/token/set", &body).await;
    insta::assert_snapshot!(told(&reply), @r#"403 303 "No policy of the scope `user` allows the action `set`.""#);
    // With one, what it names and nothing else.
    house.policy("p", json!({"scope": "user", "action": "auditlog"})).await;
    let serial = house.device(json!({"user": "carol", "verify_enrollment": 1})).await;
    for (method, uri, body) in acts() {
        let (uri, body) = request(uri, &body, &serial);
        let reply = house.by(&carol, method, &uri, &body).await;
        assert!(told(&reply).starts_with("403 303 "), "{method} {uri}: {reply:?}");
    }
    for kind in ["hotp", "totp", "tan"] {
        let reply = house
            .by(&carol, "POST", "/token/init", &json!({"type": kind, "genkey": 1}))
            .await;
        assert!(told(&reply).starts_with("403 303 "), "{kind}: {reply:?}");
    }
    house
        .policy("q", json!({"scope": "user", "action": "disable, enrollTOTP"}))
        .await;
    let reply = house
        .by(
            &carol,
            "POST",
            "/token/init",
            &json!({"type": "totp", "genkey": 1, "pin": "1"}),
        )
        .await;
    assert!(
        told(&reply).starts_with("403 303 "),
        "`enrollpin` is not among them: {reply:?}"
    );
    let reply = house
        .by(&carol, "POST", "/token/init", &json!({"type": "totp", "genkey": 1}))
        .await;
    assert_eq!(told(&reply), "200 true");
    let serial = reply.json()["detail"]["serial"].clone();
    let reply = house
        .by(&carol, "POST", "/token/disable", &json!({"serial": serial}))
        .await;
    assert_eq!(told(&reply), "200 1");
}

/// A path of the document with something in each place.
fn filled(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "T" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What every operation would need, if it may.
fn everything() -> Value {
    json!({
        "serial": "T", "user": "carol", "realm": "realm1", "type": "hotp", "genkey": 1, "otp1": "1", "otp2": "2", "otppin": "x", "pin": "x",
        "description": "d", "max_failcount": 5, "scope": "webui", "action": "hide_buttons", "resolvers": "passwd1", "a": "b",
    })
}

/// Those that anybody may ask for who has logged in, or has not.
const FREE: [&str; 4] = ["/auth", "/auth/rights", "/validate/", "/system/signature"];

#[tokio::test]
async fn every_operation_wants_its_right_of_an_administrator() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    let session = house.token("alice", "s3cre7").await;
    // `getrandom` grants nothing here, and takes all the rest away.
    house
        .policy("p", json!({"scope": "admin", "action": "getrandom"}))
        .await;
    let told_of = Told::by(&house.router).await.expect("a document");
    let mut asked = 0;
    for (path, found) in told_of.operations() {
        if !found.operation["tags"][0]
            .as_str()
            .is_some_and(|tag| tag.starts_with("privacyidea"))
        {
            continue;
        }
        let is_free = FREE
            .iter()
            .any(|free| path == *free || (free.ends_with('/') && path.starts_with(free)));
        if is_free && !path.ends_with("/triggerchallenge") {
            continue;
        }
        let has_query = Method::GET.as_str() == found.method;
        let uri = filled(&path)
            + if has_query {
                "?user=carol&realm=realm1&scope=webui&action=hide_buttons"
            } else {
                ""
            };
        let body = if has_query { Value::Null } else { everything() };
        let reply = house.by(&session, &found.method, &uri, &body).await;
        assert!(
            told(&reply).starts_with("403 303 "),
            "{} {path}: {reply:?}",
            found.method
        );
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
    assert_eq!(
        house.by(&session, "GET", "/auth/rights", &Value::Null).await.json()["result"]["value"],
        json!({})
    );
}

/// Things to do to tokens of both realms, and of nobody.
fn realm_acts() -> [(&'static str, &'static str, Value); 13] {
    [
        ("POST", "/token/disable", json!({"serial": "H1"})),
        ("POST", "/token/disable", json!({"serial": "C1"})),
        ("POST", "/token/disable", json!({"serial": "N1"})),
        ("POST", "/token/disable", json!({"user": "carol", "realm": "realm1"})),
        (
            "POST",
            "/token/assign",
            json!({"serial": "C1", "user": "carol", "realm": "house"}),
        ),
        (
            "POST",
            "/token/assign",
            json!({"serial": "N1", "user": "carol", "realm": "realm1"}),
        ),
        (
            "POST",
            "/token/init",
            json!({"genkey": 1, "user": "carol", "realm": "realm1"}),
        ),
        ("POST", "/token/init", json!({"genkey": 1})),
        (
            "POST",
            "/token/init",
            json!({"genkey": 1, "user": "carol", "realm": "house"}),
        ),
        (
            "POST",
            "/validate/triggerchallenge",
            json!({"user": "carol", "realm": "realm1"}),
        ),
        ("POST", "/validate/triggerchallenge", json!({"serial": "C1"})),
        ("DELETE", "/token/C1", Value::Null),
        ("DELETE", "/token/H1", Value::Null),
    ]
}

#[tokio::test]
async fn administrator_of_a_realm_sees_and_changes_tokens_of_that_realm() {
    let house = House::new().await;
    for (serial, user) in [("C1", "carol"), ("C2", "dave"), ("H1", "carol@house")] {
        house.device(json!({"serial": serial, "user": user})).await;
    }
    house.device(json!({"serial": "N1"})).await;
    let session = house.token("alice", "s3cre7").await;
    let actions = "tokenlist, disable, assign, delete, enrollHOTP, triggerchallenge, setpin";
    house
        .policy("p", json!({"scope": "admin", "action": actions, "realm": "house"}))
        .await;
    let listed = house.by(&session, "GET", "/token/", &Value::Null).await.json();
    assert_eq!(listed["result"]["value"]["count"], 1, "{listed}");
    assert_eq!(listed["result"]["value"]["tokens"][0]["serial"], "H1");
    let mut lines = Vec::new();
    for (method, uri, body) in realm_acts() {
        let reply = house.by(&session, method, uri, &body).await;
        lines.push(format!("{method} {uri} {body}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    POST /token/disable {"serial":"H1"}: 200 1
    POST /token/disable {"serial":"C1"}: 403 303 "No policy of the scope `admin` allows the action `disable`."
    POST /token/disable {"serial":"N1"}: 403 303 "No policy of the scope `admin` allows the action `disable`."
    POST /token/disable {"user":"carol","realm":"realm1"}: 403 303 "No policy of the scope `admin` allows the action `disable`."
    POST /token/assign {"serial":"C1","user":"carol","realm":"house"}: 400 905 "ERR905: the factor belongs to somebody else"
    POST /token/assign {"serial":"N1","user":"carol","realm":"realm1"}: 403 303 "No policy of the scope `admin` allows the action `assign`."
    POST /token/init {"genkey":1,"user":"carol","realm":"realm1"}: 403 303 "No policy of the scope `admin` allows the action `enrollHOTP`."
    POST /token/init {"genkey":1}: 403 303 "No policy of the scope `admin` allows the action `enrollHOTP`."
    POST /token/init {"genkey":1,"user":"carol","realm":"house"}: 200 true
    POST /validate/triggerchallenge {"user":"carol","realm":"realm1"}: 403 303 "No policy of the scope `admin` allows the action `triggerchallenge`."
    POST /validate/triggerchallenge {"serial":"C1"}: 403 303 "No policy of the scope `admin` allows the action `triggerchallenge`."
    DELETE /token/C1 null: 403 303 "No policy of the scope `admin` allows the action `delete`."
    DELETE /token/H1 null: 200 1
    "#);
}

#[tokio::test]
async fn new_tokens_are_as_policies_want_them() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    house
        .policy(
            "look",
            json!({"scope": "enrollment", "action": r"tokenlabel=<u>@<r>/<s>, tokenissuer=ACME\, Inc."}),
        )
        .await;
    let made = house
        .admin(
            "POST",
            "/token/init",
            json!({"genkey": 1, "user": "carol", "serial": "T"}),
        )
        .await;
    let uri = made.json()["detail"]["googleurl"]["value"]
        .as_str()
        .expect("a URI")
        .to_owned();
    assert!(uri.starts_with("otpauth://hotp/carol%40realm1%2FT?"), "{uri}");
    assert!(uri.contains("&issuer=ACME%2C%20Inc."), "{uri}");
    house
        .policy(
            "most",
            json!({"scope": "enrollment", "action": "max_token_per_user=2", "realm": "realm1"}),
        )
        .await;
    house
        .policy(
            "show",
            json!({"scope": "enrollment", "action": "verify_enrollment=hotp totp", "user": "dave"}),
        )
        .await;
    let init = json!({"type": "hotp", "genkey": 1});
    let made = house.by(&carol, "POST", "/token/init", &init).await;
    assert_eq!(made.json()["detail"]["rollout_state"], "", "{made:?}");
    let more = house.by(&carol, "POST", "/token/init", &init).await;
    insta::assert_snapshot!(told(&more), @r#"403 303 "The user may have no more than 2 tokens.""#);
    let dave = house.token("dave", "d4ve").await;
    let made = house.by(&dave, "POST", "/token/init", &init).await;
    assert_eq!(made.json()["detail"]["rollout_state"], "verify", "{made:?}");
}

#[tokio::test]
async fn pins_are_as_long_as_policies_want_them() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    let session = house.token("alice", "s3cre7").await;
    let actions = "enrollHOTP, enrollpin, setpin, set, otp_pin_minlength=4, otp_pin_maxlength=6";
    house.policy("p", json!({"scope": "admin", "action": actions})).await;
    let mut lines = Vec::new();
    for (uri, body) in [
        ("/token/init", json!({"genkey": 1})),
        ("/token/init", json!({"genkey": 1, "pin": "123"})),
        ("/token/init", json!({"genkey": 1, "pin": "öäüß"})),
        ("/token/setpin", json!({"serial": "T", "otppin": "1234567"})),
        ("/token/setpin", json!({"serial": "T", "otppin": ""})),
        ("/token/setpin", json!({"serial": "T", "otppin": "123456"})),
        ("/token/set", json!({"serial": "T", "pin": "123"})),
        ("/token/set", json!({"serial": "T", "max_failcount": 5})),
    ] {
        let reply = house.by(&session, "POST", uri, &body).await;
        lines.push(format!("{uri} {body}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    /token/init {"genkey":1}: 400 905 "ERR905: The PIN must have at least 4 characters"
    /token/init {"genkey":1,"pin":"123"}: 400 905 "ERR905: The PIN must have at least 4 characters"
    /token/init {"genkey":1,"pin":"öäüß"}: 200 true
    /token/setpin {"serial":"T","otppin":"1234567"}: 400 905 "ERR905: The PIN must have no more than 6 characters"
    /token/setpin {"serial":"T","otppin":""}: 400 905 "ERR905: The PIN must have at least 4 characters"
    /token/setpin {"serial":"T","otppin":"123456"}: 200 1
    /token/set {"serial":"T","pin":"123"}: 400 905 "ERR905: The PIN must have at least 4 characters"
    /token/set {"serial":"T","max_failcount":5}: 200 1
    "#);
}
