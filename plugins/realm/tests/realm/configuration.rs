//! What may be wrong with a configuration, and where.

use keyway_sdk::testing::MockHost;
use keyway_sdk::{Backend, json, schemars};
use realm::{Config, Realm};
use serde_json::Value;

/// Every problem's pointer, and a part of its message.
#[track_caller]
fn check(config: &Value, expected: &[(&str, &str)]) {
    let problems = MockHost::new().check_config::<Realm>(config).err().unwrap_or_default();
    let pointers: Vec<&str> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|(pointer, _)| *pointer).collect();
    assert_eq!(pointers, wanted, "{problems:?}");
    for (problem, (_, part)) in problems.iter().zip(expected) {
        assert!(problem.message.contains(part), "{problem:?}");
    }
}

/// A configuration with this one resolver.
fn resolver(resolver: &Value) -> Value {
    json!({ "resolvers": { "r": resolver } })
}

fn sql(changes: &Value) -> Value {
    with(
        json!({ "type": "sql", "database": "hr", "query": "Q $1", "map": { "userid": "id", "password": "hash" } }),
        changes,
    )
}

fn http(changes: &Value) -> Value {
    with(
        json!({ "type": "http", "endpoint": "idp", "path": "/login", "body": { "p": "{password}" } }),
        changes,
    )
}

fn with(mut base: Value, changes: &Value) -> Value {
    if let (Value::Object(base), Value::Object(changes)) = (&mut base, changes) {
        base.extend(changes.clone());
    }
    resolver(&base)
}

#[test]
fn the_example_of_every_type_is_usable() {
    check(&json!({}), &[]);
    check(
        &json!({
            "default_realm": "Realm1",
            "realms": { "realm1": { "resolvers": [{ "name": "passwd1", "priority": 1 }, { "name": "corp", "priority": 2 }] }, "empty": { "resolvers": [] } },
            "resolvers": {
                "passwd1": { "type": "passwd", "file": "passwd1" },
                "corp": { "type": "backend", "backend": "ldap_corp", "on_error": "skip" },
                "local": { "type": "directory", "tenant": "acme", "on_error": "fail" }
            }
        }),
        &[],
    );
    check(&sql(&json!({ "find_query": "F ?", "list_query": "L" })), &[]);
    check(
        &http(&json!({ "host": "idp.example.org:8080", "map": { "userid": "/id" }, "expect": { "/ok": true } })),
        &[],
    );
}

#[test]
fn realms_and_their_members_are_checked() {
    check(
        &json!({
            "default_realm": "gone",
            "realms": {
                "a b": { "resolvers": [] },
                "x": { "resolvers": [{ "name": "one" }, { "name": "two" }, { "name": "one", "priority": 7 }] },
                "X": { "resolvers": [] },
                "": { "resolvers": [] }
            },
            "resolvers": { "one": { "type": "directory" }, "a/b:c": { "type": "directory" } }
        }),
        &[
            ("/realms/", "1 to 64 letters"),
            ("/realms/a b", "1 to 64 letters"),
            ("/realms/x/resolvers/1/name", "none of `resolvers`"),
            ("/realms/x/resolvers/2/name", "twice"),
            ("/realms/x", "defined twice"),
            ("/default_realm", "none of `realms`"),
            ("/resolvers/a~1b:c", "1 to 64 letters"),
        ],
    );
}

#[test]
fn an_unknown_key_is_named_wherever_it_is() {
    check(&json!({ "realm": {} }), &[("/realm", "unknown field `realm`")]);
    check(
        &json!({ "realms": { "x": { "resolver": [] } } }),
        &[("/realms/x/resolver", "unknown field")],
    );
    let member = json!({ "realms": { "x": { "resolvers": [{ "name": "a", "prio": 1 }] } } });
    check(&member, &[("/realms/x/resolvers/0/prio", "unknown field `prio`")]);
    for (kind, key) in [
        (json!({ "type": "passwd", "file": "f", "path": "/etc/passwd" }), "path"),
        (json!({ "type": "backend", "backend": "b", "realm": "r" }), "realm"),
        (json!({ "type": "directory", "tenants": [] }), "tenants"),
    ] {
        check(&resolver(&kind), &[(&format!("/resolvers/r/{key}"), "unknown field")]);
    }
    check(
        &sql(&json!({ "where": "1=1" })),
        &[("/resolvers/r/where", "unknown field")],
    );
    check(
        &http(&json!({ "url": "http://x/" })),
        &[("/resolvers/r/url", "unknown field")],
    );
    check(
        &http(&json!({ "find": { "path": "/", "headers": {} } })),
        &[("/resolvers/r/find/headers", "unknown field")],
    );
}

#[test]
fn values_of_the_wrong_type_are_pointed_at() {
    let member = json!({ "realms": { "x": { "resolvers": [{ "name": "a", "priority": "1" }] } } });
    check(&member, &[("/realms/x/resolvers/0/priority", "invalid type")]);
    check(&resolver(&json!("passwd")), &[("/resolvers/r", "no table")]);
    check(
        &resolver(&json!({ "file": "f" })),
        &[("/resolvers/r", "missing field `type`")],
    );
    check(
        &resolver(&json!({ "type": "ldap" })),
        &[("/resolvers/r/type", "none of `passwd`")],
    );
    check(
        &resolver(&json!({ "type": 7 })),
        &[("/resolvers/r/type", "none of `passwd`")],
    );
    check(
        &resolver(&json!({ "type": "passwd", "file": 7 })),
        &[("/resolvers/r/file", "expected a string")],
    );
    check(
        &resolver(&json!({ "type": "passwd" })),
        &[("/resolvers/r", "missing field `file`")],
    );
    let on_error = json!({ "type": "directory", "on_error": "ignore" });
    check(
        &resolver(&on_error),
        &[("/resolvers/r/on_error", "expected `fail` or `skip`")],
    );
}

