//! Requests with places in them for what a caller typed. A value can be nothing but a value there: it is quoted for where it stands.

use http::Method;
use http::uri::PathAndQuery;
use keyway_sdk::Problem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::config::escaped;

/// What RFC 3986 calls unreserved stands for itself.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest path, in bytes: servers take no longer ones.
const MAX_PATH: usize = 8 << 10;

/// What may be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    Username,
    Password,
    Userid,
}

impl Placeholder {
    const ALL: [Self; 3] = [Self::Username, Self::Password, Self::Userid];

    /// As it is written.
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::Username => "{username}",
            Self::Password => "{password}",
            Self::Userid => "{userid}",
        }
    }
}

/// What is filled in. What a template may not ask for is empty.
#[derive(Clone, Copy, Default)]
pub(super) struct Values<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) userid: &'a str,
}

impl<'a> Values<'a> {
    fn get(&self, placeholder: Placeholder) -> &'a str {
        match placeholder {
            Placeholder::Username => self.username,
            Placeholder::Password => self.password,
            Placeholder::Userid => self.userid,
        }
    }
}

/// A request, with placeholders in its path and in the texts of its body.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) method: Method,
    path: Vec<Piece>,
    body: Option<Body>,
}

/// JSON whose texts have placeholders.
#[derive(Debug)]
enum Body {
    Text(Vec<Piece>),
    List(Vec<Body>),
    Table(Vec<(String, Body)>),
    Other(Value),
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value(Placeholder),
}

impl Template {
    /// Reads a request in which these placeholders may stand. `at` is the pointer to its table.
    pub(super) fn new(
        (path, method, body): (&str, &str, Option<&Value>),
        allowed: &[Placeholder],
        at: &str,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let method_at = format!("{at}/method");
        let method = match method {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            _ => {
                problems.push(Problem::at(method_at, "is none of `GET`, `POST` and `PUT`"));
                Method::POST
            }
        };
        if body.is_some() && method == Method::GET {
            problems.push(Problem::at(format!("{at}/body"), "a `GET` has none"));
        }
        let path = pieces(path, allowed, &format!("{at}/path"), &mut problems);
        let body = body.map(|body| Body::new(body, allowed, &format!("{at}/body"), &mut problems));
        let template = Self { method, path, body };
        let example = Values {
            username: "a",
            password: "a",
            userid: "a",
        };
        let filled = template.path(&example).unwrap_or_default();
        if !filled.starts_with('/') || PathAndQuery::try_from(filled.as_str()).is_err() {
            let message = "is no path: it begins with `/` and has no blanks";
            problems.push(Problem::at(format!("{at}/path"), message));
        }
        if problems.is_empty() {
            Ok(template)
        } else {
            Err(problems)
        }
    }

    /// Whether this placeholder stands anywhere.
    pub(super) fn has(&self, placeholder: Placeholder) -> bool {
        has(&self.path, placeholder) || self.body.as_ref().is_some_and(|body| body.has(placeholder))
    }

    /// The path, and a query behind it. `None` if a value would be no part of a path (empty, `.` or `..` make another path
    /// of it) or makes it too long.
    pub(super) fn path(&self, values: &Values<'_>) -> Option<String> {
        let mut path = String::new();
        for piece in &self.path {
            match piece {
                Piece::Literal(text) => path.push_str(text),
                Piece::Value(placeholder) => {
                    let value = values.get(*placeholder);
                    if matches!(value, "" | "." | "..") {
                        return None;
                    }
                    path.extend(utf8_percent_encode(value, QUOTED));
                }
            }
        }
        (path.len() <= MAX_PATH).then_some(path)
    }

    /// The body, as JSON.
    pub(super) fn body(&self, values: &Values<'_>) -> Option<String> {
        self.body.as_ref().map(|body| body.fill(values).to_string())
    }
}

impl Body {
    fn new(value: &Value, allowed: &[Placeholder], at: &str, problems: &mut Vec<Problem>) -> Self {
        match value {
            Value::String(text) => Self::Text(pieces(text, allowed, at, problems)),
            Value::Array(list) => Self::List(
                list.iter()
                    .enumerate()
                    .map(|(place, value)| Self::new(value, allowed, &format!("{at}/{place}"), problems))
                    .collect(),
            ),
            Value::Object(table) => Self::Table(
                table
                    .iter()
                    .map(|(key, value)| {
                        let at = format!("{at}/{}", escaped(key));
                        (key.clone(), Self::new(value, allowed, &at, problems))
                    })
                    .collect(),
            ),
            other => Self::Other(other.clone()),
        }
    }

