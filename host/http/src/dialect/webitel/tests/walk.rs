//! One walk through the API: each operation that the document tells of succeeds once.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::House;
use crate::testing::told::Told;

#[tokio::test]
async fn every_operation_succeeds() {
    let house = House::new().await;
    let told = Told::by(&house.router).await.expect("a document");
    let pair = house.root().await;
    let tokens = "/api/v2/domains/mydomain.com/settings/token";
    let expire = house.state.state.clock.now().0 / 1000 + 1000;
    let made = house
        .as_pair(&pair, "POST", tokens, json!({"expire": expire, "role": "user"}))
        .await;
    let one = format!(
        "{tokens}/{}",
        made.json()["info"]["data"]["uuid"].as_str().expect("an id")
    );
    let none = Value::Null;
    let mut done = BTreeSet::from([("POST".to_owned(), "/api/v2/domains/{name}/settings/token".to_owned())]);
    for (method, path, body) in [
        ("POST", "/login", json!({"username": "alice", "password": "s3cre7"})),
        ("GET", "/api/v2/whoami", none.clone()),
        ("GET", tokens, none.clone()),
        ("PATCH", &one, json!({"state": false})),
        ("DELETE", &one, none.clone()),
        ("POST", "/api/v2/acl/roles", json!({"roles": "clerk"})),
        ("GET", "/api/v2/acl/roles", none.clone()),
        ("GET", "/api/v2/acl/roles/clerk", none.clone()),
        ("PUT", "/api/v2/acl/roles/clerk", json!({"allows": {"book": ["r"]}})),
        ("DELETE", "/api/v2/acl/roles/clerk", none.clone()),
        ("POST", "/logout", none),
    ] {
        let found = told.find(&Method::try_from(method).expect("a method"), path);
        let found = found.unwrap_or_else(|| panic!("{method} {path} is not told of"));
        let reply = house.as_pair(&pair, method, path, body).await;
        assert_eq!(reply.status, 200, "{method} {path}: {reply:?}");
        done.insert((found.method, found.path.to_owned()));
    }
    let ours = told.operations().filter(|(_, found)| {
        let id = found.operation["operationId"].as_str();
        id.is_some_and(|id| id.starts_with("webitel"))
    });
    let all = ours.map(|(path, found)| (found.method, path));
    let left: Vec<_> = all.filter(|operation| !done.contains(operation)).collect();
    assert!(left.is_empty(), "{left:?}");
}
