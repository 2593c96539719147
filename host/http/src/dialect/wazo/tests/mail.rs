//! Registration, confirmed addresses and new passwords: what the routes answer, and what the links of mails are good for.

use std::time::Duration;

use keyway_core::directory::AddUser;
use keyway_core::model::User;
use keyway_core::port::Letter;
use serde_json::{Value, json};

use super::directory::Caller;
use super::routes;
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, WazoSettings};

fn status(reply: &Reply) -> u16 {
    reply.status.as_u16()
}

/// The one letter that was written since the last look.
async fn letter(house: &TestState) -> Letter {
    house.state.notices.settle(Duration::from_secs(30)).await;
    let letters = house.letters.take();
    assert_eq!(letters.len(), 1, "{letters:?}");
    letters.into_iter().next().expect("a letter")
}

async fn add(house: &TestState, login: &str, email: &str, unconfirmed: bool) -> User {
    let user = AddUser {
        login: Some(login.to_owned()),
        password: Some("s3cre7".into()),
        email: Some(email.to_owned()),
        unconfirmed,
        ..AddUser::default()
    };
    house.state.directory.add_user(user).await.expect("added")
}

async fn get(house: &TestState, path: &str, headers: &[(&str, &str)]) -> Reply {
    ask(&routes(house), "GET", &format!("/0.1{path}"), headers, "").await
}

async fn post(house: &TestState, path: &str, body: &str) -> Reply {
    ask(&routes(house), "POST", &format!("/0.1{path}"), &[], body).await
}

async fn reset_link(house: &TestState, login: &str) -> (String, Letter) {
    let reply = get(house, &format!("/users/password/reset?username={login}"), &[]).await;
    assert_eq!(status(&reply), 204);
    let letter = letter(house).await;
    let query = format!("user_uuid={}&token={}", letter.user, letter.token.expose());
    (query, letter)
}

