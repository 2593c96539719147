//! Who can log in with a digest, and that nothing at rest is as good as one.

use keyway_tests::kazoo::{md5_of, sha1_of};
use reqwest::Method;
use serde_json::json;

use super::house::house;

#[tokio::test]
async fn a_user_made_through_wazos_api_logs_in_with_a_digest() {
    let house = house();
    let wazo = house.host.wazo();
    let root = wazo.token("wazo_user", "root", "r00t-pw").await;
    let body = json!({ "username": "Wanda", "password": "w4nda-pw", "email_address": "wanda@example.org" });
    let request = wazo.request(Method::POST, "/users").header("X-Auth-Token", &root);
    let made = keyway_tests::wazo::send(request.header("Wazo-Tenant", &dashed(&house.acme)).json(&body)).await;
    assert_eq!(made.status, 200, "{made:?}");
    // Clients write the login in lower case before they hash it.
    let answer = house.kazoo.login("acme", "wanda", "w4nda-pw").await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn a_new_password_ends_the_old_digests() {
    let house = house();
    let before = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let set = house
        .host
        .keyway_with_input(&["user", "set-password", "boss", "--password-stdin"], "n3w-pw");
    set.ok();
    assert_eq!(house.kazoo.login("acme", "boss", "b0ss-pw").await.status, 401);
    assert_eq!(house.kazoo.get_as(&before, "/v2/token_auth").await.status, 401);
    assert_eq!(house.kazoo.login("acme", "boss", "n3w-pw").await.status, 201);
    let sha = json!({ "credentials": sha1_of("boss", "n3w-pw"), "method": "sha", "account_name": "acme" });
    assert_eq!(house.kazoo.send(Method::PUT, "/v2/user_auth", sha).await.status, 201);
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_one_wording() {
    let house = house();
    house.add("off", "0ff-pw", &["--tenant", "acme"]);
    let token = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let users = format!("/v2/accounts/{}/users", house.acme);
    let listed = house.kazoo.get_as(&token, &users).await;
    let off = listed.body["data"].as_array().expect("users").iter();
    let off = off.clone().find(|user| user["username"] == "off").expect("off")["id"].clone();
    let path = format!("{users}/{}", off.as_str().expect("an id"));
    let disabled = house
        .kazoo
        .send_as(&token, Method::PATCH, &path, json!({ "enabled": false }))
        .await;
    assert_eq!(disabled.status, 200, "{disabled:?}");
    let upper = md5_of("boss", "b0ss-pw").to_uppercase();
    let table = [
        (
            "a wrong password",
            json!({ "credentials": md5_of("boss", "wrong"), "account_name": "acme" }),
        ),
        (
            "nobody",
            json!({ "credentials": md5_of("nobody", "b0ss-pw"), "account_name": "acme" }),
        ),
        (
            "no such account",
            json!({ "credentials": md5_of("boss", "b0ss-pw"), "account_name": "nosuch" }),
        ),
        ("no account", json!({ "credentials": md5_of("boss", "b0ss-pw") })),
        (
            "another account",
            json!({ "credentials": md5_of("boss", "b0ss-pw"), "account_name": "acme-sub" }),
        ),
        (
            "disabled",
            json!({ "credentials": md5_of("off", "0ff-pw"), "account_name": "acme" }),
        ),
        (
            "another method",
            json!({ "credentials": md5_of("boss", "b0ss-pw"), "account_name": "acme", "method": "sha" }),
        ),
        ("upper case", json!({ "credentials": upper, "account_name": "acme" })),
    ];
    for (name, data) in table {
        let answer = house.kazoo.send(Method::PUT, "/v2/user_auth", data).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(answer.body["error"], "401", "{name}");
        assert_eq!(answer.body["message"], "invalid_credentials", "{name}");
        assert_eq!(
            answer.body["data"],
            json!({ "message": "invalid credentials" }),
            "{name}"
        );
    }
}

#[tokio::test]
async fn nothing_at_rest_is_a_digest() {
    let house = house();
    drop(house.kazoo.token("acme", "boss", "b0ss-pw").await);
    let folder = house.host.folder().join("var");
    let texts = [
        md5_of("boss", "b0ss-pw"),
        sha1_of("boss", "b0ss-pw"),
        "b0ss-pw".to_owned(),
    ];
    let mut looked_at = 0;
    for file in std::fs::read_dir(folder).expect("the folder") {
        let path = file.expect("a file").path();
        if !path.is_file() {
            continue;
        }
        looked_at += 1;
        let bytes = std::fs::read(&path).expect("it is read");
        for text in &texts {
            let found = bytes
                .windows(text.len())
                .any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
            assert!(!found, "{} holds {text}", path.display());
        }
    }
    assert!(looked_at > 0, "there is a database");
    let log = house.host.log().text();
    assert!(!texts.iter().any(|text| log.contains(text)), "{log}");
}

/// A UUID as wazo writes it.
fn dashed(id: &str) -> String {
    uuid::Uuid::parse_str(id).expect("a UUID").to_string()
}
