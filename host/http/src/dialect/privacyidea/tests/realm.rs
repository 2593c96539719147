//! Realms.

use serde_json::{Value, json};

use super::{FORM, House, settings, told};
use crate::PrivacyideaSettings;

async fn passwd(house: &House, name: &str) {
    let body = json!({"type": "passwdresolver", "fileName": "passwd1"});
    let reply = house.admin("POST", &format!("/resolver/{name}"), body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn realm_is_made_of_resolvers_and_those_that_there_are_not_are_told_of() {
    let house = House::empty().await;
    passwd(&house, "one").await;
    passwd(&house, "two").await;
    let made = house
        .admin(
            "POST",
            "/realm/My Realm".replace(' ', "%20").as_str(),
            json!({"resolvers": "two, one,nosuch,one", "priority.one": "1", "priority.two": 2}),
        )
        .await;
    assert_eq!(told(&made), r#"200 {"added":["two","one"],"failed":["nosuch"]}"#);
    let shown = house.admin("GET", "/realm/", Value::Null).await.json()["result"]["value"].take();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "my-realm": {
        "default": true,
        "id": 1672973683,
        "option": "",
        "resolver": [
          {
            "name": "one",
            "node": "",
            "priority": 1,
            "type": "passwdresolver"
          },
          {
            "name": "two",
            "node": "",
            "priority": 2,
            "type": "passwdresolver"
          }
        ]
      }
    }
    "#);
    let again = house
        .admin("POST", "/realm/MY-REALM", json!({"resolvers": ["one"]}))
        .await;
    assert_eq!(told(&again), r#"200 {"added":["one"],"failed":[]}"#);
    let shown = house.admin("GET", "/realm/", Value::Null).await.json();
    assert_eq!(
        shown["result"]["value"]["my-realm"]["resolver"][0]["priority"],
        json!(null)
    );
    let nothing = house
        .admin("POST", "/realm/my-realm", json!({"resolvers": ["nosuch"]}))
        .await;
    assert_eq!(told(&nothing), r#"200 {"added":[],"failed":["nosuch"]}"#);
    let shown = house.admin("GET", "/realm/", Value::Null).await.json();
    assert_eq!(
        shown["result"]["value"]["my-realm"]["resolver"][0]["name"], "one",
        "as it was"
    );
}

#[tokio::test]
async fn realm_beside_others_is_not_made_the_default_by_itself() {
    let house = House::configured(
        settings(),
        json!({"realms": {"House": {"resolvers": ["local"]}}, "resolvers": {"local": {"type": "directory"}}}),
    )
    .await;
    let default = async || house.admin("GET", "/defaultrealm", Value::Null).await.json()["result"]["value"].take();
    house.admin("POST", "/realm/a", json!({"resolvers": "local"})).await;
    assert_eq!(
        default().await,
        json!({}),
        "the file has a realm, and none is the default"
    );
    house.admin("POST", "/defaultrealm/a", Value::Null).await;
    house.admin("DELETE", "/defaultrealm", Value::Null).await;
    house.admin("POST", "/realm/a", json!({"resolvers": "local"})).await;
    assert_eq!(
        default().await,
        json!({}),
        "a change of a realm is no wish for a default"
    );
}

#[tokio::test]
async fn forms_set_priorities_too() {
    let house = House::empty().await;
    passwd(&house, "one").await;
    let token = house.token("alice", "s3cre7").await;
    let headers = [FORM, ("authorization", token.as_str())];
    let made = house
        .ask("POST", "/realm/a", &headers, "resolvers=one&priority.one=7")
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let shown = house.admin("GET", "/realm/", Value::Null).await.json();
    assert_eq!(shown["result"]["value"]["a"]["resolver"][0]["priority"], 7);
}

#[tokio::test]
async fn first_realm_and_the_last_that_is_left_are_the_default() {
    let house = House::empty().await;
    passwd(&house, "one").await;
    let default = async || {
        let shown = house.admin("GET", "/defaultrealm", Value::Null).await.json();
        let names = shown["result"]["value"].as_object().expect("an object").keys().cloned();
        names.collect::<Vec<_>>()
    };
    assert!(default().await.is_empty());
    for name in ["a", "b", "c"] {
        house
            .admin("POST", &format!("/realm/{name}"), json!({"resolvers": "one"}))
            .await;
    }
    assert_eq!(default().await, ["a"]);
    assert_eq!(house.admin("POST", "/defaultrealm/B", Value::Null).await.status, 200);
    assert_eq!(default().await, ["b"]);
    assert_eq!(house.admin("DELETE", "/realm/b", Value::Null).await.status, 200);
    assert!(default().await.is_empty(), "two are left");
    assert_eq!(house.admin("POST", "/defaultrealm/c", Value::Null).await.status, 200);
    assert_eq!(house.admin("DELETE", "/realm/c", Value::Null).await.status, 200);
    assert_eq!(default().await, ["a"], "one is left");
    assert_eq!(house.admin("DELETE", "/defaultrealm", Value::Null).await.status, 200);
    assert!(default().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let house = House::new().await;
    let mut lines = Vec::new();
    for (method, path, body) in [
        ("POST", "/realm/a", json!({})),
        ("POST", "/realm/a", json!({"resolvers": 1})),
        ("POST", "/realm/a", json!({"resolvers": [1]})),
        (
            "POST",
            "/realm/a",
            json!({"resolvers": "passwd1", "priority.passwd1": "high"}),
        ),
        ("POST", "/realm/a$", json!({"resolvers": "passwd1"})),
        ("POST", "/realm/realm1", json!({"resolvers": "passwd1"})),
        ("POST", "/realm/house", json!({"resolvers": "passwd1"})),
        ("DELETE", "/realm/realm1", Value::Null),
        ("DELETE", "/realm/nosuch", Value::Null),
        ("POST", "/defaultrealm/nosuch", Value::Null),
        ("POST", "/defaultrealm/house", Value::Null),
        ("DELETE", "/defaultrealm", Value::Null),
    ] {
        let reply = house.admin(method, path, body.clone()).await;
        lines.push(format!("{method} {path} {body}: {}", told(&reply)));
    }
    let empty = House::empty().await;
    lines.push(format!(
        "no default: {}",
        told(&empty.admin("DELETE", "/defaultrealm", Value::Null).await)
    ));
    *house.state.desk.refuses.lock().expect("a lock") = Some(("/realms/a".to_owned(), "is not nice".to_owned()));
    let reply = house.admin("POST", "/realm/a", json!({"resolvers": "passwd1"})).await;
    lines.push(format!("the backend refuses: {}", told(&reply)));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    POST /realm/a {}: 400 905 "ERR905: Missing parameter: `resolvers`"
    POST /realm/a {"resolvers":1}: 400 905 "ERR905: The parameter `resolvers` is not a list of texts"
    POST /realm/a {"resolvers":[1]}: 400 905 "ERR905: The parameter `resolvers` is not a list of texts"
    POST /realm/a {"resolvers":"passwd1","priority.passwd1":"high"}: 400 905 "ERR905: The parameter `priority.passwd1` is not a whole number"
    POST /realm/a$ {"resolvers":"passwd1"}: 400 905 "ERR905: The name of a realm is 1 to 64 letters, digits, `_`, `.` or `-`"
    POST /realm/realm1 {"resolvers":"passwd1"}: 403 303 "The realm is defined in the server's configuration file and can only be changed there."
    POST /realm/house {"resolvers":"passwd1"}: 403 303 "The realm is defined in the server's configuration file and can only be changed there."
    DELETE /realm/realm1 null: 403 303 "The realm is defined in the server's configuration file and can only be changed there."
    DELETE /realm/nosuch null: 404 601 "There is no realm `nosuch`."
    POST /defaultrealm/nosuch null: 404 601 "There is no realm `nosuch`."
    POST /defaultrealm/house null: 403 303 "The default realm is defined in the server's configuration file and can only be changed there."
    DELETE /defaultrealm null: 403 303 "The default realm is defined in the server's configuration file and can only be changed there."
    no default: 404 601 "There is no default realm."
    the backend refuses: 400 905 "ERR905: /realms/a: is not nice"
    "#);
}

#[tokio::test]
async fn superuser_realms_are_listed() {
    let house = House::with(PrivacyideaSettings {
        superuser_realms: vec!["a".to_owned(), "b".to_owned()],
        ..settings()
    })
    .await;
    let reply = house.admin("GET", "/realm/superuser", Value::Null).await;
    assert_eq!(told(&reply), r#"200 ["a","b"]"#);
}
