//! The document as a page. It needs no script and nothing from elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::REQUIRED_ACCESS;
use super::markup::{Escaped, anchor, code, element, fields, inline, items, prose, shape, table, text};

const STYLE: &str = include_str!("page.css");
const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// What the page may do: have its own style.
pub(super) fn policy() -> HeaderValue {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    // Words and base64 always are a value; were they not, nothing would be allowed.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The page of this document.
pub(super) fn render(document: &Value) -> String {
    let nothing = Value::Null;
    let info = document.get("info").unwrap_or(&nothing);
    let title = format!("{} {}", text(info, "title"), text(info, "version"));
    let title = Escaped(&title);
    let tags = items(document, "tags");
    let contents: String = tags.iter().map(|tag| link("tag", text(tag, "name"))).collect();
    let sections: String = tags.iter().map(|tag| section(document, tag)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n{introduction}{servers}\
         <p>For programs: <a href=\"api/openapi.json\">openapi.json</a></p>\n</header>\n\
         <nav>\n<ul>\n{contents}<li><a href=\"#shapes\">shapes</a></li>\n</ul>\n</nav>\n<main>\n{sections}{shapes}</main>\n</body>\n</html>\n",
        introduction = prose(text(info, "description")),
        servers = servers("Where nothing else is said, an address stands below each of", document),
        shapes = shapes(document),
    )
}

fn link(kind: &str, name: &str) -> String {
    element(
        "li",
        &format!("<a href=\"#{kind}-{}\">{}</a>", anchor(name), Escaped(name)),
    )
}

fn servers(words: &str, value: &Value) -> String {
    let urls: Vec<_> = items(value, "servers")
        .iter()
        .map(|server| code(text(server, "url")))
        .collect();
    if urls.is_empty() {
        return String::new();
    }
    element("p", &format!("{words} {}.", urls.join(", ")))
}

/// The operations that are about one thing.
fn section(document: &Value, tag: &Value) -> String {
    let name = text(tag, "name");
    let mut operations = String::new();
    for (path, item) in fields(document, "paths") {
        let told = METHODS.iter().filter_map(|method| Some((*method, item.get(method)?)));
        for (method, told) in told.filter(|(_, told)| items(told, "tags").iter().any(|tag| tag == name)) {
            operations.push_str(&operation(document, path, item, method, told));
        }
    }
    format!(
        "<section id=\"tag-{}\">\n<h2>{}</h2>\n{}{operations}</section>\n",
        anchor(name),
        Escaped(name),
        prose(text(tag, "description"))
    )
}

fn operation(document: &Value, path: &str, item: &Value, method: &str, told: &Value) -> String {
    let shared = |value| resolve(document, value);
    let parameters = items(item, "parameters").iter().chain(items(told, "parameters"));
    let parameters = table("Parameters", parameters.map(shared).map(parameter));
    let answers = fields(told, "responses").map(|(status, answer)| row(status, shared(answer)));
    format!(
        "<details id=\"{id}\">\n<summary><span class=\"{method}\">{method}</span> <code>{path}</code> {summary}</summary>\n\
         {detail}{access}{servers}{parameters}{body}{answers}</details>\n",
        id = Escaped(text(told, "operationId")),
        path = Escaped(path),
        summary = inline(text(told, "summary")),
        detail = prose(text(told, "description")),
        access = access(told),
        servers = servers("Only below", item),
        body = body(told),
        answers = table("Answers", answers),
    )
}

/// What a reference leads to, or the value itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let place = text(value, "$ref").strip_prefix('#').filter(|place| !place.is_empty());
    place.and_then(|place| document.pointer(place)).unwrap_or(value)
}

fn access(told: &Value) -> String {
    let access = text(told, REQUIRED_ACCESS);
    if !access.is_empty() {
        return element("p", &format!("Needs a token with the access {}.", code(access)));
    }
    let schemes = items(told, "security").iter().filter_map(Value::as_object);
    let schemes: Vec<_> = schemes
        .flat_map(|scheme| scheme.keys())
        .map(|name| code(name))
        .collect();
    let words = if schemes.is_empty() {
        "Needs no token.".to_owned()
    } else {
        format!("Takes {}.", schemes.join(" or "))
    };
    element("p", &words)
}

fn parameter(told: &Value) -> Vec<String> {
    let needed = if told.get("required") == Some(&Value::Bool(true)) {
        " (needed)"
    } else {
        ""
    };
    vec![
        format!("{}{needed}", code(text(told, "name"))),
        Escaped(text(told, "in")).to_string(),
        told.get("schema").map(shape).unwrap_or_default(),
        inline(text(told, "description")),
    ]
}

fn body(told: &Value) -> String {
    let body = told.get("requestBody").unwrap_or(&Value::Null);
    table("Body", contents(body).map(|(kind, shape)| vec![code(kind), shape]))
}

fn row(status: &str, answer: &Value) -> Vec<String> {
    let bodies: Vec<_> = contents(answer)
        .map(|(kind, shape)| format!("{} {shape}", code(kind)))
        .collect();
    let headers: Vec<_> = fields(answer, "headers").map(|(name, _)| code(name)).collect();
    vec![
        code(status),
        inline(text(answer, "description")),
        bodies.join("<br>"),
        headers.join(" "),
    ]
}

fn contents(value: &Value) -> impl Iterator<Item = (&String, String)> {
    fields(value, "content").map(|(kind, content)| (kind, content.get("schema").map(shape).unwrap_or_default()))
}

fn shapes(document: &Value) -> String {
    let components = document.get("components").unwrap_or(&Value::Null);
    let shapes: String = fields(components, "schemas")
        .map(|(name, schema)| one_shape(name, schema))
        .collect();
    format!("<section id=\"shapes\">\n<h2>shapes</h2>\n{shapes}</section>\n")
}

fn one_shape(name: &str, schema: &Value) -> String {
    let needed = items(schema, "required");
    let rows = fields(schema, "properties").map(|(field, schema)| {
        let mark = if needed.iter().any(|name| name == field) {
            " (always)"
        } else {
            ""
        };
        vec![
            format!("{}{mark}", code(field)),
            shape(schema),
            inline(text(schema, "description")),
        ]
    });
    let told = table("Fields", rows);
    let told = if told.is_empty() {
        element("p", &shape(schema))
    } else {
        told
    };
    let (name, description) = (Escaped(name), prose(text(schema, "description")));
    format!("<article id=\"shape-{name}\">\n<h3>{name}</h3>\n{description}{told}</article>\n")
}
