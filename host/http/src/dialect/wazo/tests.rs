//! The 0.1 token API, route by route.

use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::{assert_json_snapshot, assert_snapshot};
use keyway_core::model::Credential;
use keyway_core::port::Step;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, WazoSettings};

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

/// Asserts the shape before it hides the value.
fn uuid(value: &Value) -> String {
    let text = value.as_str().expect("text");
    assert_eq!(
        text,
        Uuid::parse_str(text).expect("a uuid").to_string(),
        "hyphens and lower case"
    );
    "[uuid]".to_owned()
}

macro_rules! data {
    ($reply:expr, @$snapshot:literal) => {
        assert_json_snapshot!($reply.json(), {
            ".data.token" => insta::dynamic_redaction(|value, _| uuid(&redacted(&value))),
            ".data.auth_id" => insta::dynamic_redaction(|value, _| uuid(&redacted(&value))),
            ".data.xivo_user_uuid" => insta::dynamic_redaction(|value, _| if value.is_nil() { "[none]".to_owned() } else { uuid(&redacted(&value)) }),
            ".data.session_uuid" => insta::dynamic_redaction(|value, _| uuid(&redacted(&value))),
            ".data.metadata.uuid" => insta::dynamic_redaction(|value, _| uuid(&redacted(&value))),
            ".data.metadata.auth_id" => insta::dynamic_redaction(|value, _| uuid(&redacted(&value))),
            ".data.metadata.tenant_uuid" => insta::dynamic_redaction(|value, _| uuid(&redacted(&value))),
            ".data.metadata.pbx_user_uuid" => insta::dynamic_redaction(|value, _| if value.is_nil() { "[none]".to_owned() } else { uuid(&redacted(&value)) }),
        }, @$snapshot)
    };
}

fn redacted(value: &insta::internals::Content) -> Value {
    Value::String(value.as_str().expect("text").to_owned())
}

