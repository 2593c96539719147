//! The tokens of callers: where they are looked for, and until when they are good.

use std::time::Duration;

use serde_json::json;

use super::{FORM, House, JSON, settings, told};
use crate::testing::told::Told;
use crate::{ErrorCodes, PrivacyideaSettings};

#[tokio::test]
async fn token_is_taken_from_its_own_header_first_and_with_bearer_or_without() {
    let house = House::new().await;
    let token = house.token("carol", "c4rol").await;
    let bearer = format!("bearer  {token}");
    for (headers, status) in [
        (vec![("authorization", token.as_str())], 200),
        (vec![("authorization", &bearer)], 200),
        (vec![("pi-authorization", &token)], 200),
        (vec![("pi-authorization", &token), ("authorization", "nope")], 200),
        (vec![("pi-authorization", "nope"), ("authorization", &token)], 401),
        (vec![("pi-authorization", ""), ("authorization", &token)], 401),
        (vec![("x-auth-token", &token)], 401),
    ] {
        let reply = house.ask("GET", "/auth/rights", &headers, "").await;
        assert_eq!(reply.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn token_that_is_not_good_is_told_apart_by_its_code() {
    let house = House::new().await;
    let token = house.token("carol", "c4rol").await;
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    let wrong = format!("{signed}.{}", "A".repeat(43));
    let none = "eyJhbGciOiJub25lIn0.e30.";
    let mut lines = Vec::new();
    for text in ["", "Bearer", "Bearer ", "nope", "Basic YTpi", &wrong, none] {
        let headers = [("authorization", text)];
        let reply = house.ask("GET", "/auth/rights", &headers, "").await;
        lines.push(format!(
            "`{}`: {}",
            text.chars().take(12).collect::<String>(),
            told(&reply)
        ));
    }
    lines.push(format!(
        "nothing: {}",
        told(&house.ask("GET", "/auth/rights", &[], "").await)
    ));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    ``: 401 4033 "Authentication failure. Missing Authorization header."
    `Bearer`: 401 4304 "Authentication failure. Error decoding the Authorization token: it is no JSON Web Token"
    `Bearer `: 401 4304 "Authentication failure. Error decoding the Authorization token: it is no JSON Web Token"
    `nope`: 401 4304 "Authentication failure. Error decoding the Authorization token: it is no JSON Web Token"
    `Basic YTpi`: 401 4304 "Authentication failure. Error decoding the Authorization token: it is no JSON Web Token"
    `eyJhbGciOiJI`: 401 4304 "Authentication failure. Error decoding the Authorization token: its signature is wrong"
    `eyJhbGciOiJu`: 401 4304 "Authentication failure. Error decoding the Authorization token: its algorithm is not allowed"
    nothing: 401 4033 "Authentication failure. Missing Authorization header."
    "#);
}

#[tokio::test]
async fn token_is_good_for_an_hour() {
    let house = House::new().await;
    let token = house.token("carol", "c4rol").await;
    let headers = [("authorization", token.as_str())];
    house.state.clock.advance(Duration::from_secs(3599));
    assert_eq!(house.ask("GET", "/auth/rights", &headers, "").await.status, 200);
    house.state.clock.advance(Duration::from_secs(1));
    let reply = house.ask("GET", "/auth/rights", &headers, "").await;
    insta::assert_snapshot!(told(&reply), @r#"401 4305 "Authentication failure. Your token has expired: Signature has expired""#);
}

#[tokio::test]
async fn logging_out_ends_the_token() {
    let house = House::new().await;
    let (token, other) = (house.token("carol", "c4rol").await, house.token("carol", "c4rol").await);
    let headers = [JSON, ("authorization", token.as_str())];
    assert_eq!(told(&house.ask("DELETE", "/auth", &headers, "").await), "200 true");
    for (method, path) in [("GET", "/auth/rights"), ("DELETE", "/auth")] {
        let reply = house.ask(method, path, &headers, "").await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(told(&reply), @r#"401 4304 "Authentication failure. Error decoding the Authorization token: its session has ended""#);
        }
    }
    let headers = [("authorization", other.as_str())];
    assert_eq!(house.ask("HEAD", "/auth/rights", &headers, "").await.status, 200);
}

#[tokio::test]
async fn every_operation_wants_a_good_token_save_two() {
    let house = House::new().await;
    let told = Told::by(&house.router).await.expect("a document");
    let mut open = Vec::new();
    for (path, found) in told.operations() {
        let id = found.operation["operationId"].as_str().expect("an id");
        if !id.starts_with("privacyidea") {
            continue;
        }
        let secured = found.operation["security"].as_array().expect("a list");
        if secured.is_empty() {
            open.push(format!("{} {path}", found.method));
            continue;
        }
        for (headers, code) in [
            (vec![JSON], 4033),
            (vec![JSON, ("authorization", "nope")], 4304),
            (vec![FORM, ("pi-authorization", "a.b.c")], 4304),
            (
                vec![JSON, ("x-auth-token", "6f1d5d5e-0000-4000-8000-000000000000")],
                4033,
            ),
        ] {
            let reply = house
                .ask(&found.method, &path.replace(['{', '}'], ""), &headers, "")
                .await;
            assert_eq!(reply.status, 401, "{} {path}: {reply:?}", found.method);
            assert_eq!(reply.json()["result"]["error"]["code"], code, "{} {path}", found.method);
        }
    }
    open.retain(|operation| !operation.contains("/validate/"));
    assert_eq!(open, ["POST /auth", "GET /system/signature"]);
}

#[tokio::test]
async fn errors_of_old_have_one_number_and_a_time_to_log_out() {
    let house = House::with(PrivacyideaSettings {
        error_codes: ErrorCodes::Seed,
        ..settings()
    })
    .await;
    let reply = house.ask("GET", "/auth/rights", &[], "").await;
    let body = reply.json();
    assert_eq!(body["config"], json!({"logout_time": 30}));
    let lines = [
        told(&reply),
        told(&house.log_in("carol", "no").await),
        told(&house.log_in("unavailable", "no").await),
        told(&house.ask("POST", "/auth", &[JSON], "[]").await),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    401 -401 "Authentication failure. Missing Authorization header."
    401 -401 "Authentication failed."
    503 -503 "The service is unavailable."
    400 905 "ERR905: the body is no JSON object"
    "#);
    assert!(house.log_in("carol", "c4rol").await.json().get("config").is_none());
}

#[tokio::test]
async fn other_methods_are_405_and_options_is_nothing() {
    let house = House::new().await;
    for (method, path) in [
        ("GET", "/auth"),
        ("POST", "/auth/rights"),
        ("PUT", "/realm/a"),
        ("DELETE", "/realm/"),
    ] {
        let reply = house.ask(method, path, &[], "").await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert!(reply.header("allow").is_some(), "{method} {path}");
        assert_eq!(
            told(&reply),
            r#"405 -405 "The method is not allowed for the requested URL.""#,
            "{method} {path}"
        );
    }
    let reply = house.ask("OPTIONS", "/auth", &[], "").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
    assert!(reply.header("allow").expect("a list").contains("POST"));
}

#[tokio::test]
async fn nothing_is_404_in_the_form_of_every_answer() {
    let house = House::new().await;
    for path in [
        "/auth/",
        "/auth/nosuch",
        "/realm",
        "/realm/a/b",
        "/users",
        "/token/a/b/c",
        "/validate",
        "/system/a/b",
    ] {
        let reply = house.ask("POST", path, &[], "{").await;
        assert_eq!(
            told(&reply),
            r#"404 601 "Nothing is served under this address.""#,
            "{path}"
        );
        assert_eq!(reply.json()["version"], "privacyIDEA 3.14", "{path}");
    }
    // What begins otherwise may be another API's.
    for path in ["/", "/authors", "/0.1/nosuch"] {
        let reply = house.ask("GET", path, &[], "").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.body.starts_with("<!doctype html>"), "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn nonce_comes_back() {
    let house = House::new().await;
    for (uri, body) in [("/auth", r#"{"nonce": "n1"}"#), ("/auth?nonce=n1", "{}")] {
        let reply = house.ask("POST", uri, &[JSON], body).await;
        assert_eq!(reply.json()["nonce"], "n1");
    }
    let reply = house
        .ask("POST", "/auth", &[JSON], &json!({"nonce": "n".repeat(300)}).to_string())
        .await;
    assert_eq!(reply.json()["nonce"], json!(null));
}
