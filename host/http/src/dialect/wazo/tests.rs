//! The 0.1 token API, route by route.

mod config;
mod directory;
mod login;
mod mail;
mod policy;
mod refresh;
mod tenant;
mod user;
mod walk;

use std::time::Duration;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask, ask_full};

const NO_SUCH: &str = "/0.1/token/6f1d5d5e-0000-4000-8000-000000000000";

fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

fn routes(house: &TestState) -> Router {
    router(&[Dialect::Wazo], &house.state)
}

async fn log_in(router: &Router, login: &str, body: &str) -> Reply {
    ask(
        router,
        "POST",
        "/0.1/token",
        &[("authorization", &basic(login, "s3cre7"))],
        body,
    )
    .await
}

async fn token(router: &Router, login: &str) -> String {
    let reply = log_in(router, login, "{}").await;
    reply.json()["data"]["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn get_answers_what_the_login_answered() {
    let house = TestState::new().await;
    let router = routes(&house);
    let issued = log_in(&router, "alice", "{}").await;
    let token = issued.json()["data"]["token"].as_str().expect("a token").to_owned();
    for path in [
        format!("/0.1/token/{token}"),
        format!("/api/auth/0.1/token/{}", token.to_uppercase()),
    ] {
        let reply = ask(&router, "GET", &path, &[], "").await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, issued.json()), "{path}");
        assert_eq!(reply.header("wazo-sessions-revoked"), None);
    }
}

#[tokio::test]
async fn head_of_a_good_token_is_204_without_a_body() {
    let house = TestState::new().await;
    let router = routes(&house);
    let token = token(&router, "alice").await;
    let reply = ask(&router, "HEAD", &format!("/0.1/token/{token}"), &[], "").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (204, ""));
}

#[tokio::test]
async fn unknown_expired_and_revoked_tokens_are_the_same_404() {
    let house = TestState::new().await;
    let router = routes(&house);
    let revoked = format!("/0.1/token/{}", token(&router, "alice").await);
    let reply = ask(&router, "DELETE", &revoked, &[], "").await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (200, json!({"data": {"message": "success"}}))
    );
    let expired = format!("/0.1/token/{}", token(&router, "alice").await);
    house.clock.advance(Duration::from_hours(2));
    for path in [revoked.as_str(), &expired, NO_SUCH] {
        let reply = ask(&router, "GET", path, &[], "").await;
        assert_eq!(reply.status, 404);
        assert_eq!(
            reply.json(),
            json!({"reason": ["No such token"], "timestamp": [1_767_232_800.123_456], "status_code": 404})
        );
        let reply = ask(&router, "HEAD", path, &[], "").await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (404, ""));
        let check = ask(
            &router,
            "POST",
            &format!("{path}/scopes/check"),
            &[],
            r#"{"scopes": []}"#,
        )
        .await;
        assert_eq!(check.status, 404);
        let reply = ask(&router, "DELETE", path, &[], "").await;
        assert_eq!(reply.status, 200, "nobody learns whether a token was good");
    }
}

