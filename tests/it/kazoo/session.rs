//! Tokens: where they may stand, what they tell, and how they end.

use keyway_tests::kazoo::{claims_of, md5_of, token_of};
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::json;

use super::house::house;

#[tokio::test]
async fn a_token_may_stand_wherever_clients_put_it() {
    let house = house();
    let kazoo = &house.kazoo;
    let token = kazoo.token("acme", "boss", "b0ss-pw").await;
    let get = |path: &str| kazoo.request(Method::GET, path);
    let basic = md5_of("boss", "b0ss-pw");
    let table = [
        ("header", get("/v2/token_auth").header("X-Auth-Token", &token)),
        ("query", get(&format!("/v2/token_auth?auth_token={token}"))),
        ("bearer", get("/v2/token_auth").bearer_auth(&token)),
        (
            "basic, digest",
            get("/v2/token_auth").basic_auth(&house.acme, Some(&basic)),
        ),
        (
            "basic, password",
            get("/v2/token_auth").basic_auth(&house.acme, Some("boss:b0ss-pw")),
        ),
    ];
    for (name, request) in table {
        let answer = send(request).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let data = &answer.body["data"];
        assert_eq!(data["account_id"], house.acme, "{name}");
        assert_eq!(data["account_name"], "acme", "{name}");
    }
    let wrong = get("/v2/token_auth").header("X-Auth-Token", &token);
    let wrong = send(wrong.header("X-Auth-Account-Id", &house.sub)).await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
}

#[tokio::test]
async fn to_delete_a_token_really_ends_it() {
    let house = house();
    let kazoo = &house.kazoo;
    let token = kazoo.token("acme", "boss", "b0ss-pw").await;
    let other = kazoo.token("acme", "boss", "b0ss-pw").await;
    assert_ne!(token, other);
    let ended = send(
        kazoo
            .request(Method::DELETE, "/v2/token_auth")
            .header("X-Auth-Token", &token),
    )
    .await;
    assert_eq!(
        (ended.status, &ended.body["status"]),
        (200, &json!("success")),
        "{ended:?}"
    );
    assert_eq!(kazoo.get_as(&token, "/v2/token_auth").await.status, 401);
    assert_eq!(kazoo.get_as(&other, "/v2/token_auth").await.status, 200);
}

#[tokio::test]
async fn monster_ui_reads_a_token_that_it_kept() {
    let house = house();
    let kazoo = &house.kazoo;
    let token = kazoo.token("acme", "boss", "b0ss-pw").await;
    let posted = kazoo
        .send(Method::POST, "/v2/auth/tokeninfo", json!({ "token": token }))
        .await;
    assert_eq!(posted.status, 200, "{posted:?}");
    assert_eq!(posted.body["auth_token"], token);
    assert_eq!(posted.body["data"]["account_id"], house.acme);
    let asked = send(kazoo.request(Method::GET, &format!("/v2/auth/tokeninfo?token={token}"))).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    let missing = kazoo.send(Method::POST, "/v2/auth/tokeninfo", json!({})).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    let altered = altered(&token);
    let bad = kazoo
        .send(Method::POST, "/v2/auth/tokeninfo", json!({ "token": altered }))
        .await;
    assert_eq!(bad.status, 401, "{bad:?}");
}

#[tokio::test]
async fn a_token_is_renewed_and_a_new_secret_ends_all() {
    let house = house();
    let kazoo = &house.kazoo;
    let token = kazoo.token("acme", "boss", "b0ss-pw").await;
    let john = kazoo.token("acme", "john@example.com", "m32c6NfqYEt").await;
    let renewed = kazoo
        .send_as(&token, Method::PUT, "/v2/auth", json!({ "action": "refresh_token" }))
        .await;
    let renewed = token_of(&renewed);
    assert_ne!(renewed, token);
    for (data, is_missing) in [
        (json!({}), true),
        (json!({ "action": 5 }), false),
        (json!({ "action": ["refresh_token"] }), false),
    ] {
        let bad = kazoo.send_as(&token, Method::PUT, "/v2/auth", data).await;
        let rules = &bad.body["data"]["action"];
        assert!(bad.status == 400 && rules.is_object(), "{bad:?}");
        assert_eq!(rules.get("required").is_some(), is_missing, "{bad:?}");
    }
    assert_eq!(kazoo.get_as(&renewed, "/v2/token_auth").await.status, 200);
    let owner = claims_of(&john)["owner_id"].as_str().expect("an owner").to_owned();
    let path = format!("/v2/accounts/{}/users/{owner}/auth", house.acme);
    // Nobody but the user and administrators.
    let kid = kazoo.token("acme-sub", "kid", "k1d-pw").await;
    let reset = json!({ "action": "reset_signature_secret" });
    let forbidden = kazoo.send_as(&kid, Method::PUT, &path, reset.clone()).await;
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
    let done = kazoo.send_as(&renewed, Method::PUT, &path, reset).await;
    assert!(done.status == 200 || done.status == 201, "{done:?}");
    assert_eq!(kazoo.get_as(&john, "/v2/token_auth").await.status, 401);
    assert_eq!(kazoo.get_as(&renewed, "/v2/token_auth").await.status, 200);
}

#[tokio::test]
async fn a_token_that_is_none_of_ours_is_refused() {
    let house = house();
    let kazoo = &house.kazoo;
    let token = kazoo.token("acme", "boss", "b0ss-pw").await;
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    // `{"alg":"none","typ":"JWT"}`
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let table = [
        ("none", none),
        ("altered", altered(&token)),
        ("no signature", format!("{header}.{claims}.")),
        ("half", format!("{header}.{claims}.{}", &signature[..20])),
        ("a UUID of nobody's", uuid::Uuid::from_u128(0x6b77).to_string()),
    ];
    for (name, token) in table {
        let answer = kazoo.get_as(&token, "/v2/token_auth").await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(answer.body["status"], "error", "{name}");
    }
    // What is no token at all stops no login.
    for junk in ["undefined", "garbage", ""] {
        let data = json!({ "credentials": md5_of("boss", "b0ss-pw"), "account_name": "acme" });
        let answer = kazoo.send_as(junk, Method::PUT, "/v2/user_auth", data).await;
        assert_eq!(answer.status, 201, "{junk}: {answer:?}");
    }
}

#[tokio::test]
async fn others_can_verify_a_token_by_the_published_keys() {
    let house = house();
    let token = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let keys = send(house.kazoo.request(Method::GET, "/v2/auth/jwks")).await;
    assert_eq!(keys.status, 200, "{keys:?}");
    let key = &keys.body["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&json!("RSA"), &json!("RS256"), &json!("sig"))
    );
    let header = token.split('.').next().expect("a header");
    let header = claims_of(&format!(".{header}"));
    assert_eq!(header["kid"], key["kid"]);
    assert!(key["d"].is_null() && key["p"].is_null(), "{keys:?}");
}

/// The token with another letter among its claims.
fn altered(token: &str) -> String {
    let at = token.find('.').expect("a dot") + 12;
    let letter = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{letter}{}", &token[..at], &token[at + 1..])
}
