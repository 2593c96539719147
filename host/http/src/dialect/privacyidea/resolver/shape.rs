//! From the parameters of this API to a resolver of the backend's configuration, and back.

use std::collections::BTreeMap;

use keyway_core::Secret;
use serde_json::{Map, Value, json};

use super::kind::{Field, Form, Kind};
use super::query;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::params::Params;
use crate::dialect::privacyidea::realm_config::Entry;

/// What stands in place of a secret. Sent back, it leaves the secret as it is.
const CENSORED: &str = "__CENSORED__";

/// The key of a configuration that says which headers are secrets, and under which name each is kept.
const SECRET_HEADERS: &str = "secret_headers";

/// Parameters that say how to reach a database. Here the operator says so.
const CONNECTION: [&str; 3] = ["Server", "User", "Password"];

/// A resolver that is to be.
pub(super) struct Draft {
    pub(super) kind: Kind,
    /// As the backend is configured with it.
    pub(super) config: Value,
    /// What is to be kept apart, by the names under which the plugin asks for it.
    pub(super) secrets: BTreeMap<String, Secret<Vec<u8>>>,
}

impl Draft {
    /// What the parameters say, over what is there of the same name and type.
    ///
    /// # Errors
    /// [`Failure::Parameter`].
    pub(super) fn of(name: &str, params: &Params, present: Option<&Entry<'_>>) -> Result<Self, Failure> {
        let kind = Kind::parse(params.needed("type")?)?;
        let mut config = match present {
            Some(present) if Kind::of_config(present.value) != Some(kind) => {
                return Err(Failure::Parameter(format!(
                    "The resolver `{name}` is there with another type. Remove it first"
                )));
            }
            Some(present) => present.value.as_object().cloned().unwrap_or_default(),
            None => Map::new(),
        };
        config.insert("type".to_owned(), json!(kind.config_name()));
        let mut draft = Self {
            kind,
            config: Value::Null,
            secrets: BTreeMap::new(),
        };
        for field in kind.fields() {
            draft.take(name, *field, params, &mut config)?;
        }
        if kind == Kind::Sql {
            take_table(params, &mut config)?;
        }
        draft.config = Value::Object(config);
        Ok(draft)
    }

    fn take(
        &mut self,
        name: &str,
        field: Field,
        params: &Params,
        config: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let Some(value) = params.value(field.parameter) else {
            return Ok(());
        };
        match field.form {
            // An empty text takes the value away.
            Form::Text => match params.word(field.parameter)? {
                Some(text) => drop(config.insert(field.key.to_owned(), json!(text))),
                None => drop(config.shift_remove(field.key)),
            },
            Form::Json => match object(field.parameter, value)? {
                Some(object) => drop(config.insert(field.key.to_owned(), Value::Object(object))),
                None => drop(config.shift_remove(field.key)),
            },
            Form::Headers => {
                let headers = object(field.parameter, value)?.unwrap_or_default();
                self.take_headers(name, headers, config)?;
            }
        }
        Ok(())
    }

    /// Headers that prove something are secrets.
    fn take_headers(
        &mut self,
        name: &str,
        headers: Map<String, Value>,
        config: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let present = config.get(SECRET_HEADERS).and_then(Value::as_object).cloned();
        let present = present.unwrap_or_default();
        let (mut open, mut secret) = (Map::new(), Map::new());
        for (header, value) in headers {
            let wrong = || Failure::Parameter("The parameter `headers` is not an object of texts".to_owned());
            let text = value.as_str().ok_or_else(wrong)?;
            if !is_secret(&header) {
                open.insert(header, value);
                continue;
            }
            let kept = format!("resolver.{name}.{}", header.to_ascii_lowercase());
            if text == CENSORED {
                let kept = present.get(&header);
                let kept =
                    kept.ok_or_else(|| Failure::Parameter(format!("There is no secret header `{header}` yet")))?;
                secret.insert(header, kept.clone());
            } else {
                self.secrets.insert(kept.clone(), text.into());
                secret.insert(header, json!(kept));
            }
        }
        for (key, headers) in [("headers", open), (SECRET_HEADERS, secret)] {
            if headers.is_empty() {
                config.shift_remove(key);
            } else {
                config.insert(key.to_owned(), Value::Object(headers));
            }
        }
        Ok(())
    }
}

/// A table in place of a query, as privacyIDEA has it.
fn take_table(params: &Params, config: &mut Map<String, Value>) -> Result<(), Failure> {
    for parameter in CONNECTION {
        if params.word(parameter)?.is_some() {
            return Err(Failure::Parameter(format!(
                "`{parameter}` cannot be set here: how a database is reached is what the operator grants to the backend, and `Database` names it"
            )));
        }
    }
    let Some(table) = params.word("Table")? else {
        return Ok(());
    };
    let map = config
        .get("map")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let queries = query::of_table(table, &map, params.word("Where")?, params.word("Driver")?)?;
    config.insert("query".to_owned(), json!(queries.by_login));
    config.insert("find_query".to_owned(), json!(queries.by_id));
    config.insert("list_query".to_owned(), json!(queries.list));
    config.insert("map".to_owned(), Value::Object(queries.map));
    Ok(())
}

/// An object, or a text that is one; nothing for an empty text.
fn object(parameter: &str, value: &Value) -> Result<Option<Map<String, Value>>, Failure> {
    let parsed = match value {
        Value::Object(fields) => Some(fields.clone()),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => match keyway_core::json::parse(text.as_bytes()) {
            Ok(Value::Object(fields)) => Some(fields),
            Ok(_) | Err(_) => None,
        },
        _ => None,
    };
    let wrong = || Failure::Parameter(format!("The parameter `{parameter}` is not a JSON object"));
    parsed.map(Some).ok_or_else(wrong)
}

fn is_secret(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["authorization", "cookie", "token", "key", "secret", "password"]
        .iter()
        .any(|word| header.contains(word))
}

/// What a resolver is made of, as this API writes it. No secret is in it.
pub(super) fn data(kind: Kind, config: &Value) -> Value {
    let mut data = Map::new();
    for field in kind.fields() {
        let value = config.get(field.key).cloned();
        match field.form {
            Form::Text => drop(data.insert(field.parameter.to_owned(), value.unwrap_or_else(|| json!("")))),
            Form::Json => drop(data.insert(field.parameter.to_owned(), value.unwrap_or_else(|| json!({})))),
            Form::Headers => {
                let mut headers = value.and_then(|value| value.as_object().cloned()).unwrap_or_default();
                let censored = secret_headers(config).into_iter();
                headers.extend(censored.map(|header| (header, json!(CENSORED))));
                data.insert(field.parameter.to_owned(), Value::Object(headers));
            }
        }
    }
    Value::Object(data)
}

/// The headers that are secrets.
pub(super) fn secret_headers(config: &Value) -> Vec<String> {
    let headers = config.get(SECRET_HEADERS).and_then(Value::as_object);
    headers.into_iter().flat_map(Map::keys).cloned().collect()
}

/// The names under which a resolver's secrets are kept.
pub(super) fn secret_names(config: &Value) -> Vec<String> {
    let headers = config.get(SECRET_HEADERS).and_then(Value::as_object);
    let names = headers.into_iter().flat_map(Map::values);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What is wrong with a configuration, in one text.
pub(super) fn told(problems: &[(String, String)]) -> String {
    let problems: Vec<_> = problems
        .iter()
        .map(|(place, problem)| {
            if place.is_empty() {
                problem.clone()
            } else {
                format!("{place}: {problem}")
            }
        })
        .collect();
    problems.join("; ")
}
