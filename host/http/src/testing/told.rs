//! Whether an answer is what the document tells of it: each answer in each test of a route is looked at.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use boon::{Compiler, Schemas};
use http::{Method, Request};
use serde_json::{Value, json};

use super::Reply;

/// Where the validator finds the document.
const PLACE: &str = "http://test/openapi.json";

/// The document that a router serves, with no place for fields that it does not tell of.
pub(crate) struct Told(Value);

/// One operation of it.
pub(crate) struct Found<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: String,
    pub(crate) operation: &'a Value,
}

/// Documents that were read before, by their text.
static READ: LazyLock<Mutex<HashMap<String, Arc<Told>>>> = LazyLock::new(Mutex::default);

/// # Panics
/// If the document does not tell of this answer.
pub(super) async fn check(router: &Router, method: &Method, path: &str, reply: &Reply) {
    if let Some(told) = Told::by(router).await {
        told.check(method, path, reply);
    }
}

impl Told {
    /// What a router tells of itself; nothing where it serves no document.
    pub(crate) async fn by(router: &Router) -> Option<Arc<Self>> {
        let request = Request::builder().uri("/api/openapi.json").body(Body::empty());
        let reply = super::reply(router, request.expect("a request")).await;
        if reply.status != 200 {
            return None;
        }
        let mut read = READ.lock().expect("no test panics while it reads");
        let told = read.entry(reply.body.clone()).or_insert_with(|| {
            let mut document = reply.json();
            forbid_others(&mut document["components"]["schemas"]);
            forbid_others(&mut document["paths"]);
            Arc::new(Self(document))
        });
        Some(told.clone())
    }

    /// The document.
    pub(crate) fn document(&self) -> &Value {
        &self.0
    }

    /// All operations, each by its path below each place where it is served.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (String, Found<'_>)> {
        let paths = self.0["paths"].as_object().expect("paths").iter();
        paths.flat_map(move |(path, item)| {
            let found = move |server: &Value| {
                let server = server["url"].as_str().expect("a URL").trim_end_matches('/').to_owned();
                let methods = item.as_object().expect("an item").iter();
                let methods = methods.filter(|(method, _)| {
                    Method::try_from(method.to_uppercase().as_str()).is_ok_and(|method| is_usual(&method))
                });
                methods.map(move |(method, operation)| {
                    let method = method.to_uppercase();
                    (
                        format!("{server}{path}"),
                        Found {
                            path,
                            method,
                            operation,
                        },
                    )
                })
            };
            self.servers(item).iter().flat_map(found)
        })
    }

    fn servers<'a>(&'a self, item: &'a Value) -> &'a [Value] {
        let servers = item.get("servers").unwrap_or(&self.0["servers"]);
        servers.as_array().expect("servers")
    }

    /// What a reference leads to, or the value itself.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(place) = value.get("$ref") else {
            return value;
        };
        let place = place
            .as_str()
            .and_then(|place| place.strip_prefix('#'))
            .expect("a place");
        self.0.pointer(place).unwrap_or_else(|| panic!("{place} is nowhere"))
    }

    fn check(&self, method: &Method, path: &str, reply: &Reply) {
        let matching = self.operations().filter(|(place, _)| matches(place, path));
        let matching: Vec<_> = matching.collect();
        let Some(best) = matching.iter().map(|(place, _)| literals(place)).max() else {
            return assert_eq!(reply.status, 404, "nothing is told of {path}");
        };
        let mut matching = matching.iter().filter(|(place, _)| literals(place) == best);
        let by = |wanted: &str| matching.clone().find(|(_, found)| found.method == wanted);
        let found = by(method.as_str()).or_else(|| by("GET").filter(|_| method == Method::HEAD));
        let Some((_, found)) = found else {
            let (place, _) = matching.next().expect("one");
            return assert!(
                reply.status == 405 || method == Method::OPTIONS || is_no_page(reply),
                "{method} {place} is not told of: {reply:?}"
            );
        };
        self.check_answer(found, method, reply);
    }

    fn check_answer(&self, found: &Found<'_>, method: &Method, reply: &Reply) {
        let Found { path, operation, .. } = found;
        let status = reply.status.as_str();
        let answer = operation["responses"].get(status);
        let answer = answer.unwrap_or_else(|| panic!("{method} {path} is not told to answer {reply:?}"));
        let answer = self.resolve(answer);
        if method == Method::HEAD {
            return assert_eq!(reply.body, "", "HEAD {path}");
        }
        let Some(content) = answer.get("content") else {
            return assert_eq!(
                reply.body, "",
                "{method} {path} is told to answer {status} without a body"
            );
        };
        let kind = reply.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let content = content.get(kind);
        let content = content.unwrap_or_else(|| panic!("{method} {path} is not told to answer {kind:?}: {reply:?}"));
        if kind == "application/json" && path != &"/api/openapi.json" {
            self.check_shape(&content["schema"], &reply.json());
        }
    }

    /// # Panics
    /// If the value does not have this schema.
    pub(crate) fn check_shape(&self, schema: &Value, value: &Value) {
        let mut document = self.0.clone();
        document["wanted"] = schema.clone();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource(PLACE, document).expect("a document");
        let compiled = compiler.compile(&format!("{PLACE}#/wanted"), &mut schemas);
        let compiled = compiled.unwrap_or_else(|error| panic!("{error:#}"));
        if let Err(error) = schemas.validate(value, compiled) {
            panic!("{value:#}: {error:#}");
        }
    }
}

/// The answer to an address whose names cannot be: it has no methods at all.
fn is_no_page(reply: &Reply) -> bool {
    reply.status == 404 && reply.header("content-type") == Some("text/html; charset=utf-8")
}

fn is_usual(method: &Method) -> bool {
    let usual = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    usual.contains(method)
}

/// Lets no object have fields that its schema does not name.
fn forbid_others(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(forbid_others);
            if fields.get("properties").is_some_and(Value::is_object) && fields.get("type") == Some(&json!("object")) {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_others),
        _ => {}
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    wanted.by_ref().zip(found.by_ref()).all(|(wanted, found)| {
        if wanted.starts_with('{') {
            !found.is_empty()
        } else {
            wanted == found
        }
    }) && template.split('/').count() == path.split('/').count()
}

fn literals(template: &str) -> usize {
    template.split('/').filter(|segment| !segment.starts_with('{')).count()
}