#[test]
fn names_must_not_be_empty() {
    for (kind, key) in [
        (json!({ "type": "passwd", "file": "" }), "file"),
        (json!({ "type": "backend", "backend": "" }), "backend"),
        (json!({ "type": "directory", "tenant": "" }), "tenant"),
        (
            json!({ "type": "backend", "backend": "b", "map": { "phone": "" } }),
            "map/phone",
        ),
    ] {
        check(&resolver(&kind), &[(&format!("/resolvers/r/{key}"), "is empty")]);
    }
    check(
        &sql(&json!({ "database": "" })),
        &[("/resolvers/r/database", "is empty")],
    );
    check(
        &http(&json!({ "endpoint": "", "host": "h" })),
        &[("/resolvers/r/endpoint", "is empty")],
    );
}

#[test]
fn a_query_takes_a_parameter_and_tells_no_hash() {
    check(
        &sql(&json!({ "query": "SELECT '?'" })),
        &[("/resolvers/r/query", "it would find the same")],
    );
    check(
        &sql(&json!({ "find_query": "SELECT 1" })),
        &[("/resolvers/r/find_query", "it would find the same")],
    );
    check(
        &sql(&json!({ "map": { "username": "login" } })),
        &[("/resolvers/r/map", "missing field `userid`")],
    );
    let told = json!({ "map": { "userid": "id", "password": "hash", "phone": "HASH" } });
    check(&sql(&told), &[("/resolvers/r/map/phone", "column of the password")]);
    let own = json!({ "map": { "userid": "id", "realm.name": "r" } });
    check(&sql(&own), &[("/resolvers/r/map/realm.name", "the plugin's own")]);
}

#[test]
fn a_service_is_asked_about_the_password_and_the_name() {
    let any = "any would do";
    check(
        &http(&json!({ "body": { "u": "{username}" } })),
        &[("/resolvers/r", any)],
    );
    check(
        &http(&json!({ "find": { "path": "/users" } })),
        &[("/resolvers/r/find", any)],
    );
    check(
        &http(&json!({ "find_by_userid": { "path": "/users" } })),
        &[("/resolvers/r/find_by_userid", any)],
    );
    check(
        &http(&json!({ "path": "/{userid}" })),
        &[("/resolvers/r/path", "`{userid}` is none of `{username}`, `{password}`")],
    );
    check(
        &http(&json!({ "find": { "path": "/{password}" } })),
        &[("/resolvers/r/find/path", "is none of `{username}`")],
    );
    check(&http(&json!({ "path": "login" })), &[("/resolvers/r/path", "no path")]);
    check(
        &http(&json!({ "method": "DELETE" })),
        &[("/resolvers/r/method", "none of `GET`")],
    );
    check(
        &http(&json!({ "host": "http://x/" })),
        &[("/resolvers/r/host", "no name of a host")],
    );
    check(
        &http(&json!({ "host": "u:p@x" })),
        &[("/resolvers/r/host", "no name of a host")],
    );
}

#[test]
fn a_service_is_asked_with_headers_that_are_some_and_answers_in_places_that_are_some() {
    check(
        &http(&json!({ "map": { "userid": "id" } })),
        &[("/resolvers/r/map/userid", "no JSON pointer")],
    );
    check(
        &http(&json!({ "map": { "password": "/p" } })),
        &[("/resolvers/r/map/password", "is not read")],
    );
    check(
        &http(&json!({ "expect": { "ok": true } })),
        &[("/resolvers/r/expect/ok", "no JSON pointer")],
    );
    check(
        &http(&json!({ "headers": { "a b": "x" } })),
        &[("/resolvers/r/headers/a b", "no name of a header")],
    );
    check(
        &http(&json!({ "headers": { "Content-Length": "1" } })),
        &[("/resolvers/r/headers/Content-Length", "writes itself")],
    );
    check(
        &http(&json!({ "headers": { "X-A": "a\r\nb: c" } })),
        &[("/resolvers/r/headers/X-A", "no value of a header")],
    );
    check(
        &http(&json!({ "secret_headers": { "Host": "x" } })),
        &[("/resolvers/r/secret_headers/Host", "writes itself")],
    );
}

#[test]
fn every_problem_is_told_at_once() {
    check(
        &json!({
            "default_realm": "gone",
            "resolvers": { "a": { "type": "passwd" }, "b": { "type": "ldap" }, "c": { "type": "sql", "database": "", "query": "Q", "map": {} } }
        }),
        &[
            ("/default_realm", ""),
            ("/resolvers/a", "missing field `file`"),
            ("/resolvers/b/type", ""),
            ("/resolvers/c/database", ""),
            ("/resolvers/c/query", ""),
            ("/resolvers/c/map", ""),
        ],
    );
}

#[test]
fn the_schema_knows_every_type_and_no_other_key() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let kinds = schema["$defs"]["Resolver"]["oneOf"].as_array().unwrap();
    let names: Vec<&str> = kinds
        .iter()
        .filter_map(|kind| kind["properties"]["type"]["const"].as_str())
        .collect();
    assert_eq!(names, ["passwd", "sql", "http", "backend", "directory"], "{kinds:?}");
}

#[test]
fn the_host_accepts_what_the_plugin_says_about_itself() {
    let description = MockHost::new().describe::<Realm>();
    assert_eq!(description.name(), "realm");
    let wanted: Vec<String> = Realm::describe().wanted().iter().map(ToString::to_string).collect();
    assert_eq!(wanted, ["log", "file.*", "sql.*", "delegate.*", "net.*"]);
}
