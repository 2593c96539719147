//! `POST /keyway/v1/password` for users of a directory.

use keyway_tests::TestHost;
use keyway_tests::slapd::{PEOPLE, Slapd};
use keyway_tests::wazo::{Answer, send};
use reqwest::Method;
use serde_json::{Value, json};

use super::corp::{BACKEND, Corp, log_in, start_all, status};

async fn change(host: &TestHost, backend: &str, login: &str, old: &str, new: &str) -> Answer {
    let body = json!({"backend": backend, "login": login, "old_password": old, "new_password": new});
    let post = host
        .wazo()
        .at(host.url(""))
        .request(Method::POST, "/keyway/v1/password");
    send(post.json(&body)).await
}

#[tokio::test]
async fn a_new_password_is_good_and_the_old_one_and_its_tokens_are_not() {
    let slapd = Slapd::builder().start();
    let host = Corp::over_starttls(&slapd).start();
    let token = log_in(&host.wazo(), "alice", "s3cre7").await.token();
    let bobs = log_in(&host.wazo(), "bob", "b0bs-s3cre7").await.token();
    let changed = change(&host, BACKEND, "alice", "s3cre7", "an0ther-0ne").await;
    assert_eq!((changed.status, &changed.body), (204, &Value::Null));
    assert_eq!(host.wazo().check(&token, "").await, 404, "issued for the old one");
    assert_eq!(host.wazo().check(&bobs, "").await, 204, "another's");
    assert_eq!(status(&host, "alice", "s3cre7").await, 401);
    assert_eq!(status(&host, "alice", "an0ther-0ne").await, 200);
    assert!(slapd.takes(&format!("uid=alice,{PEOPLE}"), "an0ther-0ne"));
    let log = host.log().text();
    assert!(!log.contains("an0ther-0ne") && !log.contains("s3cre7"), "{log}");
}

#[tokio::test]
async fn what_the_directory_does_not_accept_changes_nothing() {
    let slapd = Slapd::builder().start();
    let host = start_all([
        (BACKEND.to_owned(), Corp::at(&slapd.plain())),
        ("direct".to_owned(), Corp::directly(&slapd.plain())),
    ]);
    let refused = "authentication-failed";
    for backend in [BACKEND, "direct"] {
        for (login, old, new, status, id) in [
            ("alice", "wrong", "an0ther-0ne", 401, refused),
            ("nobody", "s3cre7", "an0ther-0ne", 401, refused),
            ("twin", "s3cre7", "an0ther-0ne", 401, refused),
            ("locked", "s3cre7", "an0ther-0ne", 401, refused),
            ("*", "s3cre7", "an0ther-0ne", 401, refused),
            ("alice", "s3cre7", "short", 422, "password-too-short"),
            ("alice", "", "an0ther-0ne", 400, "invalid-body"),
            ("alice", "s3cre7", "", 400, "invalid-body"),
        ] {
            let answer = change(&host, backend, login, old, new).await;
            assert_eq!(answer.status, status, "{backend}, {login}, {old}, {new}: {answer:?}");
            assert_eq!(answer.body["error_id"], id, "{backend}, {login}, {old}, {new}");
        }
    }
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
}

#[tokio::test]
async fn a_password_that_was_used_before_is_rejected() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    assert_eq!(
        change(&host, BACKEND, "alice", "s3cre7", "an0ther-0ne").await.status,
        204
    );
    let back = change(&host, BACKEND, "alice", "an0ther-0ne", "s3cre7").await;
    assert_eq!(
        (back.status, &back.body["error_id"]),
        (422, &json!("password-used-before"))
    );
    assert_eq!(status(&host, "alice", "an0ther-0ne").await, 200);
}

#[tokio::test]
async fn whoever_must_change_the_password_first_does_it_here() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    assert_eq!(status(&host, "mustchange", "s3cre7").await, 401);
    let changed = change(&host, BACKEND, "mustchange", "s3cre7", "an0ther-0ne").await;
    assert_eq!(changed.status, 204, "{changed:?}");
    assert_eq!(status(&host, "mustchange", "an0ther-0ne").await, 200);
}

#[tokio::test]
async fn without_the_directory_nothing_is_said_of_a_password() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    slapd.stop();
    let answer = change(&host, BACKEND, "alice", "s3cre7", "an0ther-0ne").await;
    assert_eq!((answer.status, &answer.body["error_id"]), (503, &json!("unavailable")));
    slapd.start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
}
