//! Settings.

use keyway_core::port::BackendDesk as _;
use serde_json::{Value, json};

use super::{House, told};

#[tokio::test]
async fn setting_is_written_shown_and_removed() {
    let house = House::empty().await;
    let body = json!({"PrependPin": true, "DefaultMaxFailCount": 10, "note": "a b", "note.desc": "what it is for", "nonce": "x"});
    let written = house.admin("POST", "/system/setConfig", body).await;
    assert_eq!(
        told(&written),
        r#"200 {"DefaultMaxFailCount":"insert","PrependPin":"insert","note":"insert"}"#
    );
    let again = house.admin("POST", "/system/setConfig", json!({"note": "c"})).await;
    assert_eq!(told(&again), r#"200 {"note":"update"}"#);
    let listed = house.admin("GET", "/system/", Value::Null).await;
    assert_eq!(
        listed.json()["result"]["value"],
        json!({"DefaultMaxFailCount": "10", "PrependPin": "True", "note": "c", "splitAtSign": "True"})
    );
    assert_eq!(
        told(&house.admin("GET", "/system/note", Value::Null).await),
        "200 \"c\""
    );
    assert_eq!(
        told(&house.admin("GET", "/system/nosuch", Value::Null).await),
        "200 null"
    );
    assert_eq!(house.admin("DELETE", "/system/note", Value::Null).await.status, 200);
    let reply = house.admin("DELETE", "/system/note", Value::Null).await;
    insta::assert_snapshot!(told(&reply), @r#"404 601 "There is no setting `note`.""#);
}

#[tokio::test]
async fn secret_setting_is_never_shown() {
    let house = House::empty().await;
    let body = json!({"smtp.pass": "s3cret", "smtp.pass.type": "password"});
    house.admin("POST", "/system/setConfig", body).await;
    for path in ["/system/", "/system/smtp.pass"] {
        let reply = house.admin("GET", path, Value::Null).await;
        assert!(
            !reply.body.contains("s3cret") && reply.body.contains("__CENSORED__"),
            "{reply:?}"
        );
    }
    // Without its type, and as it is shown: it stays what it is.
    house
        .admin("POST", "/system/setConfig", json!({"smtp.pass": "__CENSORED__"}))
        .await;
    house
        .admin("POST", "/system/setConfig", json!({"smtp.pass": "oth3r"}))
        .await;
    let reply = house.admin("GET", "/system/smtp.pass", Value::Null).await;
    assert_eq!(told(&reply), "200 \"__CENSORED__\"");
}

#[tokio::test]
async fn splitting_of_names_is_the_realms_own_setting() {
    let house = House::empty().await;
    let added = async || house.state.desk.settings("realms").await.expect("settings").added;
    let written = house
        .admin("POST", "/system/setConfig", json!({"splitAtSign": "False"}))
        .await;
    assert_eq!(told(&written), r#"200 {"splitAtSign":"update"}"#);
    assert_eq!(added().await, json!({"split_at_sign": false}));
    assert_eq!(
        told(&house.admin("GET", "/system/splitAtSign", Value::Null).await),
        "200 \"False\""
    );
    house.admin("DELETE", "/system/splitAtSign", Value::Null).await;
    assert_eq!(added().await, json!({}));
    let wrong = house
        .admin("POST", "/system/setConfig", json!({"splitAtSign": "perhaps"}))
        .await;
    insta::assert_snapshot!(told(&wrong), @r#"400 905 "ERR905: `splitAtSign` is `True` or `False`""#);
}

#[tokio::test]
async fn keys_are_ready_as_soon_as_the_server_is() {
    let house = House::empty().await;
    let reply = house.admin("GET", "/system/hsm", Value::Null).await;
    assert_eq!(told(&reply), r#"200 {"is_ready":true}"#);
}

#[tokio::test]
async fn settings_have_bounds() {
    let house = House::empty().await;
    for body in [
        json!({"a".repeat(256): "x"}),
        json!({"a": "x".repeat(8 * 1024 + 1)}),
        json!({"": "x"}),
        json!({"a\0": "x"}),
        json!({"a": "x\0"}),
    ] {
        assert_eq!(house.admin("POST", "/system/setConfig", body).await.status, 400);
    }
}
