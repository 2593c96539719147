//! `POST /0.1/token`.

use insta::assert_json_snapshot;
use keyway_tests::TestHost;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::{Value, json};

fn host() -> TestHost {
    TestHost::builder()
        .tls()
        .user_with("alice", "s3cre7", &["--email", "Alice@Example.org"])
        .start()
}

/// `2026-11-22T03:04:36.123456`: a date with microseconds and no zone.
fn is_date(text: &Value) -> bool {
    let text = text.as_str().unwrap_or_default();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000000"
}

fn is_uuid(text: &Value) -> bool {
    text.as_str()
        .is_some_and(|text| uuid::Uuid::try_parse(text).is_ok() && text.len() == 36)
}

#[tokio::test]
async fn post_token_answers_as_the_seeds_show() {
    let host = host();
    let answer = host
        .wazo()
        .login("alice", "s3cre7", json!({"backend": "xivo_user", "expiration": 600}))
        .await;
    assert_eq!(answer.status, 200);
    let uuid = |value: insta::internals::Content, _: insta::internals::ContentPath<'_>| {
        assert!(
            value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
            "{value:?}"
        );
        "[uuid]"
    };
    for date in ["issued_at", "expires_at", "utc_issued_at", "utc_expires_at"] {
        assert!(is_date(&answer.body["data"][date]), "{date}: {answer:?}");
    }
    assert_json_snapshot!(answer.body, {
        ".data.token" => insta::dynamic_redaction(uuid),
        ".data.auth_id" => insta::dynamic_redaction(uuid),
        ".data.xivo_user_uuid" => insta::dynamic_redaction(uuid),
        ".data.session_uuid" => insta::dynamic_redaction(uuid),
        ".data.metadata.uuid" => insta::dynamic_redaction(uuid),
        ".data.metadata.auth_id" => insta::dynamic_redaction(uuid),
        ".data.metadata.pbx_user_uuid" => insta::dynamic_redaction(uuid),
        ".data.metadata.tenant_uuid" => insta::dynamic_redaction(uuid),
        ".data.issued_at" => "[date]",
        ".data.expires_at" => "[date]",
        ".data.utc_issued_at" => "[date]",
        ".data.utc_expires_at" => "[date]",
    }, @r#"
    {
      "data": {
        "token": "[uuid]",
        "auth_id": "[uuid]",
        "xivo_user_uuid": "[uuid]",
        "xivo_uuid": null,
        "issued_at": "[date]",
        "expires_at": "[date]",
        "utc_issued_at": "[date]",
        "utc_expires_at": "[date]",
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
        "remote_addr": "127.0.0.1",
        "user_agent": null
      }
    }
    "#);
}

#[tokio::test]
async fn post_token_serves_either_name_of_the_backend_below_either_prefix() {
    let host = host();
    let behind_proxy = host.wazo().at(host.url("/api/auth/0.1"));
    for client in [host.wazo(), behind_proxy] {
        for backend in [
            json!({"backend": "xivo_user"}),
            json!({"backend": "wazo_user"}),
            json!({}),
        ] {
            let answer = client.login("alice", "s3cre7", backend.clone()).await;
            assert_eq!(answer.status, 200, "{backend}");
            assert_eq!(client.check(&answer.token(), "").await, 204, "{backend}");
        }
    }
}

#[tokio::test]
async fn post_token_takes_the_login_or_the_email_in_any_case() {
    let host = host();
    for login in ["alice", "ALICE", "alice@example.org", "ALICE@EXAMPLE.ORG"] {
        assert_eq!(
            host.wazo().login(login, "s3cre7", json!({})).await.status,
            200,
            "{login}"
        );
    }
    assert_eq!(host.wazo().login("alice", "S3CRE7", json!({})).await.status, 401);
}

