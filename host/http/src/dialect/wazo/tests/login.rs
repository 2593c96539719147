//! `POST /token`.

use std::fmt::Write as _;

use insta::{assert_json_snapshot, assert_snapshot};
use keyway_core::model::Credential;
use keyway_core::port::Step;
use serde_json::Value;
use uuid::Uuid;

use super::{basic, log_in, routes};
use crate::testing::{TestState, ask};
use crate::{DialectSettings, WazoSettings};

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
        time_zone: jiff::tz::TimeZone::get("America/Lima").expect("a zone"),
        ..WazoSettings::default()
    };
    let house = TestState::with(DialectSettings {
        wazo: settings,
        ..DialectSettings::default()
    })
    .await;
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
        r#"{"backend": "xivo_user", "domain_name": "example.org"}"#,
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
    ("good", r#"{"refresh_token": "r"}"#, 400),
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
    // As where the tenant has no LDAP directory.
    ("good", r#"{"tenant_id": "a"}"#, 401),
    ("good", r#"{"backend": "wazo_user", "domain_name": "b"}"#, 401),
    // The header's credentials do not count besides another proof.
    ("good", r#"{"refresh_token": "r", "client_id": "c"}"#, 401),
    ("good", r#"{"saml_session_id": "s"}"#, 401),
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
        let mut text = reply.body.replace("1767225600.123456", "NOW");
        if let Some(transaction) = reply.json()["challenge"]["transaction_id"].as_str() {
            assert!(
                transaction.len() == 20 && transaction.bytes().all(|byte| byte.is_ascii_digit()),
                "{reply:?}"
            );
            text = text.replace(transaction, "TRANSACTION");
        }
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
        400 {"reason":["{'_schema': ['an offline access needs a client_id']}"],"timestamp":[NOW],"status_code":400}
    good {"refresh_token": "r"}
        400 {"reason":["{'_schema': ['a refresh_token needs its client_id']}"],"timestamp":[NOW],"status_code":400}
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
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401,"challenge":{"transaction_id":"TRANSACTION","kind":"otp","prompt":"code?","url":null,"expires_in":120}}
    good {"backend": "nope"}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    good {"tenant_id": "a"}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    good {"backend": "wazo_user", "domain_name": "b"}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    good {"refresh_token": "r", "client_id": "c"}
        401 {"reason":["Authentication Failed"],"timestamp":[NOW],"status_code":401}
    good {"saml_session_id": "s"}
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
