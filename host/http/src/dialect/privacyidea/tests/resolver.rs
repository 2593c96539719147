//! Resolvers.

use keyway_core::port::BackendDesk as _;
use serde_json::{Value, json};

use super::{House, told};

async fn added(house: &House) -> Value {
    house.state.desk.settings("realms").await.expect("settings").added
}

#[tokio::test]
async fn resolver_is_made_changed_shown_and_removed() {
    let house = House::empty().await;
    let made = house
        .admin(
            "POST",
            "/resolver/staff",
            json!({"type": "passwdresolver", "fileName": "passwd1"}),
        )
        .await;
    let id = made.json()["result"]["value"].as_u64().expect("a number");
    let changed = house
        .admin(
            "POST",
            "/resolver/staff",
            json!({"type": "passwdresolver", "on_error": "skip"}),
        )
        .await;
    assert_eq!(told(&changed), format!("200 {id}"));
    assert_eq!(
        added(&house).await["resolvers"]["staff"],
        json!({"type": "passwd", "file": "passwd1", "on_error": "skip"})
    );
    let shown = house.admin("GET", "/resolver/staff", Value::Null).await.json()["result"]["value"].take();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "staff": {
        "censor_keys": [],
        "data": {
          "fileName": "passwd1",
          "on_error": "skip"
        },
        "readonly": false,
        "resolvername": "staff",
        "type": "passwdresolver"
      }
    }
    "#);
    house.admin("POST", "/realm/a", json!({"resolvers": "staff"})).await;
    let used = house.admin("DELETE", "/resolver/staff", Value::Null).await;
    insta::assert_snapshot!(told(&used), @r#"400 302 "The resolver `staff` is still in the realm `a`.""#);
    house.admin("DELETE", "/realm/a", Value::Null).await;
    assert_eq!(
        told(&house.admin("DELETE", "/resolver/staff", Value::Null).await),
        format!("200 {id}")
    );
    assert_eq!(
        told(&house.admin("GET", "/resolver/staff", Value::Null).await),
        "200 {}"
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_type_becomes_a_resolver_of_the_backend() {
    let house = House::empty().await;
    for (name, body) in [
        (
            "sql",
            json!({"type": "sqlresolver", "Database": "hr", "Table": "hr.people", "Where": "active == 1", "Map": r#"{"userid": "id", "username": "login", "password": "pw"}"#}),
        ),
        (
            "asked",
            json!({"type": "sqlresolver", "Database": "hr", "Query": "SELECT id, pw FROM p WHERE login = ?", "Map": {"userid": "id", "password": "pw"}}),
        ),
        (
            "web",
            json!({"type": "httpresolver", "endpoint": "api", "path": "/check", "requestMapping": "{\"u\": \"{username}\", \"p\": \"{password}\"}", "headers": {"Accept": "text/html", "Authorization": "Bearer s3cret"}, "config_get_user_by_name": {"path": "/u/{username}"}, "responseMapping": {"userid": "/id"}}),
        ),
        (
            "corp",
            json!({"type": "backend", "backend": "ldap_corp", "map": {"mobile": "gsm"}}),
        ),
        ("local", json!({"type": "directory", "tenant": ""})),
    ] {
        let reply = house.admin("POST", &format!("/resolver/{name}"), body).await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
    }
    insta::assert_json_snapshot!(added(&house).await["resolvers"], @r#"
    {
      "sql": {
        "type": "sql",
        "database": "hr",
        "map": {
          "userid": "id",
          "username": "login",
          "password": "pw"
        },
        "query": "SELECT id, login, pw FROM hr.people WHERE login = $1 AND active = 1",
        "find_query": "SELECT id, login, pw FROM hr.people WHERE id = $1 AND active = 1",
        "list_query": "SELECT id, login, pw FROM hr.people WHERE login LIKE $1 AND active = 1"
      },
      "asked": {
        "type": "sql",
        "database": "hr",
        "query": "SELECT id, pw FROM p WHERE login = ?",
        "map": {
          "userid": "id",
          "password": "pw"
        }
      },
      "web": {
        "type": "http",
        "endpoint": "api",
        "path": "/check",
        "body": {
          "u": "{username}",
          "p": "{password}"
        },
        "map": {
          "userid": "/id"
        },
        "headers": {
          "Accept": "text/html"
        },
        "secret_headers": {
          "Authorization": "resolver.web.authorization"
        },
        "find": {
          "path": "/u/{username}"
        }
      },
      "corp": {
        "type": "backend",
        "backend": "ldap_corp",
        "map": {
          "mobile": "gsm"
        }
      },
      "local": {
        "type": "directory"
      }
    }
    "#);
}

#[tokio::test]
async fn secret_header_is_kept_apart_and_never_shown() {
    let house = House::empty().await;
    let secrets = || house.state.desk.secrets.lock().expect("a lock").clone();
    let make =
        |value: &str| json!({"type": "httpresolver", "endpoint": "api", "path": "/", "headers": {"X-Api-Key": value}});
    house.admin("POST", "/resolver/web", make("s3cret")).await;
    let kept = ("realms".to_owned(), "resolver.web.x-api-key".to_owned());
    assert_eq!(secrets().get(&kept), Some(&b"s3cret".to_vec()));
    let shown = house.admin("GET", "/resolver/", Value::Null).await;
    assert!(!shown.body.contains("s3cret"), "{shown:?}");
    let data = &shown.json()["result"]["value"]["web"];
    assert_eq!(
        (&data["data"]["headers"]["X-Api-Key"], &data["censor_keys"]),
        (&json!("__CENSORED__"), &json!(["X-Api-Key"]))
    );
    assert_eq!(
        house.admin("POST", "/resolver/web", make("__CENSORED__")).await.status,
        200
    );
    assert_eq!(secrets().get(&kept), Some(&b"s3cret".to_vec()), "as it was");
    house.admin("DELETE", "/resolver/web", Value::Null).await;
    assert!(secrets().is_empty());
    assert_eq!(
        house.admin("POST", "/resolver/web", make("__CENSORED__")).await.status,
        400
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the table of answers")]
async fn what_cannot_be_done_says_why() {
    let house = House::new().await;
    let mut lines = Vec::new();
    for (method, path, body) in [
        ("POST", "/resolver/a", json!({})),
        ("POST", "/resolver/a", json!({"type": "nosuch"})),
        (
            "POST",
            "/resolver/a",
            json!({"type": "ldapresolver", "LDAPURI": "ldap://a"}),
        ),
        ("POST", "/resolver/a", json!({"type": "passwdresolver"})),
        (
            "POST",
            "/resolver/a",
            json!({"type": "passwdresolver", "fileName": "/etc/passwd"}),
        ),
        ("POST", "/resolver/a", json!({"type": "backend", "backend": "other"})),
        (
            "POST",
            "/resolver/a",
            json!({"type": "sqlresolver", "Database": "hr", "Server": "db", "Password": "x"}),
        ),
        (
            "POST",
            "/resolver/a",
            json!({"type": "sqlresolver", "Database": "hr", "Map": "nope"}),
        ),
        (
            "POST",
            "/resolver/a",
            json!({"type": "sqlresolver", "Database": "hr", "Table": "a; DROP", "Map": {"userid": "a", "username": "b"}}),
        ),
        (
            "POST",
            "/resolver/a$b",
            json!({"type": "passwdresolver", "fileName": "passwd1"}),
        ),
        (
            "POST",
            "/resolver/passwd1",
            json!({"type": "passwdresolver", "fileName": "passwd1"}),
        ),
        ("POST", "/resolver/passwd1", json!({"type": "directory"})),
        ("DELETE", "/resolver/passwd1", Value::Null),
        ("DELETE", "/resolver/nosuch", Value::Null),
    ] {
        let reply = house.admin(method, path, body.clone()).await;
        lines.push(format!("{method} {path} {body}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    POST /resolver/a {}: 400 905 "ERR905: Missing parameter: `type`"
    POST /resolver/a {"type":"nosuch"}: 400 905 "ERR905: The parameter `type` is none of: passwdresolver, sqlresolver, httpresolver, backend, directory"
    POST /resolver/a {"type":"ldapresolver","LDAPURI":"ldap://a"}: 400 905 "ERR905: LDAP is a backend of its own here: configure it as `[[backend]]`, grant it to this one with `grants.delegate`, and use the type `backend`"
    POST /resolver/a {"type":"passwdresolver"}: 400 905 "ERR905: `fileName` must be the name of what the operator grants to the backend for this; it grants: passwd1, passwd2"
    POST /resolver/a {"type":"passwdresolver","fileName":"/etc/passwd"}: 400 905 "ERR905: `fileName` must be the name of what the operator grants to the backend for this; it grants: passwd1, passwd2"
    POST /resolver/a {"type":"backend","backend":"other"}: 400 905 "ERR905: `backend` must be the name of what the operator grants to the backend for this; it grants: ldap_corp"
    POST /resolver/a {"type":"sqlresolver","Database":"hr","Server":"db","Password":"x"}: 400 905 "ERR905: `Server` cannot be set here: how a database is reached is what the operator grants to the backend, and `Database` names it"
    POST /resolver/a {"type":"sqlresolver","Database":"hr","Map":"nope"}: 400 905 "ERR905: The parameter `Map` is not a JSON object"
    POST /resolver/a {"type":"sqlresolver","Database":"hr","Table":"a; DROP","Map":{"userid":"a","username":"b"}}: 400 905 "ERR905: The parameter `Table` is not made of plain names (letters, digits and `_`)"
    POST /resolver/a$b {"type":"passwdresolver","fileName":"passwd1"}: 400 905 "ERR905: The name of a resolver is 1 to 64 letters, digits, `_`, `.` or `-`"
    POST /resolver/passwd1 {"type":"passwdresolver","fileName":"passwd1"}: 403 303 "The resolver is defined in the server's configuration file and can only be changed there."
    POST /resolver/passwd1 {"type":"directory"}: 400 905 "ERR905: The resolver `passwd1` is there with another type. Remove it first"
    DELETE /resolver/passwd1 null: 403 303 "The resolver is defined in the server's configuration file and can only be changed there."
    DELETE /resolver/nosuch null: 404 601 "There is no resolver `nosuch`."
    "#);
    assert_eq!(added(&house).await, json!({}));
}

#[tokio::test]
async fn test_of_a_resolver_keeps_nothing() {
    let house = House::new().await;
    let body = json!({"type": "passwdresolver", "fileName": "passwd2", "resolvername": "new"});
    let reply = house.admin("POST", "/resolver/test", body.clone()).await;
    assert_eq!(told(&reply), "200 true");
    assert!(reply.json()["detail"]["description"].is_string());
    *house.state.desk.refuses.lock().expect("a lock") =
        Some(("/resolvers/new/file".to_owned(), "cannot be read".to_owned()));
    let reply = house.admin("POST", "/resolver/test", body).await;
    assert_eq!(told(&reply), "200 false");
    assert_eq!(
        reply.json()["detail"]["description"],
        "/resolvers/new/file: cannot be read"
    );
    assert_eq!(added(&house).await, json!({}));
}

#[tokio::test]
async fn list_is_narrowed_by_type() {
    let house = House::new().await;
    let shown = house
        .admin("GET", "/resolver/?type=directory", Value::Null)
        .await
        .json();
    let names: Vec<_> = shown["result"]["value"]
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(names, ["local"]);
}
