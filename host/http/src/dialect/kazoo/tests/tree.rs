//! Accounts and users: one walk through what is done with them, and who may not.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::house::{Tree, UI, id_of, person};
use crate::testing::told::Told;

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a line for each operation")]
async fn every_operation_of_accounts_and_users_succeeds() {
    let tree = Tree::new().await;
    let told = Told::by(&tree.router).await.expect("a document");
    let below = |rest: &str| tree.below_shop(rest);
    let (id, _) = tree.user(person("nina")).await;
    let branch = tree.alice("PUT", &below(""), json!({ "name": "Branch" })).await;
    let branch = format!("/v2/accounts/{}", id_of(&branch, 201));
    let attempts = tree.alice("GET", &below("/security/attempts"), Value::Null).await;
    let attempt = attempts.json()["data"][0]["id"]
        .as_str()
        .expect("an attempt")
        .to_owned();
    let user = below(&format!("/users/{id}"));
    let (none, names) = (Value::Null, json!({ "first_name": "N.", "last_name": "N" }));
    let life = json!({ "auth_modules": { "cb_user_auth": { "token_auth_expiry_s": 60 } } });
    let mut done = BTreeSet::new();
    for (method, path, data, status) in [
        ("GET", "/v2/accounts".to_owned(), none.clone(), 200),
        ("PUT", "/v2/accounts".to_owned(), json!({ "name": "Other" }), 201),
        ("GET", below(""), none.clone(), 200),
        ("PUT", below(""), json!({ "name": "Yard" }), 201),
        ("POST", below(""), json!({ "name": "Shop", "language": "en-us" }), 200),
        (
            "PATCH",
            below(""),
            json!({ "timezone": "Europe/Berlin", "phone_numbers": ["+14155550100"] }),
            200,
        ),
        ("GET", below("/children"), none.clone(), 200),
        ("GET", below("/descendants"), none.clone(), 200),
        ("GET", below("/parents"), none.clone(), 200),
        ("GET", below("/tree"), none.clone(), 200),
        ("GET", below("/api_key"), none.clone(), 200),
        ("PUT", below("/api_key"), none.clone(), 201),
        ("PUT", below("/reseller"), none.clone(), 201),
        ("DELETE", below("/reseller"), none.clone(), 200),
        ("GET", "/v2/security".to_owned(), none.clone(), 200),
        ("POST", below("/security"), life.clone(), 200),
        ("PATCH", below("/security"), life, 200),
        ("GET", below("/security"), none.clone(), 200),
        ("DELETE", below("/security"), none.clone(), 200),
        ("GET", below("/security/attempts"), none.clone(), 200),
        (
            "GET",
            below(&format!("/security/attempts/{attempt}")),
            none.clone(),
            200,
        ),
        ("GET", below("/users"), none.clone(), 200),
        ("PUT", below("/users"), person("otto"), 201),
        ("GET", user.clone(), none.clone(), 200),
        ("POST", user.clone(), names.clone(), 200),
        ("PATCH", user.clone(), names, 200),
        (
            "PUT",
            format!("{user}/user_auth"),
            json!({ "action": "impersonate_user" }),
            201,
        ),
        ("DELETE", user, none.clone(), 200),
        ("DELETE", branch, none, 200),
    ] {
        let found = told.find(&Method::try_from(method).expect("a method"), &path);
        let found = found.unwrap_or_else(|| panic!("{method} {path} is not told of"));
        let reply = tree.alice(method, &path, data).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        done.insert((found.method, found.path.to_owned()));
    }
    let ours = |path: &str| path.starts_with("/v2/accounts") && !path.ends_with("auth") && !path.contains("{token}");
    let all = told.operations().map(|(path, found)| (found.method, path));
    let left: Vec<_> = all
        .filter(|(method, path)| ours(path) && !done.contains(&(method.clone(), path.clone())))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_user_changes_itself_and_not_what_it_is() {
    let tree = Tree::new().await;
    let (id, token) = tree.user(person("nina")).await;
    let (other, _) = tree.user(person("otto")).await;
    let own = tree.below_shop(&format!("/users/{id}"));
    let changed = tree
        .send(
            &token,
            "PATCH",
            &own,
            json!({ "timezone": "Europe/Berlin", "email": "new@example.org" }),
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let table = [
        ("PATCH", own.clone(), json!({ "priv_level": "admin" })),
        ("PATCH", own.clone(), json!({ "enabled": false })),
        ("PATCH", own.clone(), json!({ "verified": true })),
        ("DELETE", own, Value::Null),
        (
            "PATCH",
            tree.below_shop(&format!("/users/{other}")),
            json!({ "timezone": "Europe/Berlin" }),
        ),
        ("PUT", tree.below_shop("/users"), person("eve")),
        ("PATCH", tree.below_shop(""), json!({ "timezone": "Europe/Berlin" })),
        ("GET", tree.below_shop("/api_key"), Value::Null),
        ("GET", tree.below_shop("/security/attempts"), Value::Null),
        ("GET", tree.below_shop("/children"), Value::Null),
        ("GET", "/v2/accounts".to_owned(), Value::Null),
    ];
    for (method, path, data) in table {
        let refused = tree.send(&token, method, &path, data.clone()).await;
        assert_eq!(refused.status, 403, "{method} {path} {data}: {refused:?}");
    }
    // An address that only the user vouches for is not one that mail for a new password goes to.
    let found = tree.state.state.directory.find_by_email("new@example.org", None).await;
    assert_eq!(found.expect("an answer"), None);
}

#[tokio::test]
async fn an_administrator_neither_opens_its_own_account_nor_outranks_itself() {
    let tree = Tree::new().await;
    let mut boss = person("boss");
    boss["priv_level"] = json!("admin");
    let (_, token) = tree.user(boss).await;
    let table = [
        json!({ "enabled": false }),
        json!({ "trial_expires": 70_000_000_000_i64 }),
        json!({ "phone_numbers": ["+14155550100"] }),
    ];
    for data in table {
        let refused = tree.send(&token, "PATCH", &tree.below_shop(""), data.clone()).await;
        assert_eq!(refused.status, 403, "{data}: {refused:?}");
    }
    let own = tree
        .send(
            &token,
            "PATCH",
            &tree.below_shop(""),
            json!({ "timezone": "Europe/Berlin" }),
        )
        .await;
    assert_eq!(own.status, 200, "{own:?}");
    let (root, _) = tree.user(person("root")).await;
    let directory = &tree.state.state.directory;
    directory
        .add_policy("all", vec!["#".to_owned()])
        .await
        .expect("a policy");
    directory.attach_policy("all", "root").await.expect("attached");
    let path = tree.below_shop(&format!("/users/{root}"));
    for (method, data) in [("PATCH", json!({ "password": "m1ne-now" })), ("DELETE", Value::Null)] {
        let refused = tree.send(&token, method, &path, data).await;
        assert_eq!(refused.status, 403, "{method}: {refused:?}");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let tree = Tree::new().await;
    for name in ["a", "b", "c"] {
        let made = tree.alice("PUT", &tree.below_shop("/users"), person(name)).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let users = tree.below_shop("/users");
    let (mut path, mut names) = (format!("{users}?page_size=2"), Vec::new());
    loop {
        let page = tree.alice("GET", &path, Value::Null).await.json();
        let rows = page["data"].as_array().expect("a list");
        assert_eq!(page["page_size"], rows.len());
        names.extend(rows.iter().map(|row| row["username"].clone()));
        let Some(next) = page["next_start_key"].as_str() else {
            break;
        };
        path = format!("{users}?page_size=2&start_key={next}");
    }
    assert_eq!(names, ["a", "b", "c"]);
    let bad = tree.alice("GET", &format!("{users}?start_key=x"), Value::Null).await;
    assert_eq!(bad.status, 400, "{bad:?}");
}

#[tokio::test]
async fn a_link_lets_its_user_in_once() {
    let tree = Tree::new().await;
    let (id, _) = tree.user(person("nina")).await;
    let asking = json!({ "username": "Nina", "account_realm": "shop.example.org", "ui_url": UI });
    let asked = tree.send("", "PUT", "/v2/user_auth/recovery", asking).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["data"]), (201, &json!({})));
    tree.state.state.notices.settle(Duration::from_mins(1)).await;
    let letter = tree.state.letters.take().pop().expect("a letter");
    let link = letter.link.expect("a link");
    let reset_id = link
        .expose()
        .strip_prefix(&format!("{UI}?recovery="))
        .expect("the page");
    let answer = || tree.send("", "POST", "/v2/user_auth/recovery", json!({ "reset_id": reset_id }));
    let done = answer().await;
    assert_eq!(
        (done.status.as_u16(), &done.json()["data"]["owner_id"]),
        (200, &json!(id))
    );
    let token = done.json()["auth_token"].as_str().expect("a token").to_owned();
    let own = tree.below_shop(&format!("/users/{id}"));
    let user = tree.send(&token, "GET", &own, Value::Null).await;
    assert_eq!(user.json()["data"]["require_password_update"], true, "{user:?}");
    let twice = answer().await;
    assert_eq!(twice.status, 400, "{twice:?}");
    assert_eq!(
        twice.json()["data"]["user"]["not_found"],
        json!({ "message": "The provided reset_id did not resolve to any user", "cause": reset_id })
    );
}
