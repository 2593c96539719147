//! One walk through the API: each operation that the document tells of succeeds once.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::{House, settings};
use crate::PrivacyideaSettings;
use crate::testing::told::Told;

#[tokio::test]
async fn every_operation_of_realms_and_settings_succeeds() {
    let mut house = House::empty().await;
    let settings = PrivacyideaSettings {
        sign_responses: true,
        ..settings()
    };
    let signing = House::with(settings).await;
    let told = Told::by(&house.router).await.expect("a document");
    let none = Value::Null;
    let passwd = json!({"type": "passwdresolver", "fileName": "passwd1"});
    let mut done = BTreeSet::new();
    for (method, path, body) in [
        ("POST", "/auth", json!({"username": "alice", "password": "s3cre7"})),
        ("GET", "/auth/rights", none.clone()),
        ("DELETE", "/auth", none.clone()),
        ("POST", "/resolver/test", passwd.clone()),
        ("POST", "/resolver/a", passwd),
        ("GET", "/resolver/", none.clone()),
        ("GET", "/resolver/a", none.clone()),
        ("POST", "/realm/r", json!({"resolvers": ["a"]})),
        ("GET", "/realm/", none.clone()),
        ("GET", "/realm/superuser", none.clone()),
        ("GET", "/defaultrealm", none.clone()),
        ("POST", "/defaultrealm/r", none.clone()),
        ("DELETE", "/defaultrealm", none.clone()),
        ("DELETE", "/realm/r", none.clone()),
        ("DELETE", "/resolver/a", none.clone()),
        ("GET", "/user/", none.clone()),
        ("GET", "/users/", none.clone()),
        ("POST", "/system/setConfig", json!({"a": "b"})),
        ("GET", "/system/", none.clone()),
        ("GET", "/system/a", none.clone()),
        ("DELETE", "/system/a", none.clone()),
        ("GET", "/system/hsm", none.clone()),
        ("GET", "/system/signature", none),
    ] {
        if path == "/system/signature" {
            house = signing;
            let reply = house.admin(method, path, body).await;
            assert_eq!(reply.status, 200, "{method} {path}: {reply:?}");
            done.insert((method.to_owned(), path.to_owned()));
            break;
        }
        let found = told.find(&Method::try_from(method).expect("a method"), path);
        let found = found.unwrap_or_else(|| panic!("{method} {path} is not told of"));
        let reply = house.admin(method, path, body).await;
        assert_eq!(reply.status, 200, "{method} {path}: {reply:?}");
        done.insert((found.method, found.path.to_owned()));
    }
    let ours = |path: &str| {
        ["/auth", "/realm", "/defaultrealm", "/resolver", "/user", "/system"]
            .iter()
            .any(|own| path.starts_with(own))
    };
    let all = told.operations().map(|(path, found)| (found.method, path));
    let left: Vec<_> = all
        .filter(|(method, path)| ours(path) && !done.contains(&(method.clone(), path.clone())))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
