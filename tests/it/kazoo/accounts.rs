//! Accounts and users, as far as clients go.

use keyway_tests::kazoo::md5_of;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::json;

use super::house::house;

#[tokio::test]
async fn a_user_lives_through_the_api() {
    let house = house();
    let kazoo = &house.kazoo;
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let users = format!("/v2/accounts/{}/users", house.acme);
    let new = json!({
        "username": "Nina@Example.org", "password": "n1na-pw", "first_name": "Nina", "last_name": "N", "email": "nina@example.org",
        "vm_to_email_enabled": true,
    });
    let made = kazoo.send_as(&boss, Method::PUT, &users, new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let data = &made.body["data"];
    assert_eq!(data["username"], "nina@example.org");
    assert_eq!((&data["priv_level"], &data["enabled"]), (&json!("user"), &json!(true)));
    assert_eq!(data["vm_to_email_enabled"], true, "what else clients keep stays");
    assert!(data["password"].is_null(), "{made:?}");
    let id = data["id"].as_str().expect("an id").to_owned();
    let path = format!("{users}/{id}");
    assert_eq!(kazoo.login("acme", "nina@example.org", "n1na-pw").await.status, 201);
    // The other way round: wazo's client logs the same user in.
    let wazo = house.host.wazo();
    assert_eq!(wazo.login("nina@example.org", "n1na-pw", json!({})).await.status, 200);
    let listed = kazoo.get_as(&boss, &users).await;
    let names: Vec<_> = listed.body["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|user| user["username"].clone())
        .collect();
    assert!(
        names.contains(&json!("nina@example.org")) && names.contains(&json!("boss")),
        "{names:?}"
    );
    let raised = kazoo
        .send_as(&boss, Method::PATCH, &path, json!({ "priv_level": "admin" }))
        .await;
    assert_eq!(
        (raised.status, &raised.body["data"]["priv_level"]),
        (200, &json!("admin")),
        "{raised:?}"
    );
    let nina = kazoo.token("acme", "nina@example.org", "n1na-pw").await;
    assert_eq!(kazoo.get_as(&nina, &users).await.status, 200);
    let posted = kazoo
        .send_as(
            &boss,
            Method::POST,
            &path,
            json!({ "first_name": "N.", "last_name": "N", "username": "nina@example.org", "password": "0ther-pw" }),
        )
        .await;
    assert_eq!(posted.status, 200, "{posted:?}");
    assert_eq!(kazoo.login("acme", "nina@example.org", "0ther-pw").await.status, 201);
    let removed = send(kazoo.request(Method::DELETE, &path).header("X-Auth-Token", &boss)).await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(kazoo.login("acme", "nina@example.org", "0ther-pw").await.status, 401);
}

#[tokio::test]
async fn what_a_user_may_not_be() {
    let house = house();
    let kazoo = &house.kazoo;
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let users = format!("/v2/accounts/{}/users", house.acme);
    let table = [
        (json!({ "last_name": "N" }), "first_name", "required"),
        (
            json!({ "first_name": "N", "last_name": "N", "username": "a b" }),
            "username",
            "pattern",
        ),
        (
            json!({ "first_name": "N", "last_name": "N", "username": "nina" }),
            "password",
            "required",
        ),
        (
            json!({ "first_name": "N", "last_name": "N", "password": "x" }),
            "username",
            "required",
        ),
        (
            json!({ "first_name": "N", "last_name": "N", "username": "BOSS", "password": "x" }),
            "username",
            "unique",
        ),
        (
            json!({ "first_name": "N", "last_name": "N", "priv_level": "root" }),
            "priv_level",
            "enum",
        ),
    ];
    for (data, field, rule) in table {
        let answer = kazoo.send_as(&boss, Method::PUT, &users, data.clone()).await;
        assert_eq!(answer.status, 400, "{data}: {answer:?}");
        assert!(answer.body["data"][field][rule].is_object(), "{data}: {answer:?}");
    }
}

#[tokio::test]
async fn an_administrator_reaches_its_account_and_those_below() {
    let house = house();
    let kazoo = &house.kazoo;
    let root = kazoo.token("master", "root", "r00t-pw").await;
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let kid = kazoo.token("acme-sub", "kid", "k1d-pw").await;
    let table = [
        (&root, &house.acme, 200),
        (&root, &house.sub, 200),
        (&boss, &house.acme, 200),
        (&boss, &house.sub, 200),
        (&kid, &house.acme, 403),
    ];
    for (token, account, status) in table {
        let answer = kazoo.get_as(token, &format!("/v2/accounts/{account}")).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let seen = kazoo.get_as(&boss, &format!("/v2/accounts/{}", house.acme)).await;
    assert_eq!(
        (&seen.body["data"]["name"], &seen.body["data"]["realm"]),
        (&json!("acme"), &json!("acme.example.org"))
    );
    let below = kazoo
        .get_as(&boss, &format!("/v2/accounts/{}/children", house.acme))
        .await;
    assert_eq!(below.body["data"][0]["id"], house.sub, "{below:?}");
    // Somebody who is no administrator changes nobody else.
    let john = kazoo.token("acme", "john@example.com", "m32c6NfqYEt").await;
    let made = json!({ "first_name": "N", "last_name": "N" });
    let refused = kazoo
        .send_as(&john, Method::PUT, &format!("/v2/accounts/{}/users", house.acme), made)
        .await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[tokio::test]
async fn numbers_and_names_lead_to_accounts_and_a_closed_one_lets_nobody_in() {
    let house = house();
    let kazoo = &house.kazoo;
    let root = kazoo.token("master", "root", "r00t-pw").await;
    let path = format!("/v2/accounts/{}", house.acme);
    let numbered = json!({ "phone_numbers": ["+14155550100"] });
    let changed = kazoo.send_as(&root, Method::PATCH, &path, numbered).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let digest = md5_of("boss", "b0ss-pw");
    // A number goes before a name, and a name is tried where the number is nobody's.
    for data in [
        json!({ "credentials": digest, "phone_number": "+1 (415) 555-0100" }),
        json!({ "credentials": digest, "phone_number": "+14155550100", "account_name": "acme-sub" }),
        json!({ "credentials": digest, "phone_number": "+19999999999", "account_name": "acme" }),
    ] {
        let answer = kazoo.send(Method::PUT, "/v2/user_auth", data.clone()).await;
        assert_eq!(answer.status, 201, "{data}: {answer:?}");
    }
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let closed = kazoo
        .send_as(&root, Method::PATCH, &path, json!({ "enabled": false }))
        .await;
    assert_eq!(closed.status, 200, "{closed:?}");
    assert_eq!(
        kazoo.get_as(&boss, "/v2/token_auth").await.status,
        401,
        "its sessions end"
    );
    let refused = kazoo.login("acme", "boss", "b0ss-pw").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(
        refused.body["data"]["account"]["disabled"]["message"],
        "account disabled"
    );
    // Only who knows the password learns it.
    assert_eq!(kazoo.login("acme", "boss", "wrong").await.status, 401);
    let wazo = house.host.wazo();
    assert_eq!(wazo.login("boss", "b0ss-pw", json!({})).await.status, 401);
}

#[tokio::test]
async fn an_account_is_made_below_and_removed() {
    let house = house();
    let kazoo = &house.kazoo;
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let path = format!("/v2/accounts/{}", house.acme);
    let made = kazoo
        .send_as(
            &boss,
            Method::PUT,
            &path,
            json!({ "name": "New Shop", "realm": "shop.example.org" }),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let shop = made.body["data"]["id"].as_str().expect("an id").to_owned();
    let again = kazoo
        .send_as(
            &boss,
            Method::PUT,
            &path,
            json!({ "name": "Other", "realm": "SHOP.example.org" }),
        )
        .await;
    assert_eq!(again.status, 400, "{again:?}");
    assert!(again.body["data"]["realm"]["unique"].is_object(), "{again:?}");
    let user = json!({ "username": "clerk", "password": "cl3rk-pw", "first_name": "C", "last_name": "C" });
    let user = kazoo
        .send_as(&boss, Method::PUT, &format!("/v2/accounts/{shop}/users"), user)
        .await;
    assert_eq!(user.status, 201, "{user:?}");
    assert_eq!(kazoo.login("newshop", "clerk", "cl3rk-pw").await.status, 201);
    let removed = send(
        kazoo
            .request(Method::DELETE, &format!("/v2/accounts/{shop}"))
            .header("X-Auth-Token", &boss),
    )
    .await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(kazoo.login("newshop", "clerk", "cl3rk-pw").await.status, 401);
}

#[tokio::test]
async fn attempts_are_kept_and_hold_no_secret() {
    let house = house();
    let kazoo = &house.kazoo;
    drop(kazoo.login("acme", "boss", "wr0ng").await);
    let boss = kazoo.token("acme", "boss", "b0ss-pw").await;
    let path = format!("/v2/accounts/{}/security/attempts", house.acme);
    let listed = kazoo.get_as(&boss, &path).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let attempts = listed.body["data"].as_array().expect("a list");
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt["status"].clone()).collect();
    assert_eq!(statuses, [json!("success"), json!("failed")], "{attempts:?}");
    let id = attempts[1]["id"].as_str().expect("an id");
    let one = kazoo.get_as(&boss, &format!("{path}/{id}")).await;
    assert_eq!(one.status, 200, "{one:?}");
    let text = one.body.to_string();
    assert!(!text.contains(&md5_of("boss", "wr0ng")), "{text}");
    let kid = kazoo.token("acme-sub", "kid", "k1d-pw").await;
    assert_eq!(kazoo.get_as(&kid, &path).await.status, 403);
}