#[tokio::test]
async fn post_token_lives_as_long_as_asked() {
    let host = host();
    for (asked, seconds) in [
        (json!({}), 7200),
        (json!({"expiration": 600}), 600),
        (json!({"expiration": "600"}), 600),
    ] {
        let answer = host.wazo().login("alice", "s3cre7", asked.clone()).await;
        let at = |key: &str| {
            let text = answer.body["data"][key].as_str().expect("a date");
            let clock = text.split_once('T').expect("date and time").1;
            let parts: Vec<f64> = clock.split(':').map(|part| part.parse().expect("a number")).collect();
            parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]
        };
        let life = (at("utc_expires_at") - at("utc_issued_at")).rem_euclid(86400.0);
        assert!((life - f64::from(seconds)).abs() < 0.001, "{asked}: {life}");
    }
}

#[tokio::test]
async fn post_token_ignores_the_content_type_and_unknown_keys() {
    let host = host();
    let post = || {
        host.wazo()
            .request(Method::POST, "/token")
            .basic_auth("alice", Some("s3cre7"))
    };
    assert_eq!(
        send(post().header("content-type", "text/plain").body(r#"{"colour": "red"}"#))
            .await
            .status,
        200
    );
    assert_eq!(send(post().body("null")).await.status, 200);
    assert_eq!(send(post().body("[]")).await.status, 200);
}

#[tokio::test]
async fn post_token_refuses_in_one_wording() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let wazo = host.wazo();
    let mut answers = vec![
        ("wrong password", wazo.login("alice", "wrong", json!({})).await),
        ("unknown user", wazo.login("nobody", "s3cre7", json!({})).await),
        (
            "unknown backend",
            wazo.login("alice", "s3cre7", json!({"backend": "nope"})).await,
        ),
        ("empty password", wazo.login("alice", "", json!({})).await),
        ("empty login", wazo.login("", "s3cre7", json!({})).await),
    ];
    let post = || wazo.request(Method::POST, "/token").body("{}");
    answers.push(("no header", send(post()).await));
    answers.push(("no base64", send(post().header("authorization", "Basic !!!")).await));
    answers.push(("no colon", send(post().header("authorization", "Basic YWxpY2U=")).await));
    answers.push((
        "another scheme",
        send(post().header("authorization", "Digest YWxpY2U6czNjcmU3")).await,
    ));
    for (what, mut answer) in answers {
        assert_eq!(answer.status, 401, "{what}");
        assert!(answer.body["timestamp"][0].is_f64(), "{what}: {answer:?}");
        answer.body["timestamp"] = json!("[now]");
        let expected = json!({"reason": ["Authentication Failed"], "timestamp": "[now]", "status_code": 401});
        assert_eq!(answer.body, expected, "{what}");
    }
    let log = host.log().text();
    assert!(!log.contains("s3cre7"), "a password is in the log");
}

#[tokio::test]
async fn post_token_of_an_example_backend_issues_to_its_own_subject() {
    let hello = keyway_tests::artefact("hello_backend");
    // The verifier of `s3cre7` with cheap parameters.
    let host = TestHost::builder()
        .user("alice", "s3cre7")
        .plugin("hello_backend", hello);
    let host = host.backend(concat!(
        "name = \"hello\"\nplugin = \"hello_backend\"\n",
        "config.users.bob = \"$argon2id$v=19$m=8,t=1,p=1$b25seSBmb3IgdGVzdHM$a0wL/iwaimsQDkgYauNr3ZSSyrf5vbxWWQ1ZzBpf6QY\""
    ));
    let host = host.start();
    let refused = host.wazo().login("bob", "wrong", json!({"backend": "hello"})).await;
    assert_eq!(refused.status, 401);
    let answer = host.wazo().login("bob", "s3cre7", json!({"backend": "hello"})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(is_uuid(&answer.body["data"]["auth_id"]));
    assert_eq!(
        answer.body["data"]["xivo_user_uuid"],
        Value::Null,
        "not a user of the directory"
    );
    let again = host.wazo().login("bob", "s3cre7", json!({"backend": "hello"})).await;
    assert_eq!(
        again.body["data"]["auth_id"], answer.body["data"]["auth_id"],
        "the same identity each time"
    );
    let elsewhere = host
        .wazo()
        .login("bob", "s3cre7", json!({"backend": "wazo_user"}))
        .await;
    assert_eq!(elsewhere.status, 401, "a backend's user is nobody in another backend");
}
