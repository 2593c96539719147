//! The tokens of callers: where they are looked for, what goes with them, and until when they are good.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{House, JSON, Pair, told};
use crate::testing::told::Told;
use crate::{Cors, WebitelSettings};

const WHOAMI: &str = "/api/v2/whoami";

#[tokio::test]
async fn token_and_key_stand_in_body_query_and_header() {
    let house = House::new().await;
    let Pair { key, token } = house.user().await;
    let other = house.user().await.key;
    let query = format!("{WHOAMI}?access_token={token}&x_key={key}");
    let in_body = json!({"access_token": token, "x_key": key}).to_string();
    let upper = key.to_uppercase();
    for (uri, headers, body, answer) in [
        (
            WHOAMI,
            vec![("x-access-token", token.as_str()), ("x-key", &key)],
            "",
            "200",
        ),
        (WHOAMI, vec![("x-access-token", &token), ("x-key", &upper)], "", "200"),
        (
            WHOAMI,
            vec![("x-access-token", &token)],
            "",
            "401 \"Invalid Token or Key\"",
        ),
        (
            query.as_str(),
            vec![("x-access-token", "nope"), ("x-key", "nope")],
            "",
            "200",
        ),
        (WHOAMI, vec![JSON, ("x-access-token", "nope")], &in_body, "200"),
        (WHOAMI, vec![], "", "401 \"Invalid token\""),
        (WHOAMI, vec![("x-key", &key)], "", "401 \"Invalid token\""),
        (WHOAMI, vec![("x-access-token", "nope")], "", "401 \"Invalid token\""),
        (WHOAMI, vec![("x-access-token", "a.b.c")], "", "401 \"Invalid token\""),
        (
            WHOAMI,
            vec![("x-access-token", &token), ("x-key", "nope")],
            "",
            "401 \"Invalid User\"",
        ),
        (
            WHOAMI,
            vec![("x-access-token", &token), ("x-key", &other)],
            "",
            "401 \"Invalid User\"",
        ),
        (WHOAMI, vec![("authorization", &token)], "", "401 \"Invalid token\""),
        (
            WHOAMI,
            vec![("x-access-token", &token)],
            "{",
            "400 \"The body is no JSON.\"",
        ),
    ] {
        let reply = house.ask("GET", uri, &headers, body).await;
        assert_eq!(told(&reply), answer, "{uri} {headers:?} {body}");
    }
}

