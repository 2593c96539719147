//! What is kept of accounts and users, and who reads it.

use serde_json::{Value, json};

use super::house::{Tree, id_of, person};

#[tokio::test]
async fn what_says_something_of_the_request_is_no_part_of_the_data() {
    let tree = Tree::new().await;
    let (user, token) = tree.user(person("nina")).await;
    let with_token = |data: Value| {
        let mut data = data;
        data["auth_token"] = json!(tree.alice);
        data["authorization"] = json!(format!("Bearer {}", tree.alice));
        data["ui_metadata"] = json!({ "version": "4.3" });
        data
    };
    let own = tree.below_shop(&format!("/users/{user}"));
    let life = json!({ "auth_modules": { "cb_user_auth": { "token_auth_expiry_s": 60 } } });
    let key = tree.alice("GET", &tree.below_shop("/api_key"), Value::Null).await;
    let key = json!({ "api_key": key.json()["data"]["api_key"] });
    for (method, path, data, status) in [
        (
            "PATCH",
            tree.below_shop(""),
            json!({ "language": "de", "action": "change" }),
            200,
        ),
        ("POST", tree.below_shop(""), json!({ "name": "Shop" }), 200),
        (
            "PATCH",
            own.clone(),
            json!({ "language": "de", "action": "change" }),
            200,
        ),
        ("POST", own.clone(), json!({ "first_name": "N", "last_name": "N" }), 200),
        ("PATCH", tree.below_shop("/security"), life, 200),
        ("PUT", "/v2/api_auth".to_owned(), key, 201),
    ] {
        let reply = tree.send("", method, &path, with_token(data)).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        let told = reply.json()["data"].to_string();
        for part in ["auth_token", "authorization", "ui_metadata", "action", &tree.alice] {
            assert!(!told.contains(part), "{method} {path}: {reply:?}");
        }
    }
    for path in [tree.below_shop(""), own] {
        let read = tree.send(&token, "GET", &path, Value::Null).await;
        assert_eq!(read.status, 200, "{read:?}");
        assert!(!read.body.contains(&tree.alice), "{path}: {read:?}");
    }
}

#[tokio::test]
async fn a_change_of_an_account_that_is_refused_changes_nothing() {
    let tree = Tree::new().await;
    let (_, token) = tree.user(person("nina")).await;
    let number = json!({ "name": "Other", "realm": "other.example.org", "phone_numbers": ["+14155550100"] });
    let other = tree.alice("PUT", "/v2/accounts", number).await;
    id_of(&other, 201);
    let before = tree.alice("GET", &tree.below_shop(""), Value::Null).await.json()["data"].clone();
    for data in [
        json!({ "enabled": false, "name": "a\nb" }),
        json!({ "enabled": false, "realm": "other.example.org" }),
        json!({ "enabled": false, "realm": "new.example.org", "phone_numbers": ["+1 415 555 0100"] }),
        json!({ "enabled": false, "realm": "new.example.org", "timezone": "no zone" }),
    ] {
        let refused = tree.alice("PATCH", &tree.below_shop(""), data.clone()).await;
        assert_eq!(refused.status, 400, "{data}: {refused:?}");
        let now = tree.alice("GET", &tree.below_shop(""), Value::Null).await;
        assert_eq!(now.json()["data"], before, "{data}");
        let live = tree.send(&token, "GET", "/v2/token_auth", Value::Null).await;
        assert_eq!(live.status, 200, "{data}: {live:?}");
    }
}

