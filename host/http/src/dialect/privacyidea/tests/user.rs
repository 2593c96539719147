//! Users.

use serde_json::{Value, json};

use super::House;
use crate::testing::Reply;

fn names(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let users = body["result"]["value"]
        .as_array()
        .unwrap_or_else(|| panic!("{reply:?}"));
    users
        .iter()
        .map(|user| user["username"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn administrator_sees_whom_it_looks_for() {
    let house = House::new().await;
    for (query, expected) in [
        ("", vec!["carol", "carl", "zoë"]),
        ("?username=car*", vec!["carol", "carl"]),
        ("?username=*&realm=House", vec!["zoë"]),
        ("?userid=1000&realm=realm1&username=carol", vec!["carol"]),
        ("?realm=nosuch", vec![]),
    ] {
        for path in ["/user/", "/users/"] {
            let reply = house.admin("GET", &format!("{path}{query}"), Value::Null).await;
            assert_eq!(names(&reply), expected, "{path}{query}");
        }
    }
}

#[tokio::test]
async fn somebody_is_told_without_any_verifier() {
    let house = House::new().await;
    let reply = house.admin("GET", "/user/?username=carol", Value::Null).await;
    assert!(!reply.body.contains("$6$"), "{reply:?}");
    insta::assert_snapshot!(reply.json()["result"]["value"][0], @r#"{"description":"","editable":false,"email":"","givenname":"C.","mobile":"","phone":"","realm":"realm1","resolver":"passwd1","surname":"","userid":"1000","username":"carol"}"#);
}

#[tokio::test]
async fn user_sees_itself_alone() {
    let house = House::new().await;
    let token = house.token("carol", "c4rol").await;
    let headers = [("authorization", token.as_str())];
    for (query, expected) in [
        ("", vec!["carol"]),
        ("?username=c*", vec!["carol"]),
        ("?username=carl", vec![]),
        ("?realm=house", vec!["carol"]),
    ] {
        let reply = house.ask("GET", &format!("/user/{query}"), &headers, "").await;
        assert_eq!(names(&reply), expected, "{query}");
    }
}

#[tokio::test]
async fn administrator_of_some_realms_sees_their_users_alone() {
    let house = House::new().await;
    let policy = json!({"scope": "admin", "action": "userlist, policywrite", "realm": "realm1", "active": true});
    let written = house.admin("POST", "/policy/some", policy).await;
    assert_eq!(written.status, 200, "{written:?}");
    for (query, expected) in [
        ("", vec!["carol", "carl"]),
        ("?realm=house", vec![]),
        ("?username=z*", vec![]),
    ] {
        let reply = house.admin("GET", &format!("/user/{query}"), Value::Null).await;
        assert_eq!(names(&reply), expected, "{query}");
    }
}

#[tokio::test]
async fn backend_that_cannot_list_says_so() {
    let house = House::configured(crate::PrivacyideaSettings::default(), json!({})).await;
    let reply = house.admin("GET", "/user/", Value::Null).await;
    insta::assert_snapshot!(super::told(&reply), @r#"403 303 "The users of this server's backend cannot be listed.""#);
}