#[tokio::test]
async fn login_answers_the_token_and_its_session() {
    let house = TestState::new().await;
    let agent = [("authorization", &*basic("alice", "s3cre7")), ("user-agent", "curl/8")];
    let body = r#"{"backend": "xivo_user", "expiration": 600}"#;
    let reply = ask(&routes(&house), "POST", "/0.1/token", &agent, body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("wazo-sessions-revoked"), Some("0"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    data!(reply, @r#"
    {
      "data": {
        "token": "[uuid]",
        "auth_id": "[uuid]",
        "xivo_user_uuid": "[uuid]",
        "xivo_uuid": null,
        "issued_at": "2026-01-01T00:00:00.123456",
        "expires_at": "2026-01-01T00:10:00.123456",
        "utc_issued_at": "2026-01-01T00:00:00.123456",
        "utc_expires_at": "2026-01-01T00:10:00.123456",
        "acl": [],
        "metadata": {
          "uuid": "[uuid]",
          "tenant_uuid": "[uuid]",
          "auth_id": "[uuid]",
          "pbx_user_uuid": "[uuid]",
          "xivo_uuid": null,
          "purpose": "user"
        },
        "session_uuid": "[uuid]",
        "remote_addr": null,
        "user_agent": "curl/8"
      }
    }
    "#);
}

#[tokio::test]
async fn login_shows_local_time_and_the_installation() {
    let settings = WazoSettings {
        xivo_uuid: Some("5b7e1d2c-0000-4000-8000-00000000aaaa".to_owned()),
        local_offset: time::UtcOffset::from_hms(-5, 0, 0).expect("an offset"),
        ..WazoSettings::default()
    };
    let house = TestState::with(DialectSettings { wazo: settings }).await;
    let data = log_in(&routes(&house), "alice", "{}").await.json()["data"].take();
    assert_eq!(data["utc_issued_at"], "2026-01-01T00:00:00.123456");
    assert_eq!(data["issued_at"], "2025-12-31T19:00:00.123456");
    assert_eq!(
        data["utc_expires_at"], "2026-01-01T02:00:00.123456",
        "the default is two hours"
    );
    assert_eq!(data["expires_at"], "2025-12-31T21:00:00.123456");
    assert_eq!(data["xivo_uuid"], "5b7e1d2c-0000-4000-8000-00000000aaaa");
    assert_eq!(data["metadata"]["xivo_uuid"], data["xivo_uuid"]);
}

#[tokio::test]
async fn login_of_a_backends_own_subject_is_no_directory_user() {
    let house = TestState::new().await;
    let data = log_in(&routes(&house), "bob", "{}").await.json()["data"].take();
    assert_eq!(data["xivo_user_uuid"], Value::Null);
    assert_eq!(data["metadata"]["pbx_user_uuid"], Value::Null);
    assert_eq!(data["metadata"]["uuid"], data["auth_id"]);
}

#[tokio::test]
async fn login_keys_stand_in_the_originals_order() {
    let house = TestState::new().await;
    let reply = log_in(&routes(&house), "alice", "{}").await;
    let body: serde_json::Map<String, Value> = serde_json::from_value(reply.json()["data"].take()).expect("an object");
    let keys: Vec<_> = body.keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "token auth_id xivo_user_uuid xivo_uuid issued_at expires_at utc_issued_at utc_expires_at acl metadata session_uuid \
         remote_addr user_agent"
    );
}

#[tokio::test]
async fn login_hands_the_backend_what_it_needs_and_no_more() {
    let house = TestState::new().await;
    let headers = [
        ("authorization", &*basic("alice", "p:ä")),
        ("wazo-session-type", "Mobile"),
        ("x-request-id", "r1"),
    ];
    ask(
        &routes(&house),
        "POST",
        "/0.1/token",
        &headers,
        r#"{"domain_name": "example.org"}"#,
    )
    .await;
    let calls = house.backend.calls();
    let [call] = calls.as_slice() else {
        panic!("one call: {calls:?}");
    };
    assert_eq!(call.context.dialect, "wazo");
    assert_eq!(call.context.tenant.as_deref(), Some("example.org"));
    assert_eq!(
        call.context.attributes,
        [("wazo.session-type".to_owned(), "mobile".to_owned())]
    );
    let Step::Start {
        identifier,
        credential: Credential::Password(password),
    } = &call.step
    else {
        panic!("a first step with a password: {call:?}");
    };
    assert_eq!(
        (identifier.as_str(), password.expose().as_slice()),
        ("alice", "p:ä".as_bytes())
    );
}

#[tokio::test]
async fn login_prefix_and_content_type_do_not_matter() {
    let house = TestState::new().await;
    for path in ["/0.1/token", "/api/auth/0.1/token"] {
        for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
            let headers = [("authorization", &*basic("alice", "s3cre7")), ("content-type", kind)];
            let reply = ask(&routes(&house), "POST", path, &headers, r#"{"backend": "wazo_user"}"#).await;
            assert_eq!(reply.status, 200, "{path} {kind}: {reply:?}");
        }
    }
}

/// One row for each kind of bad login: the `Authorization` header, the body, and the answer.
const BAD_LOGINS: &[(&str, &str, u16)] = &[
    // Malformed or of the wrong type: the reason is told.
    ("good", "", 400),
    ("good", "{", 400),
    ("good", "[1]", 400),
    ("good", "\"s\"", 400),
    ("good", r#"{"backend": null}"#, 400),
    ("good", r#"{"backend": 42}"#, 400),
    ("good", r#"{"expiration": 0}"#, 400),
    ("good", r#"{"expiration": -1}"#, 400),
    ("good", r#"{"expiration": "soon"}"#, 400),
    ("good", r#"{"expiration": true}"#, 400),
    ("good", r#"{"expiration": null}"#, 400),
    ("good", r#"{"expiration": 86401}"#, 400),
    ("good", r#"{"access_type": "offline"}"#, 400),
    ("good", r#"{"tenant_id": "a", "domain_name": "b"}"#, 400),
    // A body is looked at before a credential, so the answer tells nothing about one.
    ("wrong", "", 400),
    // Refused: one wording.
    ("wrong", "{}", 401),
    ("unknown", "{}", 401),
    ("lower case", "{}", 401),
    ("empty password", "{}", 401),
    ("empty login", "{}", 401),
    ("garbled", "{}", 401),
    ("none", "{}", 401),
    ("challenged", "{}", 401),
    ("good", r#"{"backend": "nope"}"#, 401),
    ("good", r#"{"backend": ""}"#, 401),
    ("none", r#"{"backend": "nope"}"#, 401),
    // Not judged.
    ("unavailable", "{}", 503),
    ("broken", "{}", 503),
    ("breaker", "{}", 503),
];

fn authorization(kind: &str) -> String {
    match kind {
        "good" => basic("alice", "s3cre7"),
        "wrong" => basic("alice", "wrong"),
        "lower case" => basic("alice", "s3cre7").replace("Basic", "basic"),
        "empty password" => basic("alice", ""),
        "empty login" => basic("", "s3cre7"),
        "garbled" => "Basic %%%".to_owned(),
        "none" => String::new(),
        login => basic(login, "s3cre7"),
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the table of answers")]
async fn bad_login_gets_its_status_and_leaves_nothing_behind() {
    let house = TestState::new().await;
    let router = routes(&house);
    let mut table = String::new();
    for (kind, body, status) in BAD_LOGINS {
        let header = authorization(kind);
        let headers = [("authorization", header.as_str())];
        let headers = if header.is_empty() { &headers[..0] } else { &headers[..] };
        let reply = ask(&router, "POST", "/0.1/token", headers, body).await;
        assert_eq!(reply.status, *status, "{kind} {body}: {reply:?}");
        let retry = reply
            .header("retry-after")
            .map(|after| format!(" retry-after {after}"))
            .unwrap_or_default();
        let text = reply.body.replace("1767225600.123456", "NOW");
        let body = if body.is_empty() { "(nothing)" } else { body };
        writeln!(table, "{kind} {body}\n    {status}{retry} {text}").expect("text");
    }
    assert_eq!(house.store.token_count(), 0);
    assert!(!table.contains("secret-host"), "what a backend says is for the log");
    assert_snapshot!(table, @r#"
    good (nothing)
        400 {"message":"The browser (or proxy) sent a request that this server could not understand."}
    good {
        400 {"message":"The browser (or proxy) sent a request that this server could not understand."}
    good [1]
        400 {"reason":["{'_schema': ['Invalid input type.']}"],"timestamp":[NOW],"status_code":400}
    good "s"
        400 {"reason":["{'_schema': ['Invalid input type.']}"],"timestamp":[NOW],"status_code":400}
    good {"backend": null}
        400 {"reason":["{'backend': [{'constraint_id': 'not_null', 'constraint': 'not_null', 'message': 'Field may not be null.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"backend": 42}
        400 {"reason":["{'backend': [{'constraint_id': 'type', 'constraint': 'string', 'message': 'Not a valid string.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"expiration": 0}
        400 {"reason":["{'expiration': [{'constraint_id': 'range', 'constraint': {'min': 1, 'max': 86400}, 'message': 'Must be greater than or equal to 1 and less than or equal to 86400.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"expiration": -1}
        400 {"reason":["{'expiration': [{'constraint_id': 'range', 'constraint': {'min': 1, 'max': 86400}, 'message': 'Must be greater than or equal to 1 and less than or equal to 86400.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"expiration": "soon"}
        400 {"reason":["{'expiration': [{'constraint_id': 'type', 'constraint': 'integer', 'message': 'Not a valid integer.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"expiration": true}
        400 {"reason":["{'expiration': [{'constraint_id': 'type', 'constraint': 'integer', 'message': 'Not a valid integer.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"expiration": null}
        400 {"reason":["{'expiration': [{'constraint_id': 'not_null', 'constraint': 'not_null', 'message': 'Field may not be null.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"expiration": 86401}
        400 {"reason":["{'expiration': [{'constraint_id': 'range', 'constraint': {'min': 1, 'max': 86400}, 'message': 'Must be greater than or equal to 1 and less than or equal to 86400.'}]}"],"timestamp":[NOW],"status_code":400}
    good {"access_type": "offline"}
        400 {"reason":["{'access_type': ['Refresh tokens are not offered by this version.']}"],"timestamp":[NOW],"status_code":400}
    good {"tenant_id": "a", "domain_name": "b"}
        400 {"reason":["{'_schema': ['tenant_id and domain_name are mutually exclusive']}"],"timestamp":[NOW],"status_code":400}
    wrong (nothing)
        400 {"message":"The browser (or proxy) sent a request that this server could not understand."}
    wrong {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    unknown {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    lower case {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    empty password {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    empty login {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    garbled {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    none {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    challenged {}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    good {"backend": "nope"}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    good {"backend": ""}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    none {"backend": "nope"}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    unavailable {}
        503 retry-after 1 {"reason":["Service Unavailable"],"timestamp":[NOW],"status_code":503}
    broken {}
        503 retry-after 1 {"reason":["Service Unavailable"],"timestamp":[NOW],"status_code":503}
    breaker {}
        503 retry-after 5 {"reason":["Service Unavailable"],"timestamp":[NOW],"status_code":503}
    "#);
}

#[tokio::test]
async fn login_with_the_store_down_is_503_and_writes_nothing() {
    let house = TestState::new().await;
    let router = routes(&house);
    house.store.set_down(true);
    let reply = log_in(&router, "alice", "{}").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.header("retry-after"), Some("1"));
    house.store.set_down(false);
    assert_eq!(house.store.token_count(), 0);
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
        (String::new(), "could not understand"),
    ] {
        let reply = ask(&router, "POST", &path, &[], &body).await;
        assert_eq!(reply.status, 400, "{body:.80}");
        assert!(reply.body.contains(word), "{word}: {reply:?}");
    }
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
