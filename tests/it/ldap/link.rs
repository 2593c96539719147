//! `link = "email"`: who is found in the directory is the host's user of that address, if that user's passwords are kept there.

use keyway_tests::TestHost;
use keyway_tests::slapd::Slapd;
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::{Value, json};

use super::corp::{Corp, log_in, status};

fn host() -> TestHost {
    let builder = TestHost::builder()
        .user_with("root", "r00t-s3cre7", &["--admin"])
        .user_with("al", "own-s3cre7", &["--email", "Alice@Example.org"])
        .user_with("robert", "own-s3cre7", &["--email", "bob@example.org"]);
    Corp::at(&Slapd::shared().plain())
        .config("link = \"email\"")
        .grant("directory = [\"find\", \"link\"]")
        .start_on(builder)
}

/// Lets this user's passwords be kept where `method` says; the user's id.
async fn set_method(host: &TestHost, login: &str, method: &str) -> String {
    let wazo = host.wazo();
    let root = wazo.token("wazo_user", "root", "r00t-s3cre7").await;
    let get = wazo.request(Method::GET, &format!("/users?username={login}"));
    let found = send(get.header("X-Auth-Token", &root)).await;
    let user = found.body["items"][0]["uuid"].as_str().expect("a user").to_owned();
    let put = wazo.request(Method::PUT, &format!("/idp/{method}/users/{user}"));
    let set = send(put.header("X-Auth-Token", &root)).await;
    assert_eq!(set.status, 204, "{set:?}");
    user
}

#[tokio::test]
async fn a_user_of_the_host_logs_in_with_the_directorys_password() {
    let host = host();
    let al = set_method(&host, "al", "ldap").await;
    let answer = log_in(&host.wazo(), "alice", "s3cre7").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["data"]["auth_id"], json!(al));
    assert_eq!(answer.body["data"]["xivo_user_uuid"], json!(al));
    assert_eq!(status(&host, "alice", "own-s3cre7").await, 401);
    let native = host.wazo().login("al", "own-s3cre7", Value::Null).await;
    assert_eq!(native.status, 401, "the host's own password is of no use now");
}

#[tokio::test]
async fn a_user_whose_password_the_host_keeps_is_not_let_in_by_the_directory() {
    let host = host();
    set_method(&host, "robert", "native").await;
    assert_eq!(status(&host, "bob", "b0bs-s3cre7").await, 401);
    let robert = host.wazo().login("robert", "own-s3cre7", json!({})).await;
    assert_eq!(robert.status, 200, "{robert:?}");
}

#[tokio::test]
async fn whoever_has_no_address_or_one_of_nobody_is_not_let_in() {
    let host = host();
    set_method(&host, "al", "ldap").await;
    assert_eq!(status(&host, "nomail", "s3cre7").await, 401, "no address");
    assert_eq!(status(&host, "zoë", "s3cre7").await, 401, "nobody's address");
}

#[tokio::test]
async fn without_the_grant_nobody_is_linked() {
    let builder = TestHost::builder()
        .user_with("root", "r00t-s3cre7", &["--admin"])
        .user_with("al", "own-s3cre7", &["--email", "alice@example.org"]);
    let host = Corp::at(&Slapd::shared().plain())
        .config("link = \"email\"")
        .start_on(builder);
    set_method(&host, "al", "ldap").await;
    let status = status(&host, "alice", "s3cre7").await;
    assert!(matches!(status, 401 | 503), "{status}");
}
