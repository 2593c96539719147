//! Who is an administrator, and who is not.

use keyway_core::port::{Clock as _, SystemRandom};
use keyway_core::token::CheckRequest;
use serde_json::json;

use super::device::{OTPS, transaction};
use super::{House, JSON, settings, told};
use crate::PrivacyideaSettings;
use crate::dialect::privacyidea::jwt::Claims;
use crate::dialect::privacyidea::rights::Role;
use crate::testing::Reply;

/// Role, login name and realm of who was let in; what was said of an error.
fn who(reply: &Reply) -> String {
    let value = &reply.json()["result"]["value"];
    if value.is_object() {
        format!("{} `{}` of `{}`", value["role"], value["username"], value["realm"]).replace('"', "")
    } else {
        told(reply)
    }
}

#[tokio::test]
async fn local_administrator_goes_before_the_user_of_a_realm() {
    let house = House::new().await;
    let mut lines = Vec::new();
    for (username, password, realm) in [
        ("alice", "s3cre7", None),
        (" alice ", "s3cre7", Some("")),
        ("alice", "s3cre7", Some("realm1")),
        ("alice@realm1", "s3cre7", None),
        ("alice", "4lice", None),
        ("alice@realm1", "4lice", None),
        ("carol", "c4rol", None),
        ("carol", "c4rol", Some("HOUSE")),
        ("carol@House", "c4rol", None),
    ] {
        let body = json!({"username": username, "password": password, "realm": realm}).to_string();
        let reply = house.ask("POST", "/auth", &[JSON], &body).await;
        lines.push(format!("{username} / {password} {realm:?}: {}", who(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    alice / s3cre7 None: admin `alice` of ``
     alice  / s3cre7 Some(""): admin `alice` of ``
    alice / s3cre7 Some("realm1"): admin `alice` of ``
    alice@realm1 / s3cre7 None: 401 4031 "Authentication failed."
    alice / 4lice None: user `alice` of `realm1`
    alice@realm1 / 4lice None: user `alice` of `realm1`
    carol / c4rol None: user `carol` of `realm1`
    carol / c4rol Some("HOUSE"): user `carol` of `house`
    carol@House / c4rol None: user `carol` of `house`
    "#);
}

#[tokio::test]
async fn strangers_do_not_shut_the_local_administrator_out() {
    let house = House::new().await;
    house
        .policy("p", json!({"scope": "authorization", "action": "auth_max_fail=2/5m"}))
        .await;
    for status in [4031, 4031, 403, 403] {
        let reply = house.log_in("alice", "wrong").await;
        assert_eq!(reply.json()["result"]["error"]["code"], status, "{reply:?}");
    }
    assert_eq!(who(&house.log_in("alice", "s3cre7").await), "admin `alice` of ``");
    // The user of the realm of the same name is another person.
    let user = house.log_in("alice", "4lice").await;
    assert!(told(&user).starts_with("401 403 "), "{user:?}");
}

#[tokio::test]
async fn user_of_an_administrators_name_is_shut_out_in_the_second_step_as_well() {
    let house = House::new().await;
    house
        .device(json!({"serial": "A", "user": "alice", "realm": "realm1"}))
        .await;
    let asked = house.log_in("alice", "4lice").await;
    let body = json!({"username": "alice", "password": OTPS[0], "transaction_id": transaction(&asked)}).to_string();
    house
        .policy(
            "p",
            json!({"scope": "webui", "action": "login_mode=disable", "realm": "realm1"}),
        )
        .await;
    let denied = house.ask("POST", "/auth", &[JSON], &body).await;
    assert!(told(&denied).starts_with("403 303 "), "{denied:?}");
    house.admin("DELETE", "/policy/p", serde_json::Value::Null).await;
    let reply = house.ask("POST", "/auth", &[JSON], &body).await;
    assert_eq!(who(&reply), "user `alice` of `realm1`");
}

#[tokio::test]
async fn users_of_a_superuser_realm_are_administrators_of_that_realm() {
    let house = House::with(PrivacyideaSettings {
        superuser_realms: vec!["house".to_owned()],
        ..settings()
    })
    .await;
    assert_eq!(
        who(&house.log_in("carol@HOUSE", "c4rol").await),
        "admin `carol` of `house`"
    );
    assert_eq!(who(&house.log_in("carol", "c4rol").await), "user `carol` of `realm1`");
}

#[tokio::test]
async fn access_makes_an_administrator_and_nothing_else() {
    let house = House::new().await;
    house
        .state
        .state
        .directory
        .detach_policy("alice", "alice")
        .await
        .expect("detached");
    assert_eq!(
        told(&house.log_in("alice", "s3cre7").await),
        "401 4031 \"Authentication failed.\""
    );
    assert_eq!(who(&house.log_in("alice", "4lice").await), "user `alice` of `realm1`");
    let directory = &house.state.state.directory;
    directory
        .add_policy("everything", vec!["#".to_owned()])
        .await
        .expect("a policy");
    directory.attach_policy("everything", "alice").await.expect("attached");
    assert_eq!(who(&house.log_in("alice", "s3cre7").await), "admin `alice` of ``");
}

#[tokio::test]
async fn local_administrator_is_a_user_of_the_hosts_own() {
    let house = House::with(PrivacyideaSettings {
        admin_backend: "realms".to_owned(),
        ..settings()
    })
    .await;
    let state = &house.state.state;
    let token = house.token("alice", "4lice").await;
    let claims = state.privacyidea_keys.jwt.read(&token, house.state.clock.now());
    let token = claims.expect("claims").token;
    let live = state
        .tokens
        .check(&token, CheckRequest::default())
        .await
        .expect("a session");
    let identity = live.record.session.identity.id.to_string();
    // The access of an administrator, for somebody else of an administrator's name, through the administrators' door.
    state
        .directory
        .attach_policy("alice", &identity)
        .await
        .expect("attached");
    let reply = house.log_in("alice", "4lice").await;
    assert_eq!(who(&reply), "user `alice` of `realm1`");
}

#[tokio::test]
async fn realm_whose_users_are_no_longer_administrators_takes_the_role_from_their_tokens() {
    let superuser = |realm: &str| PrivacyideaSettings {
        superuser_realms: vec![realm.to_owned()],
        ..settings()
    };
    for (house, status) in [
        (House::with(superuser("realm1")).await, 200),
        (House::with(superuser("house")).await, 401),
    ] {
        let token = house.token("carol", "c4rol").await;
        // As it was made when the realm was one of theirs.
        let jwt = &house.state.state.privacyidea_keys.jwt;
        let claims = jwt.read(&token, house.state.clock.now()).expect("claims");
        let claims = Claims {
            role: Role::Admin,
            ..claims
        };
        let token = jwt.sign(&claims, &SystemRandom);
        let headers = [("authorization", token.as_str())];
        let reply = house.ask("GET", "/realm/", &headers, "").await;
        assert_eq!(reply.status, status, "{reply:?}");
        if status == 401 {
            assert_eq!(reply.json()["result"]["error"]["code"], 4306);
        }
        assert_eq!(house.ask("GET", "/auth/rights", &headers, "").await.status, 200);
    }
}

#[tokio::test]
async fn nobody_is_believed_who_says_who_it_is_by_a_header_or_a_foreign_token() {
    let house = House::new().await;
    for header in ["remote_user", "remote-user", "x-remote-user", "x-forwarded-user"] {
        for body in [
            json!({"username": "alice"}),
            json!({"username": "alice", "password": ""}),
            json!({}),
        ] {
            let reply = house
                .ask("POST", "/auth", &[JSON, (header, "alice")], &body.to_string())
                .await;
            assert_eq!(reply.status, 401, "{header} {body}: {reply:?}");
        }
        let reply = house.ask("GET", "/auth/rights", &[(header, "alice")], "").await;
        assert_eq!(reply.json()["result"]["error"]["code"], 4033, "{header}");
    }
    // `{"alg":"RS256","typ":"JWT"}`, for `{"username":"alice","realm":"","role":"admin","exp":4102444800,"rights":[]}`.
    let foreign = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VybmFtZSI6ImFsaWNlIiwicmVhbG0iOiIiLCJyb2xlIjoiYWRtaW4iLCJleHAiOjQxMDI0NDQ4MDAsInJpZ2h0cyI6W119.AAAA";
    let reply = house.ask("GET", "/realm/", &[("authorization", foreign)], "").await;
    insta::assert_snapshot!(told(&reply), @r#"401 4304 "Authentication failure. Error decoding the Authorization token: its algorithm is not allowed""#);
}

#[tokio::test]
async fn user_is_told_that_a_route_is_for_administrators() {
    let house = House::new().await;
    let token = house.token("carol", "c4rol").await;
    let mut lines = Vec::new();
    for (method, path) in [
        ("GET", "/realm/"),
        ("POST", "/realm/a"),
        ("DELETE", "/realm/realm1"),
        ("GET", "/defaultrealm"),
        ("GET", "/resolver/"),
        ("POST", "/resolver/a"),
        ("POST", "/resolver/test"),
        ("GET", "/system/"),
        ("POST", "/system/setConfig"),
    ] {
        let reply = house.ask(method, path, &[JSON, ("authorization", &token)], "{}").await;
        assert_eq!(reply.json()["detail"], json!(null), "{method} {path}");
        lines.push(format!("{method} {path}: {}", told(&reply)));
    }
    lines.dedup_by_key(|line| line.split_once(": ").map(|(_, told)| told.to_owned()));
    insta::assert_snapshot!(lines.join("\n"), @r#"GET /realm/: 401 4306 "Authentication failure. You do not have the necessary role (['admin']) for this.""#);
}

#[tokio::test]
async fn removing_a_user_ends_its_tokens() {
    let house = House::new().await;
    let token = house.token("alice", "s3cre7").await;
    let headers = [("authorization", token.as_str())];
    assert_eq!(house.ask("GET", "/auth/rights", &headers, "").await.status, 200);
    house.state.state.directory.remove_user("alice").await.expect("removed");
    let reply = house.ask("GET", "/auth/rights", &headers, "").await;
    insta::assert_snapshot!(told(&reply), @r#"401 4304 "Authentication failure. Error decoding the Authorization token: its session has ended""#);
}