#[tokio::test]
async fn a_request_for_a_password_is_answered_the_same_for_everyone() {
    let house = TestState::new().await;
    add(&house, "bob", "bob@example.org", false).await;
    for query in [
        "username=bob",
        "email=bob@example.org",
        "login=bob",
        "login=BOB%40example.org",
    ] {
        let reply = get(&house, &format!("/users/password/reset?{query}"), &[]).await;
        assert_eq!((status(&reply), reply.body.as_str()), (204, ""), "{query}");
        assert_eq!(letter(&house).await.address, "bob@example.org", "{query}");
    }
    for query in [
        "username=carol",
        "email=carol@example.org",
        "login=carol",
        "email=bob",
        "username=",
        "login=%00",
        "email=bob%40example.org%0d%0aBcc:x@example.org",
        "username=%27%20OR%201=1--",
    ] {
        let reply = get(&house, &format!("/users/password/reset?{query}"), &[]).await;
        assert_eq!((status(&reply), reply.body.as_str()), (204, ""), "{query}");
        house.state.notices.settle(Duration::from_secs(30)).await;
        assert!(house.letters.take().is_empty(), "{query}");
    }
    for query in [
        "",
        "username=bob&email=bob@example.org",
        "login=a&username=b",
        "name=bob",
        "user_uuid=1",
    ] {
        let reply = get(&house, &format!("/users/password/reset?{query}"), &[]).await;
        let body = reply.json();
        assert_eq!((status(&reply), &body["resource"]), (400, &json!("reset")), "{query}");
        assert_eq!(body["error_id"], "invalid-data");
    }
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    let house = TestState::new().await;
    add(&house, "bob", "bob@example.org", false).await;
    let (query, letter) = reset_link(&house, "bob").await;
    let path = format!("/users/password/reset?{query}");
    for (body, error) in [
        (json!({}), "Missing data for required field."),
        (json!({"password": ""}), "Length must be between 1 and 1024."),
        (json!({"password": 1}), "Not a valid string."),
    ] {
        let reply = post(&house, &path, &body.to_string()).await;
        assert_eq!(
            (status(&reply), &reply.json()["message"]),
            (400, &json!(error)),
            "{body}"
        );
    }
    let other = format!(
        "/users/password/reset?user_uuid=6f1d5d5e-0000-4000-8000-000000000000&token={}",
        letter.token.expose()
    );
    assert_eq!(status(&post(&house, &other, r#"{"password": "x"}"#).await), 401);
    for nobody in ["", "?user_uuid=nope"] {
        let reply = post(&house, &format!("/users/password/reset{nobody}"), "{}").await;
        assert_eq!((status(&reply), &reply.json()["resource"]), (400, &json!("reset")));
    }
    assert_eq!(status(&post(&house, &path, r#"{"password": "fresh"}"#).await), 204);
    let used = post(&house, &path, r#"{"password": "again"}"#).await;
    assert_eq!(status(&used), 401);
    let access = format!("auth.users.password.reset.{}.create", letter.user);
    assert_eq!(used.json()["details"]["required_access"], access);
}

#[tokio::test]
async fn a_header_is_as_good_as_a_link_and_null_removes_the_password() {
    let house = TestState::new().await;
    let bob = add(&house, "bob", "bob@example.org", false).await;
    let (_, letter) = reset_link(&house, "bob").await;
    let headers = [("x-auth-token", letter.token.expose().as_str())];
    let path = format!("/0.1/users/password/reset?user_uuid={}", bob.id);
    let reply = ask(&routes(&house), "POST", &path, &headers, r#"{"password": null}"#).await;
    assert_eq!(status(&reply), 204);
    assert!(house.store.verifier_of(bob.id).is_none());
}

#[tokio::test]
async fn the_form_of_a_link_sets_a_password_without_scripts() {
    let house = TestState::new().await;
    let bob = add(&house, "bob", "bob@example.org", false).await;
    let before = house.store.verifier_of(bob.id);
    let (query, _) = reset_link(&house, "bob").await;
    let path = format!("/users/password/reset/form?{query}");
    for _ in 0..2 {
        let page = get(&house, &path, &[]).await;
        assert_eq!(status(&page), 200);
        assert_eq!(page.body, r#"PasswordForm { login: "bob", problem: None }"#);
        for (header, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(page.header(header), Some(value));
        }
    }
    assert_eq!(house.store.verifier_of(bob.id), before, "to look changes nothing");
    for body in ["", "password=", "pass=x", &format!("password={}", "x".repeat(1025))] {
        let page = post(&house, &path, body).await;
        assert_eq!(status(&page), 400);
        assert!(page.body.contains("1 to 1024 bytes"), "{}", page.body);
    }
    let page = post(&house, &path, "password=n%C3%A9w+one").await;
    assert_eq!((status(&page), page.body.as_str()), (200, "PasswordSet"));
    assert_ne!(house.store.verifier_of(bob.id), before);
    for bad in [
        &path,
        "/users/password/reset/form",
        "/users/password/reset/form?user_uuid=x&token=y",
    ] {
        for page in [get(&house, bad, &[]).await, post(&house, bad, "password=x").await] {
            assert_eq!((status(&page), page.body.as_str()), (401, "LinkExpired"), "{bad}");
        }
    }
}

#[tokio::test]
async fn a_confirmation_is_sent_for_an_address_that_needs_one() {
    let caller = Caller::with("#").await;
    let house = &caller.house;
    let bob = add(house, "bob", "bob@example.org", true).await;
    let (user, email) = (bob.id.to_string(), bob.emails[0].id.to_string());
    let nobody = "6f1d5d5e-0000-4000-8000-000000000000";
    for (user, email, error) in [
        (user.as_str(), nobody, "unknown-email"),
        (nobody, email.as_str(), "unknown-user"),
    ] {
        let path = format!("/users/{user}/emails/{email}/confirm");
        let reply = caller.ask("GET", &path, &Value::Null).await;
        assert_eq!((status(&reply), &reply.json()["error_id"]), (404, &json!(error)));
    }
    let path = format!("/users/{user}/emails/{email}/confirm");
    assert_eq!(status(&get(house, &path, &[]).await), 401);
    assert_eq!(status(&caller.ask("GET", &path, &Value::Null).await), 204);
    let letter = letter(house).await;
    assert_eq!(letter.address, "bob@example.org");
    let link = format!("/emails/{email}/confirm?token={}", letter.token.expose());
    // A scanner first, then the reader.
    for _ in 0..2 {
        let page = get(house, &link, &[]).await;
        assert_eq!(
            (status(&page), page.body.as_str()),
            (200, r#"EmailConfirmed { address: "bob@example.org" }"#)
        );
    }
    let again = caller.ask("GET", &path, &Value::Null).await;
    assert_eq!(
        (status(&again), &again.json()["error_id"]),
        (409, &json!("email-already-confirmed"))
    );
}

#[tokio::test]
async fn an_address_is_confirmed_by_put_too_and_never_without_its_access() {
    let caller = Caller::with("auth.emails.*.confirm.update").await;
    let house = &caller.house;
    let bob = add(house, "bob", "bob@example.org", true).await;
    let path = format!("/emails/{}/confirm", bob.emails[0].id);
    for link in [path.clone(), format!("{path}?token=nope")] {
        assert_eq!(status(&get(house, &link, &[]).await), 401);
        let page = get(house, &link, &[("accept", "text/html,*/*")]).await;
        assert_eq!((status(&page), page.body.as_str()), (401, "LinkExpired"));
    }
    let confirmed = async || {
        let found = house.state.directory.find_by_email("bob@example.org", None).await;
        found.expect("an answer").is_some()
    };
    assert!(!confirmed().await);
    assert_eq!(status(&caller.ask("PUT", &path, &Value::Null).await), 204);
    assert!(confirmed().await);
    let nobody = "/emails/6f1d5d5e-0000-4000-8000-000000000000/confirm";
    let reply = caller.ask("PUT", nobody, &Value::Null).await;
    assert_eq!(
        (status(&reply), &reply.json()["error_id"]),
        (404, &json!("unknown-email"))
    );
    assert_eq!(
        status(&caller.ask("PUT", "/emails/nope/confirm", &Value::Null).await),
        404
    );
}

#[tokio::test]
async fn who_asks_for_too_many_mails_is_told_so() {
    let caller = Caller::with("#").await;
    let bob = add(&caller.house, "bob", "bob@example.org", true).await;
    let path = format!("/users/{}/emails/{}/confirm", bob.id, bob.emails[0].id);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(status(&caller.ask("GET", &path, &Value::Null).await));
    }
    assert_eq!(statuses, [204, 204, 204, 204, 204, 429]);
}

#[tokio::test]
async fn registration_is_no_page_unless_it_is_on() {
    let house = TestState::new().await;
    for method in ["GET", "POST", "PUT"] {
        let reply = ask(&routes(&house), method, "/0.1/users/register", &[], "{}").await;
        assert_eq!(status(&reply), 404);
        assert!(reply.body.contains("<h1>Not Found</h1>"), "{}", reply.body);
    }
}

#[tokio::test]
async fn whoever_registers_gets_a_tenant_a_user_and_a_mail() {
    let house = TestState::with(DialectSettings {
        wazo: WazoSettings {
            registration: true,
            ..WazoSettings::default()
        },
        ..DialectSettings::default()
    })
    .await;
    let body = json!({"username": "bob", "password": "s3cre7", "email_address": "bob@example.org", "firstname": "Bob",
        "purpose": "internal", "tenant_uuid": "6f1d5d5e-0000-4000-8000-000000000000"});
    let reply = post(&house, "/users/register", &body.to_string()).await;
    assert_eq!(status(&reply), 200, "{}", reply.body);
    let user = reply.json();
    assert_eq!(
        (&user["username"], &user["firstname"], &user["lastname"]),
        (&json!("bob"), &json!("Bob"), &json!(null))
    );
    assert_eq!((&user["purpose"], &user["enabled"]), (&json!("user"), &json!(true)));
    let email = &user["emails"][0];
    assert_eq!(
        (&email["address"], &email["main"], &email["confirmed"]),
        (&json!("bob@example.org"), &json!(true), &json!(false))
    );
    let letter = letter(&house).await;
    let link = format!(
        "/emails/{}/confirm?token={}",
        email["uuid"].as_str().expect("an id"),
        letter.token.expose()
    );
    assert_eq!(status(&get(&house, &link, &[]).await), 200);
    for (field, value) in [("username", "BOB"), ("email_address", "BOB@example.org")] {
        let mut taken = json!({"username": "c", "password": "x", "email_address": "c@example.org"});
        taken[field] = json!(value);
        let reply = post(&house, "/users/register", &taken.to_string()).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (409, &json!("conflict")),
            "{taken}"
        );
    }
    for bad in [
        json!({}),
        json!({"username": "c", "email_address": "c@example.org"}),
        json!({"username": "c", "password": "x"}),
        json!({"username": "c", "password": "x", "email_address": "c"}),
        json!({"username": "c", "password": "x", "email_address": "c@example.org\r\nBcc: d@example.org"}),
        json!({"username": "c\r\nBcc: d@example.org", "password": "x", "email_address": "c@example.org"}),
        json!({"username": "c", "password": "x", "email_address": "c@example.org", "firstname": "a\nb"}),
        json!({"username": "x".repeat(257), "password": "x", "email_address": "c@example.org"}),
        json!({"username": "c", "password": "", "email_address": "c@example.org"}),
    ] {
        let reply = post(&house, "/users/register", &bad.to_string()).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (400, &json!("invalid-data")),
            "{bad}"
        );
    }
    assert!(house.letters.take().is_empty(), "nobody else is written to");
    assert_eq!(house.state.directory.list_tenants().await.expect("tenants").len(), 2);
}

#[tokio::test]
async fn a_link_is_nobodys_session_and_ends_with_it() {
    let caller = Caller::with("#").await;
    let bob = add(&caller.house, "bob", "bob@example.org", false).await;
    let (query, _letter) = reset_link(&caller.house, "bob").await;
    let listed = caller.ask("GET", "/sessions", &Value::Null).await.json();
    let mut links = listed["items"].as_array().expect("a list").iter();
    let link = links
        .find(|session| session["user_uuid"].is_null())
        .expect("the link's session");
    assert_eq!(link["tenant_uuid"], json!(bob.tenant));
    let path = format!("/users/{}/sessions", bob.id);
    assert_eq!(caller.ask("GET", &path, &Value::Null).await.json()["total"], 0);
    let path = format!("/sessions/{}", link["uuid"].as_str().expect("an id"));
    assert_eq!(status(&caller.ask("DELETE", &path, &Value::Null).await), 204);
    let reply = post(
        &caller.house,
        &format!("/users/password/reset?{query}"),
        r#"{"password": "new"}"#,
    )
    .await;
    assert_eq!(status(&reply), 401);
}
