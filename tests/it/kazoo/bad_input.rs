//! What each rule of the schema answers, and what is said where nothing is found.

use keyway_tests::kazoo::md5_of;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::{house, house_with};

/// What is wrong with the data, and in which field it breaks which rule.
fn wrong(good: &str) -> Vec<(Value, &'static str, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut data = json!({ "credentials": good, "account_name": "acme" });
        data[field] = value;
        data
    };
    vec![
        (json!({ "account_name": "acme" }), "credentials", "required"),
        (with("credentials", json!("")), "credentials", "minLength"),
        (with("credentials", json!("a".repeat(65))), "credentials", "maxLength"),
        (with("credentials", json!(["x"])), "credentials", "type"),
        (with("method", json!("x")), "method", "enum"),
        (with("account_name", json!("")), "account_name", "minLength"),
        (
            with("account_name", json!("a".repeat(129))),
            "account_name",
            "maxLength",
        ),
        (with("account_realm", json!("a.b")), "account_realm", "minLength"),
        (with("account_realm", json!("not a realm")), "account_realm", "pattern"),
        (with("phone_number", json!("1".repeat(65))), "phone_number", "maxLength"),
    ]
}

#[tokio::test]
async fn each_rule_of_the_schema_says_what_is_wrong() {
    let house = house();
    for (data, field, rule) in wrong(&md5_of("boss", "b0ss-pw")) {
        let answer = house.kazoo.send(Method::PUT, "/v2/user_auth", data.clone()).await;
        assert_eq!(answer.status, 400, "{data}: {answer:?}");
        assert_eq!(
            (&answer.body["error"], &answer.body["message"]),
            (&json!("400"), &json!("validation error"))
        );
        assert!(
            answer.body["data"][field][rule]["message"].is_string(),
            "{data}: {answer:?}"
        );
        assert!(answer.body["request_id"].is_string());
    }
}

#[tokio::test]
async fn what_is_no_json_is_400_in_the_envelope_and_any_type_is_read() {
    let house = house();
    let put = || house.kazoo.request(Method::PUT, "/v2/user_auth");
    for body in ["{", "[]", "\"text\"", "{\"data\": 5}"] {
        let answer = send(put().header("Content-Type", "application/json").body(body)).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.body["status"], "error", "{body}");
    }
    // curl's own type.
    let good = json!({ "data": { "credentials": md5_of("boss", "b0ss-pw"), "account_name": "acme" } });
    let form = put()
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(good.to_string());
    assert_eq!(send(form).await.status, 201);
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_envelope() {
    let house = house();
    let token = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let nobody = "0".repeat(32);
    let table: [(Method, String, u16, &str); 5] = [
        (Method::GET, "/v2/nosuch".to_owned(), 404, "not_found"),
        (Method::DELETE, "/v2/user_auth".to_owned(), 405, "invalid_method"),
        (
            Method::GET,
            format!("/v2/accounts/{}/users/{nobody}", house.acme),
            404,
            "bad_identifier",
        ),
        (Method::GET, "/v2/accounts/xyz/users".to_owned(), 404, "bad identifier"),
        (
            Method::GET,
            format!("/v2/accounts/{nobody}/users"),
            404,
            "bad_identifier",
        ),
    ];
    for (method, path, status, message) in table {
        let answer = send(house.kazoo.request(method, &path).header("X-Auth-Token", &token)).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.body["message"], message, "{path}");
        assert_eq!(answer.body["error"], Value::String(status.to_string()), "{path}");
        assert_eq!(answer.body["status"], "error", "{path}");
    }
    let none = send(
        house
            .kazoo
            .request(Method::GET, &format!("/v2/accounts/{}/users", house.acme)),
    )
    .await;
    assert_eq!(none.status, 401, "{none:?}");
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_to_wait() {
    let bucket = "[dialect.kazoo]\nbucket = { size = 20, refill = 1, login_cost = 10 }";
    let house = house_with(bucket);
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(house.kazoo.login("acme", "boss", "wrong").await);
    }
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert!(
        statuses.starts_with(&[401, 401]) && statuses.contains(&429),
        "{statuses:?}"
    );
    let limited = answers.iter().find(|answer| answer.status == 429).expect("one");
    assert_eq!(limited.body["message"], "too_many_requests");
    assert_eq!(limited.body["data"], json!({ "message": "too many requests" }));
}

#[tokio::test]
async fn browsers_may_read_answers_and_errors() {
    let house = house();
    let preflight = house.kazoo.request(Method::OPTIONS, "/v2/user_auth");
    let preflight = preflight
        .header("Origin", "https://ui.example.org")
        .header("Access-Control-Request-Method", "PUT")
        .header("Access-Control-Request-Headers", "content-type,x-auth-token");
    let answer = send(preflight).await;
    assert!(answer.status < 300, "{answer:?}");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let refused = house.kazoo.request(Method::PUT, "/v2/user_auth").body("{}");
    let refused = send(refused.header("Origin", "https://ui.example.org")).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.headers["access-control-allow-origin"], "*");
    assert!(refused.headers.contains_key("x-request-id"), "{refused:?}");
}
