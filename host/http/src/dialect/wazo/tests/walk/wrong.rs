//! Bodies and queries that the document says are wrong.

use serde_json::{Value, json};

use crate::testing::told::Told;

/// Each field in turn: absent, null, of another type, too short, too long, none of the words; wherever the schema forbids it.
pub(super) fn bodies(told: &Told, schema: &Value, right: &Value) -> Vec<Value> {
    let schema = told.resolve(schema);
    let fields = schema["properties"].as_object().into_iter().flatten();
    let wrong = fields.flat_map(|(name, field)| {
        let mut bodies = Vec::new();
        if is_needed(schema, name) {
            let mut body = right.clone();
            body.as_object_mut().expect("an object").remove(name);
            bodies.push(body);
        }
        bodies.extend(values(told, field).into_iter().map(|value| {
            let mut body = right.clone();
            body[name] = value;
            body
        }));
        bodies
    });
    wrong.collect()
}

fn is_needed(schema: &Value, name: &str) -> bool {
    let needed = schema["required"].as_array().into_iter().flatten();
    needed.filter_map(Value::as_str).any(|needed| needed == name)
}

/// Values that the schema of a field forbids.
fn values(told: &Told, field: &Value) -> Vec<Value> {
    let choices: Vec<_> = field["oneOf"].as_array().into_iter().flatten().collect();
    let nullable = choices.iter().any(|choice| choice["type"] == "null");
    let of_type = choices.into_iter().find(|choice| choice["type"] != "null");
    let schema = told.resolve(of_type.unwrap_or(field));
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let has = |kind: &str| kinds.iter().any(|known| known == kind);
    let mut values = Vec::new();
    if !nullable && !has("null") {
        values.push(Value::Null);
    }
    if !has("object") {
        values.push(json!({"a": 1}));
    }
    if !has("array") {
        values.push(json!([1]));
    }
    if !has("boolean") {
        values.push(json!(true));
    }
    if !has("string") || schema.get("enum").is_some() || schema.get("format") == Some(&json!("uuid")) {
        values.push(json!("none of these"));
    }
    if let Some(longest) = length(schema, "maxLength") {
        values.push("a".repeat(longest + 1).into());
    }
    if length(schema, "minLength").is_some_and(|shortest| shortest > 0) {
        values.push("".into());
    }
    if let Some(most) = length(schema, "maxItems") {
        values.push(vec!["a"; most + 1].into());
    }
    values
}

fn length(schema: &Value, rule: &str) -> Option<usize> {
    usize::try_from(schema.get(rule)?.as_u64()?).ok()
}

/// Parts of a query, and whether the document says that they are right.
pub(super) fn queries(told: &Told, operation: &Value) -> Vec<(String, bool)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| told.resolve(parameter));
    let mut queries = Vec::new();
    for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
        let (name, schema) = (parameter["name"].as_str().expect("a name"), &parameter["schema"]);
        let words = schema["enum"].as_array().into_iter().flatten();
        queries.extend(words.map(|word| (format!("{name}={}", word.as_str().expect("a word")), true)));
        let (right, wrong): (&[&str], &[&str]) = match schema["type"].as_str() {
            _ if schema.get("enum").is_some() => (&[], &["nope", ""]),
            Some("integer") => (&["0", "1"], &["-1", "nope"]),
            Some("boolean") => (&["true", "false"], &["nope"]),
            _ => (&[], &[]),
        };
        queries.extend(right.iter().map(|value| (format!("{name}={value}"), true)));
        queries.extend(wrong.iter().map(|value| (format!("{name}={value}"), false)));
    }
    queries
}
