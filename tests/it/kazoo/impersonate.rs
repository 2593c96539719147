//! An administrator in a user's place.

use keyway_tests::kazoo::{claims_of, token_of};
use keyway_tests::wazo::{Answer, send};
use reqwest::Method;
use serde_json::json;

use super::house::{House, house, house_with};

async fn impersonate(house: &House, token: &str, account: &str, user: &str) -> Answer {
    let path = format!("/v2/accounts/{account}/users/{user}/user_auth");
    let request = house.kazoo.request(Method::PUT, &path).header("X-Auth-Token", token);
    // The seed's own body: the action stands beside the data.
    send(request.json(&json!({ "action": "impersonate_user", "data": {} }))).await
}

async fn owner(house: &House, account: &str, username: &str, password: &str) -> String {
    let token = house.kazoo.token(account, username, password).await;
    claims_of(&token)["owner_id"].as_str().expect("an owner").to_owned()
}

#[tokio::test]
async fn an_administrator_acts_for_a_user_below_and_both_are_named() {
    let house = house();
    let kid = owner(&house, "acme-sub", "kid", "k1d-pw").await;
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let answer = impersonate(&house, &boss, &house.sub, &kid).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["data"]["account_id"], house.sub);
    assert_eq!(answer.body["data"]["owner_id"], kid);
    let token = token_of(&answer);
    let claims = claims_of(&token);
    assert_eq!(claims["owner_id"], kid);
    assert_eq!(claims["original_account_id"], house.acme);
    assert_eq!(claims["original_owner_id"], claims_of(&boss)["owner_id"]);
    assert!(
        claims["exp"].as_i64() <= claims_of(&boss)["exp"].as_i64(),
        "no longer than its own"
    );
    let seen = house.kazoo.get_as(&token, "/v2/token_auth").await;
    assert_eq!(
        (seen.status, &seen.body["data"]["owner_id"]),
        (200, &json!(kid)),
        "{seen:?}"
    );
    // The administrator's log shows it.
    let path = format!("/v2/accounts/{}/security/attempts", house.sub);
    let attempts = house.kazoo.get_as(&boss, &path).await;
    let attempts = attempts.body["data"].as_array().cloned().unwrap_or_default();
    assert!(
        attempts.iter().any(|attempt| attempt["auth_type"] == "impersonation"),
        "{attempts:?}"
    );
}

#[tokio::test]
async fn it_ends_with_the_administrators_session() {
    let house = house();
    let kid = owner(&house, "acme-sub", "kid", "k1d-pw").await;
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let token = token_of(&impersonate(&house, &boss, &house.sub, &kid).await);
    let ended = send(
        house
            .kazoo
            .request(Method::DELETE, "/v2/token_auth")
            .header("X-Auth-Token", &boss),
    )
    .await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(house.kazoo.get_as(&token, "/v2/token_auth").await.status, 401);
}

#[tokio::test]
async fn whom_nobody_may_impersonate() {
    let house = house();
    let kid = owner(&house, "acme-sub", "kid", "k1d-pw").await;
    let john = owner(&house, "acme", "john@example.com", "m32c6NfqYEt").await;
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let user = house.kazoo.token("acme", "john@example.com", "m32c6NfqYEt").await;
    let table = [
        ("no administrator", &user, &house.sub, &kid, 403),
        ("the same account", &boss, &house.acme, &john, 403),
        ("a user of another account", &boss, &house.sub, &john, 404),
        ("nobody", &boss, &house.sub, &"0".repeat(32), 404),
    ];
    for (name, token, account, user, status) in table {
        let answer = impersonate(&house, token, account, user).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
    let path = format!("/v2/accounts/{}/users/{kid}/user_auth", house.sub);
    let body = json!({ "action": "impersonate_user", "data": {} });
    let anonymous = send(house.kazoo.request(Method::PUT, &path).json(&body)).await;
    assert_eq!(anonymous.status, 401, "{anonymous:?}");
    let bare = house
        .kazoo
        .send_as(
            &boss,
            Method::PUT,
            "/v2/user_auth",
            json!({ "action": "impersonate_user" }),
        )
        .await;
    assert_eq!(bare.status, 403, "{bare:?}");
}

#[tokio::test]
async fn nobody_impersonates_in_somebody_elses_place() {
    let house = house();
    let attach = house
        .host
        .keyway(&["policy", "attach", "account_admin", "--user", "kid"]);
    attach.ok();
    let deep = house
        .host
        .keyway(&["tenant", "add", "deep", "--parent", "acme-sub", "--json"]);
    let deep = super::house::id_of(&deep.ok().json());
    house.add("low", "l0w-pw", &["--tenant", "deep"]);
    let low = owner(&house, "deep", "low", "l0w-pw").await;
    let kid = owner(&house, "acme-sub", "kid", "k1d-pw").await;
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let as_kid = token_of(&impersonate(&house, &boss, &house.sub, &kid).await);
    let nested = impersonate(&house, &as_kid, &deep, &low).await;
    assert_eq!(nested.status, 403, "{nested:?}");
    assert_eq!(impersonate(&house, &boss, &deep, &low).await.status, 201);
}

#[tokio::test]
async fn an_operator_may_leave_it_to_the_top_account() {
    let house = house_with("[dialect.kazoo]\nimpersonation = \"master\"");
    let kid = owner(&house, "acme-sub", "kid", "k1d-pw").await;
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    assert_eq!(impersonate(&house, &boss, &house.sub, &kid).await.status, 403);
    let root = house.kazoo.token("master", "root", "r00t-pw").await;
    assert_eq!(impersonate(&house, &root, &house.sub, &kid).await.status, 201);
}
