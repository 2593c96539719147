//! Keys of accounts, for programs.

use keyway_tests::kazoo::{claims_of, token_of};
use reqwest::Method;
use serde_json::{Value, json};

use super::house::house;

#[tokio::test]
async fn a_key_logs_its_account_in_until_there_is_a_new_one() {
    let house = house();
    let kazoo = &house.kazoo;
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let path = format!("/v2/accounts/{}/api_key", house.acme);
    let shown = kazoo.get_as(&boss, &path).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let key = shown.body["data"]["api_key"].as_str().expect("a key").to_owned();
    assert_eq!(key.len(), 64);
    assert_eq!(
        kazoo.get_as(&boss, &path).await.body["data"]["api_key"],
        key,
        "it is shown again"
    );
    let login = |key: &str| {
        let data = json!({ "api_key": key });
        async move { kazoo.send(Method::PUT, "/v2/api_auth", data).await }
    };
    let answer = login(&key).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["data"]["account_id"], house.acme);
    assert!(answer.body["data"]["owner_id"].is_null(), "{answer:?}");
    let token = token_of(&answer);
    assert_eq!(claims_of(&token)["method"], "cb_api_auth");
    let users = kazoo
        .get_as(&token, &format!("/v2/accounts/{}/users", house.acme))
        .await;
    assert_eq!(users.status, 200, "{users:?}");
    // Its account, and those below.
    let above = kazoo.get_as(&token, "/v2/accounts").await;
    assert_eq!(above.status, 403, "{above:?}");
    let renewed = kazoo.send_as(&boss, Method::PUT, &path, json!({})).await;
    let fresh = renewed.body["data"]["api_key"].as_str().expect("a key").to_owned();
    assert_ne!(fresh, key);
    assert_eq!(login(&key).await.status, 404);
    assert_eq!(kazoo.get_as(&token, "/v2/token_auth").await.status, 401);
    assert_eq!(login(&fresh).await.status, 201);
    // Nobody but administrators sees it.
    let john = kazoo.token("acme", "john@example.com", "m32c6NfqYEt").await;
    assert_eq!(kazoo.get_as(&john, &path).await.status, 403);
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let house = house();
    let put = |data: Value| house.kazoo.send(Method::PUT, "/v2/api_auth", data);
    let unknown = put(json!({ "api_key": "a".repeat(64) })).await;
    assert_eq!(
        (unknown.status, &unknown.body["message"]),
        (404, &json!("bad_identifier")),
        "{unknown:?}"
    );
    for data in [
        json!({}),
        json!({ "api_key": "a".repeat(63) }),
        json!({ "api_key": "a".repeat(64), "more": 1 }),
    ] {
        let refused = put(data.clone()).await;
        assert_eq!(refused.status, 400, "{data}: {refused:?}");
    }
}
