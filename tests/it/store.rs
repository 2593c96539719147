//! The stores behind the server: durability, outage, both drivers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use keyway_tests::TestHost;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn no_token_that_was_answered_is_lost_to_kill_9() {
    let mut host = TestHost::builder().user("alice", "s3cre7").start();
    let answered = Arc::new(Mutex::new(Vec::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let mut logins = Vec::new();
    for _ in 0..8 {
        let (wazo, answered, stop) = (host.wazo(), answered.clone(), stop.clone());
        logins.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let post = wazo
                    .request(Method::POST, "/token")
                    .basic_auth("alice", Some("s3cre7"))
                    .body("{}");
                // The server dies under this request sooner or later.
                let Ok(answer) = post.send().await else { return };
                let Ok(body) = answer.json::<serde_json::Value>().await else {
                    return;
                };
                let token = body["data"]["token"].as_str().expect("a token").to_owned();
                answered.lock().expect("no panic").push(token);
            }
        }));
    }
    while answered.lock().expect("no panic").len() < 40 {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
    host.kill();
    stop.store(true, Ordering::Relaxed);
    for login in logins {
        login.await.expect("no panic");
    }
    host.launch();
    let tokens = answered.lock().expect("no panic").clone();
    for token in &tokens {
        assert_eq!(
            host.wazo().check(token, "").await,
            204,
            "one of {} tokens is lost",
            tokens.len()
        );
    }
}

#[tokio::test]
async fn a_revocation_that_was_answered_survives_kill_9() {
    let mut host = TestHost::builder().user("alice", "s3cre7").start();
    let token = host.wazo().token("wazo_user", "alice", "s3cre7").await;
    host.wazo().revoke(&token).await;
    host.kill();
    host.launch();
    assert_eq!(host.wazo().check(&token, "").await, 404);
}

#[tokio::test]
async fn neither_tokens_nor_passwords_are_on_the_disk_in_clear() {
    let host = TestHost::builder().user("alice", "correct-horse-battery").start();
    let token = host.wazo().token("wazo_user", "alice", "correct-horse-battery").await;
    let bytes = uuid::Uuid::parse_str(&token).expect("a uuid").into_bytes();
    let needles: [&[u8]; 3] = [token.as_bytes(), &bytes, b"correct-horse-battery"];
    let mut folders = vec![host.folder().join("var")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(content) = std::fs::read(&path) {
                files += 1;
                for needle in needles {
                    let found = content.windows(needle.len()).any(|window| window == needle);
                    assert!(!found, "a secret is in {}", path.display());
                }
            }
        }
    }
    assert!(files >= 2, "the store and a key at the least");
}

#[tokio::test]
async fn postgresql_serves_the_same_api() {
    let postgres = keyway_tests::postgres::shared();
    let database = postgres.database();
    let host = TestHost::builder()
        .store(&database.url())
        .user("alice", "s3cre7")
        .start();
    let wazo = host.wazo();
    let token = wazo.token("xivo_user", "alice", "s3cre7").await;
    assert_eq!(wazo.check(&token, "").await, 204);
    assert_eq!(wazo.get(&token, "").await.status, 200);
    assert_eq!(wazo.revoke(&token).await.status, 200);
    assert_eq!(wazo.check(&token, "").await, 404);
}

#[tokio::test]
async fn a_second_node_hears_of_a_revocation() {
    let postgres = keyway_tests::postgres::shared();
    let database = postgres.database();
    let first = TestHost::builder()
        .store(&database.url())
        .user("alice", "s3cre7")
        .start();
    let master = std::fs::read(first.folder().join("var/master.key")).expect("the master key");
    let shared = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(shared.path(), master).expect("a copy of the key");
    let keys = format!("[keys]\nmaster_key = {{ file = \"{}\" }}", shared.path().display());
    let second = TestHost::builder().store(&database.url()).config(&keys).start();
    let token = first.wazo().token("wazo_user", "alice", "s3cre7").await;
    assert_eq!(
        second.wazo().check(&token, "").await,
        204,
        "a token of one node is good on the other"
    );
    first.wazo().revoke(&token).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while second.wazo().check(&token, "").await == 204 {
        assert!(
            std::time::Instant::now() < deadline,
            "the second node still takes the token"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_503_and_nothing_is_half_written() {
    let postgres = keyway_tests::postgres::private();
    let database = postgres.database();
    let host = TestHost::builder()
        .store(&database.url())
        .user("alice", "s3cre7")
        .start();
    let wazo = host.wazo();
    let token = wazo.token("wazo_user", "alice", "s3cre7").await;
    postgres.stop();
    let refused = wazo.login("alice", "s3cre7", json!({})).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    assert_eq!(
        wazo.check("00000000-0000-4000-8000-000000000000", "").await,
        503,
        "unknown is not the same as not to be found out"
    );
    assert_eq!(
        wazo.revoke(&token).await.status,
        503,
        "a revocation that was not written is not answered as one"
    );
    let ready = send(wazo.at(host.url("")).request(Method::GET, "/readyz")).await;
    assert_eq!(ready.status, 503);
    let live = send(wazo.at(host.url("")).request(Method::GET, "/livez")).await;
    assert_eq!(live.status, 200);
    postgres.start();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while wazo.login("alice", "s3cre7", json!({})).await.status != 200 {
        assert!(std::time::Instant::now() < deadline, "the server does not recover");
    }
    assert_eq!(
        wazo.check(&token, "").await,
        204,
        "what was issued before is still good"
    );
}
