//! Whether an answer is what the document tells of it: each answer in each test of a route is looked at.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use boon::{Compiler, SchemaIndex, Schemas};
use http::{Method, Request, Uri};
use serde_json::{Value, json};

use super::Reply;
use crate::document::{ALSO_AT, LINK};

/// Where the validator finds the document.
const PLACE: &str = "http://test/openapi.json";

/// The document that a router serves, with no place for fields that it does not tell of.
pub(crate) struct Told {
    document: Value,
    /// The numbers of the schemas of answers and bodies, by their texts.
    shapes: HashMap<String, usize>,
    /// Those of them that were needed, by their numbers.
    compiled: Mutex<HashMap<usize, (Schemas, SchemaIndex)>>,
}

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
pub(super) async fn check(router: &Router, method: &Method, uri: &Uri, reply: &Reply) {
    if let Some(told) = Told::by(router).await {
        told.check(method, uri, reply);
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
        let told = read.entry(reply.body.clone());
        Some(told.or_insert_with(|| Arc::new(Self::new(reply.json()))).clone())
    }

    fn new(mut document: Value) -> Self {
        forbid_others(&mut document);
        let shapes = shapes(&document);
        for (schema, number) in &shapes {
            document["x-shapes"][number.to_string()] = serde_json::from_str(schema).expect("JSON");
        }
        Self {
            document,
            shapes,
            compiled: Mutex::default(),
        }
    }

    /// The document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// All operations, each by its path below each place where it is served.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (String, Found<'_>)> {
        let paths = self.document["paths"].as_object().expect("paths").iter();
        paths.flat_map(move |(path, item)| {
            let found = move |server: &Value| {
                let server = server["url"].as_str().expect("a URL").trim_end_matches('/').to_owned();
                let methods = item.as_object().expect("an item").iter();
                let methods = methods.filter(|(method, _)| {
                    Method::try_from(method.to_uppercase().as_str()).is_ok_and(|method| is_usual(&method))
                });
                let methods = methods.map(|(method, operation)| (method.to_uppercase(), operation));
                let also = item[ALSO_AT].as_array().into_iter().flatten();
                let places = also.filter_map(Value::as_str).chain([path.as_str()]);
                let places: Vec<_> = places.map(|place| format!("{server}{place}")).collect();
                methods.flat_map(move |(method, operation)| {
                    let found = move |place: String| {
                        let method = method.clone();
                        (
                            place,
                            Found {
                                path,
                                method,
                                operation,
                            },
                        )
                    };
                    places.clone().into_iter().map(found)
                })
            };
            self.servers(item).iter().flat_map(found)
        })
    }

    fn servers<'a>(&'a self, item: &'a Value) -> &'a [Value] {
        let servers = item.get("servers").unwrap_or(&self.document["servers"]);
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
        self.document
            .pointer(place)
            .unwrap_or_else(|| panic!("{place} is nowhere"))
    }

    /// The operation that answers there.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let mut matching: Vec<_> = self.operations().filter(|(place, _)| matches(place, path)).collect();
        let best = matching.iter().map(|(place, _)| literals(place)).max()?;
        matching.retain(|(place, _)| literals(place) == best);
        let by = |wanted: &str| matching.iter().position(|(_, found)| found.method == wanted);
        let index = by(method.as_str()).or_else(|| by("GET").filter(|_| method == Method::HEAD))?;
        Some(matching.swap_remove(index).1)
    }

    fn check(&self, method: &Method, uri: &Uri, reply: &Reply) {
        let Some(found) = self.find(method, uri.path()) else {
            return assert!(
                reply.status == 405 || method == Method::OPTIONS || is_no_page(reply),
                "{method} {uri} is not told of: {reply:?}"
            );
        };
        self.check_answer(&found, method, reply);
        if reply.status.is_success() {
            self.check_query(&found, uri);
        }
    }

    /// What a request had in its query, and what was not refused.
    fn check_query(&self, found: &Found<'_>, uri: &Uri) {
        let parameters = found.operation["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<_> = parameters.map(|parameter| self.resolve(parameter)).collect();
        let schemes = found.operation["security"].as_array().into_iter().flatten();
        let by_link = schemes.filter_map(|scheme| scheme.get(LINK)).count() > 0;
        for (name, _) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let told = parameters
                .iter()
                .any(|parameter| parameter["in"] == "query" && parameter["name"] == *name);
            assert!(
                told || (name == "token" && by_link),
                "{} {} is not told to take `{name}`",
                found.method,
                found.path
            );
        }
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
    /// If the value does not have this schema, which is one of an answer or a body.
    pub(crate) fn check_shape(&self, schema: &Value, value: &Value) {
        let number = self.shapes.get(&schema.to_string()).expect("a schema of an operation");
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let (schemas, index) = compiled.entry(*number).or_insert_with(|| self.compile(*number));
        if let Err(error) = schemas.validate(value, *index) {
            panic!("{value:#}: {error:#}");
        }
    }

    fn compile(&self, number: usize) -> (Schemas, SchemaIndex) {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource(PLACE, self.document.clone()).expect("a document");
        let index = compiler.compile(&format!("{PLACE}#/x-shapes/{number}"), &mut schemas);
        let index = index.unwrap_or_else(|error| panic!("{error:#}"));
        (schemas, index)
    }
}

/// Each schema of an operation once, by its text: its number.
fn shapes(document: &Value) -> HashMap<String, usize> {
    let places = [&document["paths"], &document["components"]["responses"]];
    let mut found = HashMap::new();
    for place in places {
        find_schemas(place, &mut found);
    }
    found
}

fn find_schemas(value: &Value, found: &mut HashMap<String, usize>) {
    if let Some(schema) = value.get("schema") {
        let next = found.len();
        found.entry(schema.to_string()).or_insert(next);
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| find_schemas(value, found)),
        Value::Array(items) => items.iter().for_each(|value| find_schemas(value, found)),
        _ => {}
    }
}

/// The answer to an address whose names cannot be, in whichever form: it has no methods at all.
fn is_no_page(reply: &Reply) -> bool {
    let is_page = reply.header("content-type") == Some("text/html; charset=utf-8");
    let is_kazoos = || reply.json()["message"] == "not_found";
    reply.status == 404 && (is_page || reply.body.contains("Nothing is served under this address.") || is_kazoos())
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
