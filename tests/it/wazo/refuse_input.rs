//! Bad input gets an answer that says what is wrong, and changes nothing.

use keyway_tests::TestHost;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn post_token_names_what_is_wrong_with_the_body() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let cases = [
        ("", "message"),
        ("{", "message"),
        ("{\"a\": 1} x", "message"),
        ("\u{0}", "message"),
        ("[1]", "Invalid input type"),
        ("\"text\"", "Invalid input type"),
        ("42", "Invalid input type"),
        ("{\"expiration\": 0}", "expiration"),
        ("{\"expiration\": -1}", "expiration"),
        ("{\"expiration\": \"soon\"}", "expiration"),
        ("{\"expiration\": true}", "expiration"),
        ("{\"expiration\": null}", "expiration"),
        ("{\"expiration\": [600]}", "expiration"),
        ("{\"expiration\": 99999999999}", "expiration"),
        ("{\"expiration\": 1e300}", "expiration"),
        ("{\"backend\": 42}", "backend"),
        ("{\"backend\": null}", "backend"),
        ("{\"access_type\": \"sideways\"}", "access_type"),
        ("{\"tenant_id\": \"a\", \"domain_name\": \"b\"}", "tenant_id"),
    ];
    for (body, named) in cases {
        let post = host
            .wazo()
            .request(Method::POST, "/token")
            .basic_auth("alice", Some("s3cre7"));
        let answer = send(post.body(body)).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let text = answer.body.to_string();
        assert!(text.contains(named), "{body}: {text}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let post = host
        .wazo()
        .request(Method::POST, "/token")
        .basic_auth("alice", Some("s3cre7"));
    assert_eq!(send(post.body(deep)).await.status, 400, "a deep body");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(1024 * 1024));
    let post = host
        .wazo()
        .request(Method::POST, "/token")
        .basic_auth("alice", Some("s3cre7"));
    assert_eq!(send(post.body(large)).await.status, 413);
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}

#[tokio::test]
async fn an_unknown_path_or_method_is_404_or_405() {
    let host = TestHost::builder().start();
    for path in ["/nothing", "/token/", "/users/nobody"] {
        let answer = send(host.wazo().request(Method::GET, path)).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.headers["content-type"]
                .to_str()
                .expect("text")
                .starts_with("text/html"),
            "{path}"
        );
    }
    let put = send(host.wazo().request(Method::PUT, "/token")).await;
    assert_eq!(put.status, 405);
    assert!(put.headers["allow"].to_str().expect("text").contains("POST"));
    assert_eq!(
        put.body,
        json!({"message": "The method is not allowed for the requested URL."})
    );
}

#[tokio::test]
async fn a_login_name_of_any_shape_finds_nobody_and_breaks_nothing() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let long = "a".repeat(5000);
    for login in [
        "' OR 1=1 --",
        "alice\u{0}",
        "*)(uid=*",
        "\u{202e}ecila",
        "%",
        "_____",
        &long,
        "älice",
        "alice\r\nX: y",
    ] {
        assert_eq!(
            host.wazo().login(login, "s3cre7", json!({})).await.status,
            401,
            "{login:?}"
        );
    }
    assert_eq!(
        host.wazo().login("alice", &"x".repeat(5000), json!({})).await.status,
        401
    );
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}
