//! New passwords by mail.

use keyway_tests::kazoo::token_of;
use keyway_tests::smtp::SmtpSink;
use keyway_tests::wazo::Answer;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::{House, house_with};
use crate::wazo::mail::config as mail_config;

const UI: &str = "https://ui.example.org/app/";

fn house(sink: &SmtpSink, more: &str) -> House {
    house_with(&mail_config(
        sink,
        &format!("[dialect.kazoo]\nui_urls = [\"{UI}\"]\n{more}"),
    ))
}

async fn ask(house: &House, data: Value) -> Answer {
    house.kazoo.send(Method::PUT, "/v2/user_auth/recovery", data).await
}

async fn answer(house: &House, reset_id: &str) -> Answer {
    let data = json!({ "reset_id": reset_id });
    house.kazoo.send(Method::POST, "/v2/user_auth/recovery", data).await
}

#[tokio::test]
async fn a_mailed_link_is_a_login_once() {
    let mut sink = SmtpSink::start();
    let house = house(&sink, "");
    let asked = ask(
        &house,
        json!({ "username": "boss", "account_realm": "acme.example.org", "ui_url": UI }),
    )
    .await;
    assert_eq!(asked.status, 201, "{asked:?}");
    assert!(!asked.body.to_string().contains("boss@example.org"), "{asked:?}");
    let mail = sink.next().await;
    assert_eq!(mail.to, ["boss@example.org".to_owned()]);
    let link = mail.link();
    let reset_id = link
        .strip_prefix(&format!("{UI}?recovery="))
        .unwrap_or_else(|| panic!("{link}"));
    assert!(
        (40..=250).contains(&reset_id.len()) && reset_id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{reset_id}"
    );
    let done = answer(&house, reset_id).await;
    assert_eq!(done.status, 200, "{done:?}");
    let token = token_of(&done);
    assert_eq!(done.body["data"]["account_id"], house.acme);
    // What monster-ui does next.
    let owner = done.body["data"]["owner_id"].as_str().expect("an owner");
    let path = format!("/v2/accounts/{}/users/{owner}", house.acme);
    let user = house.kazoo.get_as(&token, &path).await;
    assert_eq!(user.body["data"]["require_password_update"], true, "{user:?}");
    let change = json!({ "password": "fr3sh-pw", "require_password_update": false });
    let changed = house.kazoo.send_as(&token, Method::PATCH, &path, change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(house.kazoo.login("acme", "boss", "fr3sh-pw").await.status, 201);
    assert_eq!(house.kazoo.login("acme", "boss", "b0ss-pw").await.status, 401);
    let twice = answer(&house, reset_id).await;
    assert_eq!(twice.status, 400, "{twice:?}");
    assert_eq!(
        twice.body["data"]["user"]["not_found"]["message"],
        "The provided reset_id did not resolve to any user"
    );
    let log = house.host.log().text();
    assert!(!log.contains(reset_id) && !log.contains("boss@example.org"), "{log}");
}

#[tokio::test]
async fn a_link_leads_where_the_operator_allows() {
    let mut sink = SmtpSink::start();
    let house = house(&sink, "");
    for url in [
        "https://evil.example.org/app/",
        "https://ui.example.org.evil.org/app/",
        "https://ui.example.org@evil.org/app/",
        "https://ui.example.org/apple",
        "http://ui.example.org/app/",
        "javascript:alert(document.cookie)",
        "https://ui.example.org/app/../other",
    ] {
        let asked = ask(
            &house,
            json!({ "username": "boss", "account_name": "acme", "ui_url": url }),
        )
        .await;
        assert_eq!(asked.status, 400, "{url}: {asked:?}");
        assert!(asked.body["data"]["ui_url"].is_object(), "{url}: {asked:?}");
    }
    // A mail that is sent afterwards is the first one to arrive.
    let asked = ask(
        &house,
        json!({ "username": "boss", "account_name": "acme", "ui_url": UI }),
    )
    .await;
    assert_eq!(asked.status, 201, "{asked:?}");
    assert!(sink.next().await.link().starts_with(UI));
    assert!(sink.rest().is_empty(), "no other was sent");
}

#[tokio::test]
async fn nobody_learns_who_is_there_unless_the_operator_says_so() {
    let sink = SmtpSink::start();
    let silent = house(&sink, "");
    let known = ask(
        &silent,
        json!({ "username": "boss", "account_name": "acme", "ui_url": UI }),
    )
    .await;
    let unknown = ask(
        &silent,
        json!({ "username": "nobody", "account_name": "acme", "ui_url": UI }),
    )
    .await;
    let no_account = ask(
        &silent,
        json!({ "username": "boss", "account_name": "nosuch", "ui_url": UI }),
    )
    .await;
    for other in [unknown, no_account] {
        assert_eq!((known.status, &known.body["data"]), (other.status, &other.body["data"]));
    }
    let missing = ask(&silent, json!({ "username": "boss", "ui_url": UI })).await;
    assert_eq!(missing.status, 400, "{missing:?}");
    let talking = house(&sink, "disclose_unknown = true");
    let unknown = ask(
        &talking,
        json!({ "username": "nobody", "account_name": "acme", "ui_url": UI }),
    )
    .await;
    assert_eq!(unknown.status, 400, "{unknown:?}");
    assert_eq!(
        unknown.body["data"]["username"]["not_found"]["message"],
        "The provided user name was not found"
    );
    let unknown = ask(
        &talking,
        json!({ "username": "boss", "account_name": "nosuch", "ui_url": UI }),
    )
    .await;
    assert!(
        unknown.body["data"]["account_name"]["not_found"].is_object(),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn what_is_no_reset_id_is_refused() {
    let sink = SmtpSink::start();
    let house = house(&sink, "");
    for reset_id in ["xyz".to_owned(), "a".repeat(64), "a".repeat(251)] {
        let refused = answer(&house, &reset_id).await;
        assert_eq!(refused.status, 400, "{reset_id}: {refused:?}");
    }
}
