//! `GET` and `HEAD /0.1/token/{token}`, `POST /0.1/token/{token}/scopes/check`.

use keyway_tests::TestHost;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn get_token_repeats_what_post_answered() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let issued = host.wazo().login("alice", "s3cre7", json!({})).await;
    let token = issued.token();
    for spelling in [token.clone(), token.to_uppercase()] {
        let read = host.wazo().get(&spelling, "").await;
        assert_eq!(read.status, 200);
        assert_eq!(read.body, issued.body);
        assert_eq!(host.wazo().check(&spelling, "").await, 204);
    }
}

#[tokio::test]
async fn check_token_knows_scope_and_tenant() {
    let host = TestHost::builder()
        .user("alice", "s3cre7")
        .user_with("root", "s3cre7", &["--admin"])
        .start();
    host.keyway(&[
        "policy",
        "add",
        "calls",
        "--access",
        "calls.me.#",
        "--access",
        "!calls.me.delete",
    ])
    .ok();
    host.keyway(&["policy", "attach", "calls", "--user", "alice"]).ok();
    let sub = host.keyway(&["tenant", "add", "sub", "--json"]).ok().json();
    let sub = sub["id"]
        .as_str()
        .or(sub["uuid"].as_str())
        .expect("the tenant's id")
        .to_owned();
    let wazo = host.wazo();
    let alice = wazo.login("alice", "s3cre7", json!({})).await;
    let (token, id) = (
        alice.token(),
        alice.body["data"]["auth_id"].as_str().expect("an id").to_owned(),
    );
    let own = alice.body["data"]["metadata"]["tenant_uuid"]
        .as_str()
        .expect("a tenant")
        .to_owned();
    let root = wazo.token("wazo_user", "root", "s3cre7").await;
    let cases = [
        (&token, "?scope=calls.me.read".to_owned(), 204),
        (&token, format!("?scope=calls.{id}.read"), 204),
        (&token, "?scope=calls.me.delete".to_owned(), 403),
        (&token, "?scope=calls.other.read".to_owned(), 403),
        (&token, "?scope=".to_owned(), 403),
        (&token, "?scope=calls.me.read&scope=other".to_owned(), 204),
        (&token, format!("?tenant={own}"), 204),
        (&token, format!("?tenant={sub}"), 204),
        (&token, format!("?scope=calls.me.read&tenant={own}"), 204),
        (&token, "?tenant=00000000-0000-4000-8000-000000000000".to_owned(), 403),
        (&token, "?tenant=nonsense".to_owned(), 403),
        (&root, "?scope=anything.at%20all".to_owned(), 204),
        (&root, "?scope=".to_owned(), 204),
    ];
    for (token, query, status) in &cases {
        assert_eq!(wazo.check(token, query).await, *status, "HEAD {query}");
        assert_eq!(
            wazo.get(token, query).await.status,
            if *status == 204 { 200 } else { *status },
            "GET {query}"
        );
    }
    let denied = wazo.get(&token, "?scope=other").await;
    assert_eq!(denied.body["reason"], json!(["Unauthorized for other"]));
}

#[tokio::test]
async fn check_token_keeps_the_accesses_of_its_issue() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let before = host.wazo().token("wazo_user", "alice", "s3cre7").await;
    host.keyway(&["policy", "add", "calls", "--access", "calls.#"]).ok();
    host.keyway(&["policy", "attach", "calls", "--user", "alice"]).ok();
    let after = host.wazo().token("wazo_user", "alice", "s3cre7").await;
    assert_eq!(host.wazo().check(&before, "?scope=calls.read").await, 403);
    assert_eq!(host.wazo().check(&after, "?scope=calls.read").await, 204);
}

#[tokio::test]
async fn check_token_is_404_for_the_unknown_and_the_malformed() {
    let host = TestHost::builder().start();
    let unknown = host.wazo().get("00000000-0000-4000-8000-000000000000", "").await;
    assert_eq!(
        (unknown.status, &unknown.body["reason"]),
        (404, &json!(["No such token"]))
    );
    assert_eq!(host.wazo().check("00000000-0000-4000-8000-000000000000", "").await, 404);
    let malformed = host.wazo().get("not-a-uuid", "").await;
    assert_eq!(malformed.status, 404);
    assert!(
        malformed.headers["content-type"]
            .to_str()
            .expect("text")
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn check_scopes_answers_each_once() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    host.keyway(&["policy", "add", "calls", "--access", "calls.*"]).ok();
    host.keyway(&["policy", "attach", "calls", "--user", "alice"]).ok();
    let token = host.wazo().token("wazo_user", "alice", "s3cre7").await;
    let ask = async |token: &str, body: Value| {
        send(
            host.wazo()
                .request(Method::POST, &format!("/token/{token}/scopes/check"))
                .json(&body),
        )
        .await
    };
    let answer = ask(&token, json!({"scopes": ["calls.read", "other", "calls.read"]})).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"scopes": {"calls.read": true, "other": false}}))
    );
    assert_eq!(ask(&token, json!({})).await.status, 400);
    assert_eq!(ask(&token, json!({"scopes": "calls.read"})).await.status, 400);
    assert_eq!(
        ask(
            &token,
            json!({"scopes": [], "tenant_uuid": "00000000-0000-4000-8000-000000000000"})
        )
        .await
        .status,
        403
    );
    assert_eq!(
        ask("00000000-0000-4000-8000-000000000000", json!({"scopes": []}))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn check_token_is_404_once_expired() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let token = host
        .wazo()
        .login("alice", "s3cre7", json!({"expiration": 1}))
        .await
        .token();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    // The life of a token is a matter of seconds at the least, so this test waits for one to end.
    while host.wazo().check(&token, "").await == 204 {
        assert!(std::time::Instant::now() < deadline, "the token is still good");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(host.wazo().check(&token, "").await, 404);
}

#[tokio::test]
async fn list_backends_and_status_need_no_token() {
    let host = TestHost::builder().start();
    let backends = send(host.wazo().request(Method::GET, "/backends")).await;
    let names = json!({"data": ["ldap_user", "wazo_user"]});
    assert_eq!((backends.status, backends.body), (200, names));
    assert_eq!(send(host.wazo().request(Method::HEAD, "/status")).await.status, 200);
    let get = send(host.wazo().request(Method::GET, "/status")).await;
    assert_eq!(get.status, 405);
    assert!(get.headers["allow"].to_str().expect("text").contains("HEAD"));
}