    fn has(&self, placeholder: Placeholder) -> bool {
        match self {
            Self::Text(pieces) => has(pieces, placeholder),
            Self::List(list) => list.iter().any(|body| body.has(placeholder)),
            Self::Table(table) => table.iter().any(|(_, body)| body.has(placeholder)),
            Self::Other(_) => false,
        }
    }

    fn fill(&self, values: &Values<'_>) -> Value {
        match self {
            Self::Text(pieces) => Value::String(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) => text.as_str(),
                        Piece::Value(placeholder) => values.get(*placeholder),
                    })
                    .collect(),
            ),
            Self::List(list) => list.iter().map(|body| body.fill(values)).collect(),
            Self::Table(table) => table
                .iter()
                .map(|(key, body)| (key.clone(), body.fill(values)))
                .collect(),
            Self::Other(value) => value.clone(),
        }
    }
}

fn has(pieces: &[Piece], placeholder: Placeholder) -> bool {
    pieces.contains(&Piece::Value(placeholder))
}

/// A text taken apart. A word in braces is a placeholder; other braces are themselves.
fn pieces(text: &str, allowed: &[Placeholder], at: &str, problems: &mut Vec<Problem>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('{') {
        literal.push_str(head);
        let word = tail.split_once('}').filter(|(word, _)| is_word(word));
        let Some((word, behind)) = word else {
            literal.push('{');
            rest = tail;
            continue;
        };
        match Placeholder::ALL
            .into_iter()
            .find(|known| known.written().trim_matches(['{', '}']) == word)
        {
            Some(placeholder) if allowed.contains(&placeholder) => {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                pieces.push(Piece::Value(placeholder));
            }
            _ => {
                let names: Vec<String> = allowed.iter().map(|known| format!("`{}`", known.written())).collect();
                let message = format!("`{{{word}}}` is none of {}", names.join(", "));
                problems.push(Problem::at(at, message));
            }
        }
        rest = behind;
    }
    literal.push_str(rest);
    pieces.push(Piece::Literal(literal));
    pieces.retain(|piece| *piece != Piece::Literal(String::new()));
    pieces
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use keyway_sdk::json;
    use proptest::prelude::*;

    use super::*;

    fn template(path: &str, body: Option<&Value>) -> Template {
        Template::new((path, "POST", body), &Placeholder::ALL, "/at").unwrap()
    }

    #[test]
    fn values_are_quoted_for_where_they_stand() {
        let body = json!({ "user": "{username}", "secrets": ["<{password}>", 7, null], "braces": "{ {} {1}" });
        let template = template("/a/{username}?p={password}&x={userid}", Some(&body));
        let values = Values {
            username: "a/../b?c#d%20 ä",
            password: "\"},{\"x\":\"{username}",
            userid: "1&admin=1",
        };
        assert_eq!(
            template.path(&values).as_deref(),
            Some("/a/a%2F..%2Fb%3Fc%23d%2520%20%C3%A4?p=%22%7D%2C%7B%22x%22%3A%22%7Busername%7D&x=1%26admin%3D1")
        );
        let sent: Value = serde_json::from_str(&template.body(&values).unwrap()).unwrap();
        let expected = json!({
            "user": values.username,
            "secrets": [format!("<{}>", values.password), 7, null],
            "braces": "{ {} {1}"
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_value_that_would_change_the_path_fills_nothing() {
        let template = template("/users/{username}", None);
        for username in ["", ".", ".."] {
            let values = Values {
                username,
                ..Values::default()
            };
            assert_eq!(template.path(&values), None, "{username}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let check = |path: &str, method: &str, body: Option<Value>, pointer: &str| {
            let problems = Template::new((path, method, body.as_ref()), &[Placeholder::Username], "/at").unwrap_err();
            assert_eq!(problems[0].pointer, pointer, "{problems:?}");
        };
        check("/{user}", "GET", None, "/at/path");
        check("/{password}", "GET", None, "/at/path");
        check("users", "GET", None, "/at/path");
        check("/a b", "GET", None, "/at/path");
        check("http://example.org/", "GET", None, "/at/path");
        check("/", "get", None, "/at/method");
        check("/", "GET", Some(json!({})), "/at/body");
        check("/", "POST", Some(json!({ "a/b": ["{password}"] })), "/at/body/a~1b/0");
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_place(value in ".{1,40}") {
            let body = json!({ "a": "{username}" });
            let template = template("/x/{username}/y", Some(&body));
            let values = Values { username: &value, ..Values::default() };
            if let Some(path) = template.path(&values) {
                prop_assert_eq!(path.matches('/').count(), 3);
                prop_assert!(PathAndQuery::try_from(path.as_str()).is_ok_and(|path| path.query().is_none()));
            }
            let sent: Value = serde_json::from_str(&template.body(&values).unwrap()).unwrap();
            prop_assert_eq!(sent, json!({ "a": value }));
        }
    }
}
