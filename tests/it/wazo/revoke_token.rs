//! `DELETE /0.1/token/{token}`, and the operator's ways to end tokens.

use keyway_tests::TestHost;
use serde_json::json;

#[tokio::test]
async fn delete_token_ends_it_at_once_and_answers_the_same_for_any() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let wazo = host.wazo();
    let (one, other) = (
        wazo.token("wazo_user", "alice", "s3cre7").await,
        wazo.token("wazo_user", "alice", "s3cre7").await,
    );
    assert_eq!(wazo.check(&one, "").await, 204);
    for token in [one.as_str(), one.as_str(), "00000000-0000-4000-8000-000000000000"] {
        let answer = wazo.revoke(token).await;
        assert_eq!(
            (answer.status, answer.body),
            (200, json!({"data": {"message": "success"}}))
        );
    }
    assert_eq!(wazo.check(&one, "").await, 404);
    assert_eq!(wazo.check(&other, "").await, 204, "another login of the same user");
    assert_eq!(wazo.revoke("not-a-uuid").await.status, 404);
}

#[tokio::test]
async fn token_revoke_reaches_a_running_server() {
    let host = TestHost::builder()
        .user("alice", "s3cre7")
        .user("bob", "s3cre7")
        .start();
    let wazo = host.wazo();
    let one = wazo.token("wazo_user", "alice", "s3cre7").await;
    let two = wazo.token("wazo_user", "alice", "s3cre7").await;
    let bobs = wazo.token("wazo_user", "bob", "s3cre7").await;
    host.keyway(&["token", "revoke", &one]).ok();
    assert_eq!([wazo.check(&one, "").await, wazo.check(&two, "").await], [404, 204]);
    host.keyway(&["token", "revoke", "--user", "alice"]).ok();
    assert_eq!([wazo.check(&two, "").await, wazo.check(&bobs, "").await], [404, 204]);
    let digest = host.plugin_status("wazo_user")["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    host.keyway(&["token", "revoke", "--plugin", &digest]).ok();
    assert_eq!(wazo.check(&bobs, "").await, 404);
}

#[tokio::test]
async fn removing_a_user_or_changing_a_password_ends_the_sessions() {
    let host = TestHost::builder()
        .user("alice", "s3cre7")
        .user("bob", "s3cre7")
        .start();
    let wazo = host.wazo();
    let (alices, bobs) = (
        wazo.token("wazo_user", "alice", "s3cre7").await,
        wazo.token("wazo_user", "bob", "s3cre7").await,
    );
    host.keyway_with_input(&["user", "set-password", "alice", "--password-stdin"], "changed")
        .ok();
    assert_eq!(wazo.check(&alices, "").await, 404);
    assert_eq!(wazo.login("alice", "s3cre7", json!({})).await.status, 401);
    assert_eq!(wazo.login("alice", "changed", json!({})).await.status, 200);
    host.keyway(&["user", "remove", "bob"]).ok();
    assert_eq!(wazo.check(&bobs, "").await, 404);
    assert_eq!(wazo.login("bob", "s3cre7", json!({})).await.status, 401);
}
