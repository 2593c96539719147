//! kazoo-sdk, as it is installed from the Python Package Index. `make kazoo-sdk` installs it.

use keyway_tests::kazoo::claims_of;
use keyway_tests::kazoo_clients::run_sdk;
use serde_json::{Value, json};

use crate::kazoo::house::house;

/// The SDK speaks the first version unless it is told otherwise.
#[tokio::test]
async fn the_sdk_is_at_home_in_the_first_version() {
    check("/v1").await;
}

#[tokio::test]
async fn the_sdk_is_at_home_in_the_second_version() {
    check("/v2").await;
}

async fn check(version: &str) {
    let house = house();
    let master = claims_of(&house.kazoo.token("master", "root", "r00t-pw").await)["account_id"].clone();
    let told = run_sdk(
        include_str!("sdk.py"),
        &json!({ "base_url": house.host.url(version), "account": house.acme, "master": master, "newcomer": "nina" }),
    );
    logs_in(&told, &house.acme);
    keeps_users(&told);
    tells_errors_apart(&told);
    keeps_accounts(&told, &house.acme, &house.sub);
}

fn logs_in(told: &Value, acme: &str) {
    assert_eq!(told["login"]["data"]["account_id"], acme);
    assert_eq!(told["login"]["status"], "success");
    assert_eq!(told["key"]["data"]["account_id"], acme);
    assert_eq!(told["key"]["data"]["owner_id"], Value::Null);
    assert_eq!((&told["users by key"], &told["again"]), (&json!(2), &json!(2)));
    assert_eq!(told["ended"], true);
    assert_eq!(told["another token"], true, "a refusal made the SDK log in again");
}

fn keeps_users(told: &Value) {
    let id = &told["made"]["data"]["id"];
    assert!(id.as_str().is_some_and(|id| id.len() == 32), "{told}");
    let listed = told["users"]["data"].as_array().expect("a list");
    assert!(listed.iter().any(|user| user["id"] == *id), "{listed:?}");
    assert_eq!(told["renamed"]["data"]["first_name"], "Nora");
    assert_eq!(told["renamed"]["data"]["email"], "nina@example.org");
    // What was sent back without a password left the one that there was.
    assert!(
        told["newcomer"].is_string() && told["new password"].is_string(),
        "{told}"
    );
    assert_eq!(told["old password"]["kind"], "authentication");
    assert_eq!(told["removed"]["data"]["id"], *id);
    let whole = told.to_string();
    assert!(!whole.contains("n1na-pw") && !whole.contains("0ther-pw"), "{told}");
}

fn tells_errors_apart(told: &Value) {
    assert_eq!(told["no last name"]["kind"], "bad data");
    assert!(
        told["no last name"]["fields"]["last_name"]["required"].is_object(),
        "{told}"
    );
    for step in ["wrong password", "wrong account"] {
        assert_eq!(told[step]["kind"], "authentication", "{step}: {}", told[step]);
    }
    for (step, message) in [
        ("gone", "bad_identifier"),
        ("not there", "not_found"),
        ("foreign", "forbidden"),
        ("wrong key", "bad_identifier"),
    ] {
        let told = &told[step];
        assert_eq!(told["kind"], "api", "{step}: {told}");
        assert_eq!(told["arguments"][2], message, "{step}: {told}");
        assert!(told["arguments"][1].is_string(), "{step} names the request: {told}");
    }
}

fn keeps_accounts(told: &Value, acme: &str, sub: &str) {
    assert_eq!(told["account"]["data"]["name"], "acme");
    for step in ["children", "descendants"] {
        assert_eq!(told[step]["data"][0]["id"], sub, "{step}: {}", told[step]);
    }
    let all = told["accounts"]["data"].as_array().expect("a list");
    assert!(all.iter().any(|account| account["id"] == acme), "{all:?}");
    assert_eq!(told["below"]["data"]["name"], "nina ltd");
    assert_eq!(told["account renamed"]["data"]["name"], "nina plc");
    assert_eq!(told["account removed"]["data"]["id"], told["below"]["data"]["id"]);
}