#[tokio::test]
async fn an_account_takes_no_name_that_another_one_has() {
    let tree = Tree::new().await;
    let made = tree.alice("PUT", "/v2/accounts", json!({ "name": "Acme, Inc." })).await;
    let acme = id_of(&made, 201);
    for name in ["!acmeinc", "\"ACME inc", "acme-inc"] {
        let data = json!({ "name": name });
        for (method, path) in [("PUT", tree.below_shop("")), ("PATCH", tree.below_shop(""))] {
            let refused = tree.alice(method, &path, data.clone()).await;
            assert_eq!(refused.status, 400, "{method} {name}: {refused:?}");
            let expected = json!({ "name": { "unique": { "message": "name is already in use", "cause": name } } });
            assert_eq!(refused.json()["data"], expected, "{method} {name}");
        }
    }
    let own = format!("/v2/accounts/{acme}");
    for name in ["ACME Inc", "Acme, Inc."] {
        let spelt = tree.alice("PATCH", &own, json!({ "name": name })).await;
        assert_eq!(spelt.status, 200, "{spelt:?}");
    }
    for name in ["日本", "中国"] {
        let made = tree.alice("PUT", "/v2/accounts", json!({ "name": name })).await;
        assert_eq!(
            made.status, 201,
            "nobody is looked for by a name without letters: {made:?}"
        );
    }
}

#[tokio::test]
async fn an_account_that_is_disabled_closes_those_below_it_until_it_is_enabled() {
    let tree = Tree::new().await;
    let made = tree
        .alice("PUT", &tree.below_shop(""), json!({ "name": "Branch" }))
        .await;
    let branch = format!("/v2/accounts/{}", id_of(&made, 201));
    let made = tree.alice("PUT", &format!("{branch}/users"), person("otto")).await;
    let otto = format!("{branch}/users/{}/user_auth", id_of(&made, 201));
    let act = async || tree.alice("PUT", &otto, json!({ "action": "impersonate_user" })).await;
    let live = async |token: &str| {
        tree.send(token, "GET", "/v2/token_auth", Value::Null)
            .await
            .status
            .as_u16()
    };
    let acting = act().await.json()["auth_token"].as_str().expect("a token").to_owned();
    assert_eq!(live(&acting).await, 200);
    let shop = tree.below_shop("");
    let shut = tree.alice("PATCH", &shop, json!({ "enabled": false })).await;
    assert_eq!((shut.status.as_u16(), live(&acting).await), (200, 401), "{shut:?}");
    let refused = act().await;
    assert_ne!(refused.status, 201, "{refused:?}");
    let shown = tree.alice("GET", &branch, Value::Null).await;
    assert_eq!(shown.json()["data"]["enabled"], json!(true), "nothing is said of it");
    tree.alice("PATCH", &shop, json!({ "enabled": true })).await;
    let acting = act().await.json()["auth_token"].as_str().expect("a token").to_owned();
    assert_eq!(live(&acting).await, 200);
}

#[tokio::test]
async fn a_user_reads_its_own_account_and_no_other() {
    let tree = Tree::new().await;
    let (user, token) = tree.user(person("nina")).await;
    let made = tree.alice("PUT", "/v2/accounts", json!({ "name": "Sibling" })).await;
    let sibling = id_of(&made, 201);
    let made = tree
        .alice("PUT", &tree.below_shop(""), json!({ "name": "Branch" }))
        .await;
    let branch = id_of(&made, 201);
    let parent = tree.alice("GET", "/v2/token_auth", Value::Null).await.json()["data"]["account_id"].clone();
    let parent = parent.as_str().expect("an account");
    let mut table = Vec::new();
    for (name, account, status) in [
        ("its own", tree.shop.as_str(), 200),
        ("a sibling", &sibling, 403),
        ("the one above", parent, 403),
        ("one below", &branch, 403),
    ] {
        let place = format!("/v2/accounts/{account}");
        let made = tree.alice("PUT", &format!("{place}/users"), person("otto")).await;
        let other = id_of(&made, 201);
        table.extend([
            (name, place.clone(), status),
            (name, format!("{place}/users"), status),
            (name, format!("{place}/users/{other}"), status),
        ]);
    }
    for (name, path, status) in table {
        let reply = tree.send(&token, "GET", &path, Value::Null).await;
        assert_eq!(reply.status, status, "{name}: {path}: {reply:?}");
        if status == 403 {
            assert_eq!(
                reply.json()["data"],
                json!({ "message": "forbidden" }),
                "{name}: {path}"
            );
        }
    }
    // Not by the id of a user of its own either.
    let path = format!("/v2/accounts/{sibling}/users/{user}");
    assert_eq!(tree.send(&token, "GET", &path, Value::Null).await.status, 403);
}
