//! The document is valid, and true of the router that serves it.

mod serve;

use std::collections::BTreeSet;

use axum::Router;
use serde_json::{Value, json};

use crate::DialectSettings;
use crate::WazoSettings;
use crate::dialect::{Dialect, router};
use crate::testing::told::{Found, Told};
use crate::testing::{TestState, ask};

use super::build::names;

const SOME_ID: &str = "6f1d5d5e-0000-4000-8000-000000000000";

/// What everybody may ask for. This list may only shrink.
const OPEN: &[(&str, &str)] = &[
    ("POST", "/0.1/token"),
    ("GET", "/0.1/token/{token}"),
    ("HEAD", "/0.1/token/{token}"),
    ("DELETE", "/0.1/token/{token}"),
    ("POST", "/0.1/token/{token}/scopes/check"),
    ("GET", "/0.1/backends"),
    ("HEAD", "/0.1/status"),
    ("GET", "/0.1/api/api.yml"),
    ("GET", "/0.1/users/password/reset"),
    ("POST", "/0.1/users/register"),
    ("POST", "/keyway/v1/password"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
];

/// Whose 401 is a page, for people who followed a link.
const PAGES: &[(&str, &str)] = &[
    ("GET", "/0.1/users/password/reset/form"),
    ("POST", "/0.1/users/password/reset/form"),
];

/// What has errors of its own shape.
const EVENTS: (&str, &str) = ("GET", "/keyway/v1/events");

/// What the edge answers, before any router.
const PROBES: &[&str] = &["/livez", "/readyz"];

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A house where everything is open that can be.
async fn house() -> (TestState, Router) {
    let wazo = WazoSettings {
        registration: true,
        ..WazoSettings::default()
    };
    let house = TestState::with(DialectSettings {
        wazo,
        ..DialectSettings::default()
    })
    .await;
    let router = router(&[Dialect::Wazo], &house.state);
    (house, router)
}

async fn told(router: &Router) -> std::sync::Arc<Told> {
    Told::by(router).await.expect("a document")
}

/// An address of an operation, with something in each parameter.
fn filled(path: &str) -> String {
    let path = path
        .replace("{type}", "native")
        .replace("{access}", "a.b")
        .replace("{client}", "a.b");
    let names: Vec<_> = names(&path).map(str::to_owned).collect();
    let path = names
        .iter()
        .fold(path.clone(), |path, name| path.replace(&format!("{{{name}}}"), SOME_ID));
    format!("{path}?user_uuid={SOME_ID}")
}

/// The access that the operation needs there.
fn access(operation: &Value) -> String {
    let access = operation[super::REQUIRED_ACCESS].as_str().unwrap_or_default();
    filled(&access.replace("{client}", "a_b"))
        .split('?')
        .next()
        .expect("a part")
        .to_owned()
}

fn is(found: &Found<'_>, listed: &[(&str, &str)]) -> bool {
    listed.contains(&(found.method.as_str(), found.path))
}

#[tokio::test]
async fn every_operation_wants_a_good_token_save_those_of_a_list() {
    let (_house, router) = house().await;
    let told = told(&router).await;
    for (path, found) in told.operations() {
        let secured = found.operation["security"].as_array().expect("a list");
        assert_eq!(
            is(&found, OPEN),
            !secured.iter().any(|scheme| scheme.get(super::TOKEN).is_some()),
            "{path}"
        );
        if is(&found, OPEN) {
            continue;
        }
        for headers in [
            &[][..],
            &[("x-auth-token", SOME_ID)],
            &[("x-auth-token", "nope")],
            &[("authorization", &format!("Bearer {SOME_ID}"))],
            &[("authorization", "Basic YTpi")],
        ] {
            let reply = ask(&router, &found.method, &filled(&path), headers, "{}").await;
            assert_eq!(reply.status, 401, "{} {path}", found.method);
            if is(&found, PAGES) || is(&found, &[EVENTS]) {
                continue;
            }
            let body = reply.json();
            assert_eq!(body["error_id"], "unauthorized", "{} {path}", found.method);
            assert_eq!(
                body["details"],
                json!({"invalid_token": "", "reason": "not_found_or_expired", "required_access": access(found.operation)})
            );
        }
    }
}

#[tokio::test]
async fn every_operation_wants_the_access_that_the_document_names() {
    let (house, _) = house().await;
    house.grant_alice("nothing.at.all").await;
    let router = router(&[Dialect::Wazo], &house.state);
    let issued = ask(
        &router,
        "POST",
        "/0.1/token",
        &[("authorization", "Basic YWxpY2U6czNjcmU3")],
        "{}",
    )
    .await;
    let token = issued.json()["data"]["token"].as_str().expect("a token").to_owned();
    let told = told(&router).await;
    for (path, found) in told.operations().filter(|(_, found)| !is(found, OPEN)) {
        let reply = ask(
            &router,
            &found.method,
            &filled(&path),
            &[("x-auth-token", &token)],
            "{}",
        )
        .await;
        if is(&found, &[EVENTS]) {
            assert_eq!(reply.status, 403);
            continue;
        }
        assert_eq!(reply.status, 401, "{} {path}", found.method);
        if !is(&found, PAGES) {
            assert_eq!(
                reply.json()["details"]["required_access"],
                access(found.operation),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_told_of_is_405() {
    let (_house, router) = house().await;
    let told = told(&router).await;
    let operations: Vec<_> = told.operations().collect();
    for (path, found) in operations.iter().filter(|(_, found)| !PROBES.contains(&found.path)) {
        let told: Vec<_> = operations
            .iter()
            .filter(|(other, _)| other == path)
            .map(|(_, found)| found.method.as_str())
            .collect();
        for method in METHODS.into_iter().filter(|method| !told.contains(method)) {
            let reply = ask(&router, method, &filled(path), &[], "").await;
            assert_eq!(reply.status, 405, "{method} {}", found.path);
            assert_eq!(
                reply.json(),
                json!({"message": "The method is not allowed for the requested URL."})
            );
            for method in &told {
                assert!(
                    reply.header("allow").expect("a list").contains(method),
                    "{method} {path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let (_house, router) = house().await;
    let told = told(&router).await;
    let document = told.document();
    assert_eq!(document["openapi"], "3.1.0");
    check_references(&told, document);
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|tag| tag["name"].as_str())
        .collect();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (path, found) in told.operations().filter(|(path, found)| path == found.path) {
        let operation = found.operation;
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id.to_owned()), "`{id}` is there twice");
        assert!(!operation["summary"].as_str().expect("a summary").is_empty(), "{id}");
        let own = operation["tags"].as_array().expect("tags");
        assert!(own.len() == 1 && tags.contains(&own[0].as_str()), "{id}");
        used.insert(own[0].as_str());
        check_parameters(&told, &path, operation);
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.keys().any(|status| status.starts_with('2')), "{id}");
        for answer in answers.values() {
            assert!(
                !told.resolve(answer)["description"].as_str().expect("text").is_empty(),
                "{id}"
            );
        }
        for scheme in operation["security"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_object)
        {
            for name in scheme.keys() {
                assert!(
                    document["components"]["securitySchemes"].get(name).is_some(),
                    "{id}: {name}"
                );
            }
        }
    }
    assert_eq!(used, tags, "a tag without operations");
}

/// Every parameter is told of once, and those of the path and of the access are there.
fn check_parameters(told: &Told, path: &str, operation: &Value) {
    let item = &told.document()["paths"][path];
    let lists = [item, operation].map(|value| value["parameters"].as_array().cloned().unwrap_or_default());
    let parameters: Vec<_> = lists
        .iter()
        .flatten()
        .map(|parameter| told.resolve(parameter))
        .collect();
    let mut places = BTreeSet::new();
    for parameter in &parameters {
        let place = (parameter["in"].as_str(), parameter["name"].as_str());
        assert!(places.insert(place), "{path}: {place:?} is there twice");
        assert!(
            !parameter["description"].as_str().unwrap_or_default().is_empty(),
            "{path}: {place:?}"
        );
        assert!(parameter["schema"].is_object(), "{path}: {place:?}");
        if parameter["in"] == "path" {
            assert_eq!(parameter["required"], true, "{path}: {place:?}");
        }
    }
    let of_path: BTreeSet<_> = names(path).collect();
    let told_of: BTreeSet<_> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "path")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    assert_eq!(of_path, told_of, "{path}");
    for name in names(operation[super::REQUIRED_ACCESS].as_str().unwrap_or_default()) {
        assert!(
            parameters.iter().any(|parameter| parameter["name"] == name),
            "{path}: {name}"
        );
    }
}

fn check_references(told: &Told, value: &Value) {
    match value {
        Value::Object(fields) => {
            told.resolve(value);
            fields.values().for_each(|value| check_references(told, value));
        }
        Value::Array(items) => items.iter().for_each(|value| check_references(told, value)),
        _ => {}
    }
}