#[tokio::test]
async fn what_is_no_uuid_or_no_route_is_a_404_page() {
    let house = TestState::new().await;
    let router = routes(&house);
    for (method, path) in [
        ("GET", "/0.1/token/nope"),
        ("HEAD", "/0.1/token/nope"),
        ("DELETE", "/0.1/token/6f1d5d5e000040008000000000000000"),
        ("GET", "/0.1/token/%ff"),
        ("POST", "/0.1/token/nope/scopes/check"),
        ("GET", "/0.1/token/"),
        ("GET", "/0.2/token"),
        ("GET", "/"),
    ] {
        let reply = ask(&router, method, path, &[], "").await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_method_that_a_route_lacks_is_405_with_allow() {
    let house = TestState::new().await;
    let router = routes(&house);
    for (method, path, allow) in [
        ("GET", "/0.1/token", "POST"),
        ("PUT", NO_SUCH, "GET,HEAD,DELETE"),
        ("GET", "/api/auth/0.1/status", "HEAD"),
        ("POST", "/0.1/backends", "GET,HEAD"),
    ] {
        let reply = ask(&router, method, path, &[], "").await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(
            reply.json(),
            json!({"message": "The method is not allowed for the requested URL."})
        );
    }
    let reply = ask(&router, "OPTIONS", "/0.1/token", &[], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert!(
        reply
            .header("access-control-allow-headers")
            .expect("a list")
            .contains("X-Auth-Token")
    );
}

#[tokio::test]
async fn scope_and_tenant_are_checked_in_this_order() {
    let house = TestState::new().await;
    let directory = &house.state.directory;
    let accesses = vec!["confd.#".to_owned(), "!confd.secret.*".to_owned()];
    directory.add_policy("staff", accesses).await.expect("a policy");
    directory.attach_policy("staff", "alice").await.expect("attached");
    let other = directory
        .add_tenant("other", None, None, &[])
        .await
        .expect("a tenant")
        .id;
    let router = routes(&house);
    let path = format!("/0.1/token/{}", token(&router, "alice").await);
    let master = directory.list_tenants().await.expect("tenants")[0].parent;
    let cases = [
        (String::new(), 204, ""),
        ("?scope=confd.users.read".to_owned(), 204, ""),
        ("?scope=confd.%C3%A9+x".to_owned(), 204, ""),
        ("?scope=confd.a&scope=auth.b".to_owned(), 204, "the first counts"),
        ("?scope=auth.b&scope=confd.a".to_owned(), 403, "Unauthorized for auth.b"),
        (
            "?scope=confd.secret.x".to_owned(),
            403,
            "Unauthorized for confd.secret.x",
        ),
        ("?scope=".to_owned(), 403, "Unauthorized for "),
        ("?scope=%C3%A9+x".to_owned(), 403, "Unauthorized for ? x"),
        (format!("?tenant={master}"), 204, ""),
        (format!("?tenant={other}"), 204, "below the owner's"),
        ("?tenant=nope".to_owned(), 403, "Unauthorized for tenant nope"),
        ("?tenant=".to_owned(), 403, "Unauthorized for tenant "),
        ("?tenant=nope&scope=auth.b".to_owned(), 403, "Unauthorized for auth.b"),
    ];
    for (query, status, reason) in cases {
        let head = ask(&router, "HEAD", &format!("{path}{query}"), &[], "").await;
        assert_eq!(head.status, status, "{query}");
        let get = ask(&router, "GET", &format!("{path}{query}"), &[], "").await;
        if status == 403 {
            assert_eq!(
                (get.status.as_u16(), &get.json()["reason"]),
                (403, &json!([reason])),
                "{query}"
            );
        } else {
            assert_eq!(get.status, 200, "{query}");
        }
    }
}

#[tokio::test]
async fn scopes_check_answers_each_scope_once() {
    let house = TestState::new().await;
    let directory = &house.state.directory;
    directory
        .add_policy("staff", vec!["a.*".to_owned()])
        .await
        .expect("a policy");
    directory.attach_policy("staff", "alice").await.expect("attached");
    let router = routes(&house);
    let path = format!("/0.1/token/{}/scopes/check", token(&router, "alice").await);
    let body = r#"{"scopes": ["a.b", "c", "a.b", ""], "tenant_uuid": null}"#;
    let reply = ask(&router, "POST", &path, &[], body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, r#"{"scopes":{"a.b":true,"c":false,"":false}}"#);
    let reply = ask(
        &router,
        "POST",
        &path,
        &[],
        r#"{"scopes": ["a.b"], "tenant_uuid": "nope"}"#,
    )
    .await;
    assert_eq!(reply.status, 403);
    for (body, word) in [
        ("{}".to_owned(), "required"),
        (r#"{"scopes": null}"#.to_owned(), "not_null"),
        (r#"{"scopes": "a.b"}"#.to_owned(), "list"),
        (r#"{"scopes": [1]}"#.to_owned(), "string"),
        (r#"{"scopes": [], "tenant_uuid": 1}"#.to_owned(), "tenant_uuid"),
        (json!({"scopes": vec!["a"; 1025]}).to_string(), "1024"),
        (json!({"scopes": ["a".repeat(1025)]}).to_string(), "1024"),
        (
            json!({"scopes": vec!["a".repeat(1024); 65]}).to_string(),
            "{'scopes': ['Must be at most 65536 bytes together.']}",
        ),
        (String::new(), "could not understand"),
    ] {
        let reply = ask(&router, "POST", &path, &[], &body).await;
        assert_eq!(reply.status, 400, "{body:.80}");
        assert!(reply.body.contains(word), "{word}: {reply:?}");
    }
    let most = json!({"scopes": vec!["a".repeat(1024); 64]}).to_string();
    assert_eq!(ask(&router, "POST", &path, &[], &most).await.status, 200);
    let most = json!({"scopes": vec!["a".repeat(1024); 1024]}).to_string();
    assert!(most.len() > 1024 * 1024, "over the edge's limit");
    assert_eq!(ask(&router, "POST", &path, &[], &most).await.status, 413);
}

#[tokio::test]
async fn backends_are_listed_without_aliases() {
    let house = TestState::new().await;
    let reply = ask(&routes(&house), "GET", "/0.1/backends", &[], "").await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (200, json!({"data": ["wazo_user"]}))
    );
}

#[tokio::test]
async fn status_and_checks_with_the_store_down_are_503() {
    let house = TestState::new().await;
    let router = routes(&house);
    assert_eq!(ask(&router, "HEAD", "/0.1/status", &[], "").await.status, 200);
    house.store.set_down(true);
    assert_eq!(ask(&router, "HEAD", "/0.1/status", &[], "").await.status, 503);
    for method in ["HEAD", "GET", "DELETE"] {
        let reply = ask(&router, method, NO_SUCH, &[], "").await;
        assert_eq!(reply.status, 503, "{method}");
        assert_eq!(reply.header("retry-after"), Some("1"), "{method}");
    }
}

#[tokio::test]
async fn bodies_without_room_are_503_and_checks_need_none() {
    let house = TestState::new().await;
    let router = routes(&house);
    let token = token(&router, "alice").await;
    let check = format!("/0.1/token/{token}");
    for (path, body) in [
        ("/0.1/token", "{}"),
        (&format!("{check}/scopes/check"), r#"{"scopes": []}"#),
    ] {
        let reply = ask_full(
            &router,
            "POST",
            path,
            &[("authorization", &basic("alice", "s3cre7"))],
            body,
        )
        .await;
        assert_eq!(reply.status, 503, "{path}: {reply:?}");
        assert_eq!(reply.json()["reason"], json!(["Service Unavailable"]), "{path}");
        assert_eq!(reply.header("retry-after"), Some("1"), "{path}");
    }
    assert_eq!(ask_full(&router, "HEAD", &check, &[], "").await.status, 204);
}
