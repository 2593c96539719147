//! The server's own configuration, and which web pages may read the answers.

use http::HeaderValue;
use serde_json::{Value, json};

use super::directory::Caller;
use super::{routes, token};
use crate::testing::{Reply, TestState, ask};
use crate::{Cors, DialectSettings, WazoSettings};

fn status(reply: &Reply) -> u16 {
    reply.status.as_u16()
}

#[tokio::test]
async fn the_configuration_is_shown_in_the_originals_words_without_secrets() {
    let caller = Caller::with("auth.config.read").await;
    let reply = caller.ask("GET", "/config", &Value::Null).await;
    assert_eq!(status(&reply), 200);
    assert!(!reply.body.contains("s3cre7"), "{}", reply.body);
    let body = reply.json();
    let expected = json!({
        "debug": false,
        "profiling_enabled": false,
        "log_level": "info",
        "default_token_lifetime": 7200,
        "max_user_concurrent_sessions": 100,
        "password_reset_expiration": 3600,
        "default_user_policy": "user",
        "default_policies": {"user": {"acl": ["a"], "description": null}},
        "all_users_policies": {"user": true},
        "tenant_default_groups": {"staff": {"name": "The staff", "policies": {"user": true}}},
        "update_policy_on_startup": true,
        "bootstrap_user_on_startup": true,
        "bootstrap_user_username": "root",
        "bootstrap_user_password": "********",
        "bootstrap_user_purpose": "internal",
        "enabled_backend_plugins": {"wazo_user": true},
        "enabled_http_plugins": {"user_registration": false},
        "smtp": {"hostname": "mail.example.org", "port": 587, "username": "keyway", "password": "********"},
        "password_reset_from_address": "noreply@example.org",
        "db_uri": "postgres://keyway:********@db/keyway",
    });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&body[key], value, "{key}");
    }
    let rest = &body["rest_api"];
    assert_eq!((&rest["listen"], &rest["port"]), (&json!("127.0.0.1"), &json!(9497)));
    assert_eq!(
        (&rest["cors"]["enabled"], &rest["cors"]["origins"]),
        (&json!(true), &json!("*"))
    );
}

#[tokio::test]
async fn debug_and_profiling_alone_can_be_changed() {
    let caller = Caller::with("auth.config.#").await;
    let replace = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
    for on in [true, false] {
        let patch = json!([replace("/debug", json!(on)), replace("/profiling_enabled", json!(on))]);
        let patched = caller.ask("PATCH", "/config", &patch).await;
        assert_eq!(status(&patched), 200);
        let shown = caller.ask("GET", "/config", &Value::Null).await.json();
        assert_eq!(patched.json(), shown);
        assert_eq!((&shown["debug"], &shown["profiling_enabled"]), (&json!(on), &json!(on)));
    }
    let right = replace("/debug", json!(true));
    for wrong in [
        json!({}),
        json!("x"),
        json!([1]),
        json!([{}]),
        json!([right, {"op": "add", "path": "/debug", "value": true}]),
        json!([right, replace("/log_level", json!(true))]),
        json!([right, replace("/debug", json!("true"))]),
        json!([right, {"op": "replace", "path": "/debug"}]),
    ] {
        let reply = caller.ask("PATCH", "/config", &wrong).await;
        let body = reply.json();
        assert_eq!(
            (status(&reply), &body["error_id"]),
            (400, &json!("invalid-data")),
            "{wrong}"
        );
        assert_eq!(body["resource"], "config");
    }
    let shown = caller.ask("GET", "/config", &Value::Null).await.json();
    assert_eq!(shown["debug"], false, "all of a patch, or none of it");
    assert_eq!(status(&caller.ask("PATCH", "/config", &Value::Null).await), 400);
    assert_eq!(status(&caller.ask("PATCH", "/config", &json!([])).await), 200);
}

#[tokio::test]
async fn the_configuration_is_the_top_tenants_alone() {
    let house = TestState::new().await;
    let directory = &house.state.directory;
    let below = directory.add_tenant("below", None, None, &[]).await.expect("added");
    let alice = directory.get_user("alice").await.expect("there");
    house.grant_alice("#").await;
    house.store.replace_user(keyway_core::model::User {
        tenant: below.id,
        ..alice
    });
    let caller = Caller::of(house).await;
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({}))] {
        let reply = caller.ask(method, "/config", &body).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (401, &json!("unauthorized"))
        );
    }
    let caller = Caller::with("auth.config.read").await;
    let reply = caller.ask("PATCH", "/config", &json!([])).await;
    assert_eq!(status(&reply), 401);
    assert_eq!(reply.json()["details"]["required_access"], "auth.config.update");
}

async fn with(cors: Cors) -> TestState {
    TestState::with(DialectSettings {
        wazo: WazoSettings {
            cors,
            ..WazoSettings::default()
        },
        ..DialectSettings::default()
    })
    .await
}

/// Who may read the answer, which headers it may send, and what a cache must tell apart, as a page of this origin learns it.
async fn learns(house: &TestState, method: &str, origin: &str) -> (Option<String>, Option<String>, Option<String>) {
    let router = routes(house);
    let reply = ask(&router, method, "/0.1/backends", &[("origin", origin)], "").await;
    let header = |name: &str| reply.header(name).map(str::to_owned);
    assert_eq!(status(&reply), 200);
    (
        header("access-control-allow-origin"),
        header("access-control-allow-headers"),
        header("vary"),
    )
}

#[tokio::test]
async fn pages_of_the_origins_that_are_named_alone_may_read_answers() {
    let cors = Cors {
        origins: vec![HeaderValue::from_static("https://a.example.org")],
        headers: vec!["X-Auth-Token".to_owned()],
        ..Cors::default()
    };
    let house = with(cors).await;
    let text = |text: &str| Some(text.to_owned());
    let ours = "https://a.example.org";
    assert_eq!(learns(&house, "GET", ours).await, (text(ours), None, text("Origin")));
    assert_eq!(
        learns(&house, "OPTIONS", ours).await,
        (text(ours), text("X-Auth-Token"), text("Origin"))
    );
    for method in ["GET", "OPTIONS"] {
        for other in ["https://b.example.org", "null", "https://a.example.org.evil.org"] {
            assert_eq!(
                learns(&house, method, other).await,
                (None, None, text("Origin")),
                "{other}"
            );
        }
    }
}

#[tokio::test]
async fn without_cors_no_page_of_another_origin_may() {
    let house = with(Cors {
        enabled: false,
        ..Cors::default()
    })
    .await;
    for method in ["GET", "OPTIONS"] {
        let learnt = learns(&house, method, "https://a.example.org").await;
        assert_eq!(learnt, (None, None, Some("Origin".to_owned())));
    }
    // Everybody else goes on.
    let _ = token(&routes(&house), "alice").await;
}
