//! Users who register themselves.

use keyway_tests::TestHost;
use keyway_tests::smtp::SmtpSink;
use keyway_tests::wazo::{Answer, send};
use reqwest::Method;
use serde_json::{Value, json};

use super::mail::{click, config};

async fn register(host: &TestHost, body: Value) -> Answer {
    send(host.wazo().request(Method::POST, "/users/register").json(&body)).await
}

fn open(sink: &SmtpSink) -> TestHost {
    let config = format!("{}\n[directory]\nregistration = true\n", config(sink, ""));
    TestHost::builder().user("alice", "s3cre7").config(&config).start()
}

#[tokio::test]
async fn registration_is_no_page_unless_the_operator_lets_people_in() {
    let host = TestHost::builder().start();
    let body = json!({"username": "bob", "password": "s3cre7", "email_address": "bob@example.org"});
    let answer = register(&host, body).await;
    assert_eq!(answer.status, 404);
    assert!(
        answer.body.as_str().expect("a page").contains("<h1>Not Found</h1>"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn whoever_registers_logs_in_and_confirms_the_address_by_a_click() {
    let mut sink = SmtpSink::start();
    let host = open(&sink);
    let wazo = host.wazo();
    let body = json!({"username": "bob", "password": "s3cre7", "email_address": "bob@example.org", "firstname": "Bob"});
    let user = register(&host, body).await;
    assert_eq!(user.status, 200, "{user:?}");
    assert_eq!(user.body["emails"][0]["confirmed"], false);
    let token = wazo.login("bob", "s3cre7", json!({})).await;
    assert_eq!(token.body["data"]["metadata"]["tenant_uuid"], user.body["tenant_uuid"]);
    let alices = wazo.login("alice", "s3cre7", json!({})).await;
    assert_ne!(alices.body["data"]["metadata"]["tenant_uuid"], user.body["tenant_uuid"]);
    assert_eq!(wazo.login("bob@example.org", "s3cre7", json!({})).await.status, 401);
    let mail = sink.next().await;
    assert_eq!(mail.to, ["bob@example.org"]);
    assert_eq!(click(&host, &mail).await.status, 200);
    assert_eq!(wazo.login("bob@example.org", "s3cre7", json!({})).await.status, 200);
    for taken in [
        json!({"username": "ALICE", "password": "x", "email_address": "c@example.org"}),
        json!({"username": "c", "password": "x", "email_address": "BOB@example.org"}),
        json!({"username": "bob@example.org", "password": "x", "email_address": "c@example.org"}),
    ] {
        let answer = register(&host, taken.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["error_id"]),
            (409, &json!("conflict")),
            "{taken}"
        );
    }
    assert_eq!(
        host.keyway(&["tenant", "list", "--json"])
            .ok()
            .json()
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn no_registration_makes_a_mail_say_or_go_what_and_where_it_should_not() {
    let mut sink = SmtpSink::start();
    let host = open(&sink);
    for bad in [
        json!({"username": "c", "password": "x", "email_address": "c@example.org\r\nBcc: d@example.org"}),
        json!({"username": "c", "password": "x", "email_address": "c@example.org\nd@example.org"}),
        json!({"username": "c", "password": "x", "email_address": "c@example.org> <d@example.org"}),
        json!({"username": "c\r\nBcc: d@example.org", "password": "x", "email_address": "c@example.org"}),
        json!({"username": "c", "password": "x", "email_address": "c@example.org", "lastname": "d\r\nBcc: d@example.org"}),
        json!({"username": "c", "password": "x", "email_address": "c@example.org\u{0}"}),
    ] {
        let answer = register(&host, bad.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["error_id"]),
            (400, &json!("invalid-data")),
            "{bad}"
        );
    }
    let spam = "<a href=\"http://evil.example\">You have won</a> {{ token }}";
    let body = json!({"username": spam, "password": "x", "email_address": "c@example.org", "firstname": spam, "lastname": spam});
    assert_eq!(register(&host, body).await.status, 200);
    let mail = sink.next().await;
    assert_eq!(mail.to, ["c@example.org"]);
    for part in [&mail.text, &mail.html] {
        assert!(!part.contains("won") && !part.contains("evil"), "{mail:?}");
    }
    assert!(sink.rest().is_empty());
}
