//! Addresses that their owners confirm.

use keyway_tests::TestHost;
use keyway_tests::smtp::SmtpSink;
use keyway_tests::wazo::{Answer, send};
use reqwest::Method;
use serde_json::{Value, json};

use super::mail::{click, config, token_of};

/// A server with alice, an administrator, and her token.
struct House {
    host: TestHost,
    sink: SmtpSink,
    token: String,
}

impl House {
    async fn new() -> Self {
        let sink = SmtpSink::start();
        let host = TestHost::builder()
            .user_with("alice", "s3cre7", &["--admin"])
            .config(&config(&sink, ""))
            .start();
        let token = host.wazo().token("wazo_user", "alice", "s3cre7").await;
        Self { host, sink, token }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.host.wazo().request(method, path);
        send(request.header("X-Auth-Token", &self.token).json(&body)).await
    }

    /// A user with this address, which is not confirmed, and the ids of both.
    async fn user(&self, login: &str, address: &str) -> (String, String) {
        let body = json!({"username": login, "password": "s3cre7"});
        let user = self.ask(Method::POST, "/users", body).await;
        let id = user.body["uuid"].as_str().expect("an id").to_owned();
        let body = json!({"emails": [{"address": address, "main": true}]});
        let emails = self.ask(Method::PUT, &format!("/users/{id}/emails"), body).await;
        let email = emails.body[0]["uuid"].as_str().unwrap_or_else(|| panic!("{emails:?}"));
        (id, email.to_owned())
    }

    async fn is_confirmed(&self, user: &str) -> bool {
        let found = self.ask(Method::GET, &format!("/users/{user}"), Value::Null).await;
        found.body["emails"][0]["confirmed"] == true
    }
}

#[tokio::test]
async fn a_click_confirms_the_address_which_is_a_login_then() {
    let mut house = House::new().await;
    let (user, email) = house.user("bob", "Bob@example.org").await;
    let wazo = house.host.wazo();
    assert_eq!(wazo.login("bob@example.org", "s3cre7", json!({})).await.status, 401);
    let path = format!("/users/{user}/emails/{email}/confirm");
    let sent = house.ask(Method::GET, &path, Value::Null).await;
    assert_eq!((sent.status, sent.body), (204, Value::Null));
    let mail = house.sink.next().await;
    assert_eq!(mail.to, ["Bob@example.org"]);
    assert_eq!(mail.header("Subject"), Some("Confirm your email address"));
    // A mail scanner first, then its reader.
    for _ in 0..2 {
        let page = click(&house.host, &mail).await;
        assert_eq!(
            (page.status, &page.headers["content-type"]),
            (200, &"text/html; charset=utf-8".parse().expect("a value"))
        );
        assert!(
            page.body.as_str().expect("a page").contains("Bob@example.org"),
            "{page:?}"
        );
    }
    assert!(house.is_confirmed(&user).await);
    assert_eq!(wazo.login("bob@example.org", "s3cre7", json!({})).await.status, 200);
    let again = house.ask(Method::GET, &path, Value::Null).await;
    assert_eq!(
        (again.status, &again.body["error_id"]),
        (409, &json!("email-already-confirmed"))
    );
    assert!(!house.host.log().text().contains(&token_of(&mail)));
}

#[tokio::test]
async fn the_token_of_a_link_confirms_its_address_and_does_nothing_else() {
    let mut house = House::new().await;
    let (user, email) = house.user("bob", "bob@example.org").await;
    let (other, others_email) = house.user("carol", "carol@example.org").await;
    house
        .ask(
            Method::GET,
            &format!("/users/{user}/emails/{email}/confirm"),
            Value::Null,
        )
        .await;
    let token = token_of(&house.sink.next().await);
    let wazo = house.host.wazo();
    let by_token = |method: Method, path: String| {
        let request = wazo.request(method, &path).header("X-Auth-Token", &token);
        send(request)
    };
    for (method, path) in [
        (Method::PUT, format!("/emails/{others_email}/confirm")),
        (Method::GET, format!("/users/{user}")),
        (Method::POST, format!("/users/password/reset?user_uuid={user}")),
        (Method::GET, format!("/users/{other}/emails/{others_email}/confirm")),
    ] {
        let refused = by_token(method, path.clone()).await;
        assert_eq!(
            (refused.status, &refused.body["error_id"]),
            (401, &json!("unauthorized")),
            "{path}"
        );
    }
    assert!(!house.is_confirmed(&other).await);
    assert_eq!(
        by_token(Method::PUT, format!("/emails/{email}/confirm")).await.status,
        204
    );
    assert!(house.is_confirmed(&user).await);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_a_bad_link_is_a_page_that_says_so() {
    let house = House::new().await;
    let (user, email) = house.user("bob", "bob@example.org").await;
    let nobody = "6f1d5d5e-0000-4000-8000-000000000000";
    for (path, error) in [
        (format!("/users/{user}/emails/{nobody}/confirm"), "unknown-email"),
        (format!("/users/{nobody}/emails/{email}/confirm"), "unknown-user"),
    ] {
        let refused = house.ask(Method::GET, &path, Value::Null).await;
        assert_eq!(
            (refused.status, &refused.body["error_id"]),
            (404, &json!(error)),
            "{path}"
        );
    }
    let wazo = house.host.wazo();
    let link = format!("/emails/{email}/confirm?token={nobody}");
    let page = send(wazo.request(Method::GET, &link).header("Accept", "text/html")).await;
    assert_eq!(page.status, 401);
    assert!(
        page.body.as_str().expect("a page").contains("does not work any more"),
        "{page:?}"
    );
    let body = send(wazo.request(Method::GET, &link)).await;
    assert_eq!((body.status, &body.body["error_id"]), (401, &json!("unauthorized")));
    assert!(!house.is_confirmed(&user).await);
}