#[tokio::test]
async fn whoami_says_what_the_original_does() {
    let house = House::new().await;
    let pair = house.user().await;
    let mut body = house.as_pair(&pair, "GET", WHOAMI, Value::Null).await.json();
    body["acl"].take();
    insta::assert_snapshot!(body, @r#"{"acl":null,"id":"100@mydomain.com","domain":"mydomain.com","roleName":"user","expires":1767312000123,"cdr":{"host":"","useProxy":"false"}}"#);
    let root = house.root().await;
    let body = house.as_pair(&root, "GET", WHOAMI, Value::Null).await.json();
    assert_eq!((&body["id"], &body["domain"]), (&json!("alice"), &json!(null)));
}

#[tokio::test]
async fn token_is_good_until_its_life_or_the_longest_one_ends() {
    // The doubles' longest life is a day.
    for (ttl, life) in [(Duration::from_mins(30), 1800), (Duration::from_hours(2400), 86_400)] {
        let house = House::with(WebitelSettings {
            token_ttl: ttl,
            ..WebitelSettings::default()
        })
        .await;
        let pair = house.user().await;
        house.state.clock.advance(Duration::from_secs(life - 1));
        assert_eq!(house.as_pair(&pair, "GET", WHOAMI, Value::Null).await.status, 200);
        house.state.clock.advance(Duration::from_secs(1));
        let reply = house.as_pair(&pair, "GET", WHOAMI, Value::Null).await;
        assert_eq!(told(&reply), "401 \"Token Expired\"");
    }
}

#[tokio::test]
async fn token_of_another_api_needs_no_key() {
    let house = House::new().await;
    let basic = ("authorization", "Basic YWxpY2U6czNjcmU3");
    let issued = house
        .ask("POST", "/0.1/token", &[JSON, basic], r#"{"backend": "people"}"#)
        .await;
    let token = issued.json()["data"]["token"]
        .as_str()
        .unwrap_or_else(|| panic!("{issued:?}"))
        .to_owned();
    let shown = house.ask("GET", WHOAMI, &[("x-access-token", &token)], "").await;
    assert_eq!(shown.json()["id"], json!("alice"), "{shown:?}");
    for (headers, status) in [
        (vec![("x-access-token", token.as_str()), ("x-key", "nope")], 401),
        (vec![("x-access-token", token.as_str())], 200),
    ] {
        assert_eq!(house.ask("POST", "/logout", &headers, "").await.status, status);
    }
    assert_eq!(
        house.ask("GET", WHOAMI, &[("x-access-token", &token)], "").await.status,
        401
    );
}

#[tokio::test]
async fn body_that_is_no_json_is_refused_by_every_operation() {
    let house = House::new().await;
    let Pair { key, token } = house.root().await;
    let told_of = Told::by(&house.router).await.expect("a document");
    for (path, found) in told_of.operations() {
        let id = found.operation["operationId"].as_str().expect("an id");
        if !id.starts_with("webitel") {
            continue;
        }
        let headers = [JSON, ("x-access-token", token.as_str()), ("x-key", &key)];
        let reply = house
            .ask(&found.method, &path.replace(['{', '}'], ""), &headers, "{\"a\": ")
            .await;
        assert_eq!(told(&reply), "400 \"The body is no JSON.\"", "{} {path}", found.method);
    }
}

#[tokio::test]
async fn every_operation_wants_a_good_token_save_the_login() {
    let house = House::new().await;
    let told = Told::by(&house.router).await.expect("a document");
    let mut open = Vec::new();
    for (path, found) in told.operations() {
        let id = found.operation["operationId"].as_str().expect("an id");
        if !id.starts_with("webitel") {
            continue;
        }
        if found.operation["security"].as_array().expect("a list").is_empty() {
            open.push(format!("{} {path}", found.method));
            continue;
        }
        for headers in [
            vec![JSON],
            vec![JSON, ("x-access-token", "nope")],
            vec![JSON, ("x-access-token", "6f1d5d5e-0000-4000-8000-000000000000")],
        ] {
            let reply = house
                .ask(&found.method, &path.replace(['{', '}'], ""), &headers, "{}")
                .await;
            assert_eq!(reply.status, 401, "{} {path}: {reply:?}", found.method);
        }
    }
    assert_eq!(open, ["POST /login"]);
}

async fn bare(house: &House, method: &str, uri: &str, origin: &str) -> (u16, String, Vec<String>) {
    let request = Request::builder().method(method).uri(uri).header("origin", origin);
    let request = request.body(Body::empty()).expect("a request");
    let response = house.router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let header = |name: &str| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let headers = [
        "allow",
        "access-control-allow-origin",
        "access-control-allow-headers",
        "access-control-max-age",
    ];
    (
        parts.status.as_u16(),
        String::from_utf8_lossy(&body).into_owned(),
        headers.map(header).to_vec(),
    )
}

#[tokio::test]
async fn no_answer_is_kept_anywhere() {
    let house = House::new().await;
    let pair = house.user().await;
    for (reply, status) in [
        (house.log_in("100@mydomain.com", "secret").await, 200),
        (house.log_in("100@mydomain.com", "no").await, 401),
        (house.as_pair(&pair, "GET", WHOAMI, Value::Null).await, 200),
    ] {
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    }
    for (path, status) in [("/api/v2/no/such", 404), ("/login", 405)] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = house.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_this_api_s_form() {
    let house = House::new().await;
    let (status, body, _) = bare(&house, "GET", "/api/v2/no/such?access_token=x", "https://a.test").await;
    assert_eq!(
        (status, body.as_str()),
        (404, r#"{"status":"error","info":"/api/v2/no/such not found."}"#)
    );
    for (method, path, allow) in [
        ("GET", "/login", "POST"),
        ("POST", WHOAMI, "GET,HEAD"),
        ("PATCH", "/api/v2/acl/roles/a", "GET,HEAD,PUT,DELETE"),
    ] {
        let (status, body, headers) = bare(&house, method, path, "https://a.test").await;
        assert_eq!(status, 405, "{method} {path}");
        assert_eq!(body, r#"{"status":"error","info":"The method is not allowed."}"#);
        assert_eq!(headers[0], allow, "{method} {path}");
    }
}

#[tokio::test]
async fn pages_may_read_the_answers_unless_the_operator_says_otherwise() {
    let house = House::new().await;
    for path in ["/login", WHOAMI, "/api/v2/no/such"] {
        let (status, body, headers) = bare(&house, "OPTIONS", path, "https://a.test").await;
        assert_eq!((status, body.as_str()), (200, ""), "{path}");
        assert_eq!(
            headers[1..],
            ["https://a.test", "Content-type, Accept, X-Access-Token, X-Key", "86400"],
            "{path}"
        );
    }
    let (_, _, headers) = bare(&house, "GET", WHOAMI, "https://a.test").await;
    assert_eq!(headers[1..], ["https://a.test", "", ""]);
    let house = House::with(WebitelSettings {
        cors: Cors {
            origins: vec!["https://a.test".parse().expect("an origin")],
            ..WebitelSettings::default().cors
        },
        ..WebitelSettings::default()
    })
    .await;
    for (origin, allowed) in [("https://a.test", "https://a.test"), ("https://b.test", "")] {
        let (_, _, headers) = bare(&house, "GET", WHOAMI, origin).await;
        assert_eq!(headers[1], allowed);
    }
}
