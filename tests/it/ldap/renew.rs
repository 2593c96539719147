//! A refresh token is good for as long as the directory would let its owner in.

use keyway_tests::TestHost;
use keyway_tests::slapd::{PEOPLE, Slapd};
use keyway_tests::wazo::Answer;
use serde_json::json;

use super::corp::{BACKEND, Corp};

/// Logs in for long, and returns the refresh token.
async fn stay(host: &TestHost, login: &str, password: &str) -> String {
    let body = json!({"backend": BACKEND, "access_type": "offline", "client_id": "app"});
    let answer = host.wazo().login(login, password, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.body["data"]["refresh_token"].as_str();
    token
        .unwrap_or_else(|| panic!("no refresh token in {answer:?}"))
        .to_owned()
}

async fn renew(host: &TestHost, refresh_token: &str) -> Answer {
    let body = json!({"refresh_token": refresh_token, "client_id": "app"});
    host.wazo().login("", "", body).await
}

#[tokio::test]
async fn whoever_is_removed_or_locked_renews_no_token() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    let (alice, bob) = (
        stay(&host, "alice", "s3cre7").await,
        stay(&host, "bob", "b0bs-s3cre7").await,
    );
    for token in [&alice, &bob] {
        let renewed = renew(&host, token).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");
    }
    slapd.remove(&format!("uid=bob,{PEOPLE}"));
    assert_eq!(renew(&host, &bob).await.status, 401);
    assert_eq!(renew(&host, &alice).await.status, 200, "alice is still there");
    let lock = |since: &str| {
        slapd.modify(&format!(
            "dn: uid=alice,{PEOPLE}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: {since}\n"
        ));
    };
    lock("20260101000000Z");
    assert_eq!(
        renew(&host, &alice).await.status,
        200,
        "whoever guesses ends no sessions"
    );
    lock("000001010000Z");
    assert_eq!(renew(&host, &alice).await.status, 401);
}

#[tokio::test]
async fn whoever_the_operators_filter_finds_no_more_renews_no_token() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain())
        .config("search_filters = \"(&(employeeType=staff)(|(uid={username})(mail={username})))\"")
        .start();
    let alice = stay(&host, "alice@example.org", "s3cre7").await;
    assert_eq!(renew(&host, &alice).await.status, 200);
    slapd.modify(&format!(
        "dn: uid=alice,{PEOPLE}\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n"
    ));
    assert_eq!(renew(&host, &alice).await.status, 401);
}

#[tokio::test]
async fn a_token_is_not_renewed_while_the_directory_says_nothing() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    let alice = stay(&host, "alice", "s3cre7").await;
    slapd.stop();
    assert_eq!(renew(&host, &alice).await.status, 503);
    slapd.start();
    assert_eq!(renew(&host, &alice).await.status, 200, "it was not lost");
}
