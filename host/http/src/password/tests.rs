//! Rules of changing a password that a backend keeps.

use std::sync::Arc;

use axum::Router;
use keyway_core::model::{Outcome, Refusal};
use keyway_core::testing::FakeBackend;
use serde_json::{Value, json};

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask, ask_full};

const PATH: &str = "/keyway/v1/password";

struct House {
    test: TestState,
    router: Router,
}

impl House {
    async fn new() -> Self {
        let test = TestState::new().await;
        let router = router(&[Dialect::Wazo], &test.state);
        Self { test, router }
    }

    async fn send(&self, body: &Value) -> Reply {
        ask(&self.router, "POST", PATH, &[], &body.to_string()).await
    }

    /// What a change comes to: the status and the error's id.
    async fn change(&self, login: &str, old: &str, new: &str) -> (u16, String) {
        outcome(&self.send(&body(login, old, new)).await)
    }
}

fn body(login: &str, old: &str, new: &str) -> Value {
    json!({"backend": "wazo_user", "login": login, "old_password": old, "new_password": new})
}

fn outcome(reply: &Reply) -> (u16, String) {
    let id = reply.json()["error_id"].as_str().expect("an id").to_owned();
    (reply.status.as_u16(), id)
}

#[tokio::test]
async fn a_change_is_204_and_ends_what_was_issued() {
    let house = House::new().await;
    let basic = [("authorization", "Basic Ym9iOnMzY3JlNw==")];
    let issued = ask(&house.router, "POST", "/0.1/token", &basic, "{}").await;
    let token = issued.json()["data"]["token"].as_str().expect("a token").to_owned();
    let path = format!("/0.1/token/{token}");
    assert_eq!(ask(&house.router, "HEAD", &path, &[], "").await.status, 204);
    let changed = house.send(&body("bob", "s3cre7", "another one")).await;
    assert_eq!((changed.status.as_u16(), changed.body.as_str()), (204, ""));
    assert_eq!(ask(&house.router, "HEAD", &path, &[], "").await.status, 404);
}

#[tokio::test]
async fn the_backend_is_told_what_the_caller_says() {
    let house = House::new().await;
    let mut sent = body("bob", "s3cre7", "another one");
    sent["tenant"] = json!("acme.example.org");
    sent["backend"] = json!("xivo_user");
    let request = ask(
        &house.router,
        "POST",
        PATH,
        &[("user-agent", "curl")],
        &sent.to_string(),
    )
    .await;
    assert_eq!(request.status, 204);
    let changes = house.test.backend.changes();
    let [change] = changes.as_slice() else {
        panic!("{} changes", changes.len());
    };
    assert_eq!(change.context.tenant.as_deref(), Some("acme.example.org"));
    assert_eq!((change.context.dialect, change.identifier.as_str()), ("keyway", "bob"));
    assert_eq!(change.new.expose(), b"another one");
}

#[tokio::test]
async fn every_refusal_is_the_same_401() {
    let house = House::new().await;
    let mut nowhere = body("bob", "s3cre7", "another one");
    nowhere["backend"] = json!("nowhere");
    let replies = [
        house.send(&body("bob", "wrong", "another one")).await,
        house.send(&body("nobody", "s3cre7", "another one")).await,
        house.send(&nowhere).await,
    ];
    for reply in &replies {
        assert_eq!(outcome(reply), (401, "authentication-failed".to_owned()));
        assert_eq!(reply.body, replies[0].body);
    }
}

#[tokio::test]
async fn each_rejection_is_422_with_an_id_of_its_own() {
    let house = House::new().await;
    for id in [
        "password-too-short",
        "password-too-weak",
        "password-used-before",
        "password-changed-too-soon",
        "password-change-not-allowed",
        "password-rejected",
    ] {
        assert_eq!(house.change("bob", "s3cre7", id).await, (422, id.to_owned()));
    }
}

#[tokio::test]
async fn a_backend_that_changes_no_passwords_says_so() {
    let house = House::new().await;
    let fixed = FakeBackend::new(|_| Ok(Outcome::Refused(Refusal::WrongCredential)));
    house.test.backends.add("fixed", Arc::new(fixed)).expect("a name");
    let mut sent = body("bob", "s3cre7", "another one");
    sent["backend"] = json!("fixed");
    assert_eq!(outcome(&house.send(&sent).await), (400, "not-offered".to_owned()));
}

#[tokio::test]
async fn a_fault_is_503_and_tells_nothing_of_its_reason() {
    let house = House::new().await;
    let unavailable = || (503, "unavailable".to_owned());
    for (login, seconds) in [("unavailable", "1"), ("breaker", "5")] {
        let reply = house.send(&body(login, "s3cre7", "another one")).await;
        assert_eq!(outcome(&reply), unavailable());
        assert_eq!(reply.header("retry-after"), Some(seconds));
        assert!(!reply.body.contains("secret-host"), "{reply:?}");
    }
    house.test.store.set_down(true);
    assert_eq!(house.change("bob", "s3cre7", "another one").await, unavailable());
    let sent = body("bob", "s3cre7", "another one").to_string();
    let full = ask_full(&house.router, "POST", PATH, &[], &sent).await;
    assert_eq!(outcome(&full), unavailable());
    assert!(
        house.test.backend.changes().len() < 3,
        "the last two reached no backend"
    );
}

#[tokio::test]
async fn a_body_that_is_wrong_is_not_quoted() {
    let house = House::new().await;
    for wrong in [
        r#""s3cre7""#.to_owned(),
        r#"{"login": "s3cre7"}"#.to_owned(),
        body("bob", "s3cre7", "").to_string(),
        body("bob", "", "s3cre7").to_string(),
        body("bob", "s3cre7", &"é".repeat(1025)).to_string(),
        body("bob", "s3cre7", "x")
            .to_string()
            .replace("old_password", "old_s3cre7"),
        json!({"backend": "wazo_user", "login": "bob", "old_password": ["s3cre7"], "new_password": "x"}).to_string(),
    ] {
        let reply = ask(&house.router, "POST", PATH, &[], &wrong).await;
        assert_eq!(outcome(&reply), (400, "invalid-body".to_owned()), "{wrong}");
        assert!(!reply.body.contains("s3cre7"), "{reply:?}");
    }
    assert_eq!(house.test.backend.changes().len(), 0);
}
