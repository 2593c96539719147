//! What is wrong with a body, in the shape that wazo's clients know: the reason is one string that lists the problems by field, as
//! Python writes a dictionary.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Why a body was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is no JSON.
    Malformed,
    /// It is JSON, and no object.
    NoObject,
    /// It is JSON, and not what it should be.
    Invalid(Problems),
}

impl Problem {
    /// What is said of JSON that is no object.
    pub(super) const NO_OBJECT: &'static str = "{'_schema': ['Invalid input type.']}";
}

/// The body's fields. `null` and `[]` count as no fields.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match keyway_core::json::parse(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        Ok(_) => Err(Problem::NoObject),
        Err(_) => Err(Problem::Malformed),
    }
}

/// Problems by field, in the order of their discovery. Nothing that a caller sent is repeated in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Problems(Vec<(&'static str, Remark)>);

/// What is wrong with one field.
#[derive(Debug, PartialEq, Eq)]
struct Remark {
    /// The rule's name and what it asks for; absent where only the message says it.
    rule: Option<(&'static str, Value)>,
    message: String,
}

impl Problems {
    /// Not of this type.
    pub(super) fn kind(&mut self, field: &'static str, kind: &str) {
        self.constraint(field, "type", json!(kind), format!("Not a valid {kind}."));
    }

    /// Null.
    pub(super) fn null(&mut self, field: &'static str) {
        self.constraint(
            field,
            "not_null",
            json!("not_null"),
            "Field may not be null.".to_owned(),
        );
    }

    /// Absent.
    pub(super) fn required(&mut self, field: &'static str) {
        let message = "Missing data for required field.".to_owned();
        self.constraint(field, "required", json!("required"), message);
    }

    /// Too short or too long.
    pub(super) fn length(&mut self, field: &'static str, min: usize, max: usize) {
        let message = format!("Length must be between {min} and {max}.");
        self.constraint(field, "length", json!({"min": min, "max": max}), message);
    }

    /// Too small or too large.
    pub(super) fn range(&mut self, field: &'static str, min: u64, max: u64) {
        let message = format!("Must be greater than or equal to {min} and less than or equal to {max}.");
        self.constraint(field, "range", json!({"min": min, "max": max}), message);
    }

    /// Too small.
    pub(super) fn at_least(&mut self, field: &'static str, min: u64) {
        let message = format!("Must be greater than or equal to {min}.");
        self.constraint(field, "range", json!({ "min": min }), message);
    }

    /// None of these words.
    pub(super) fn choice(&mut self, field: &'static str, choices: &[&str]) {
        let message = format!("Must be one of: {}.", choices.join(", "));
        self.constraint(field, "enum", json!({ "choices": choices }), message);
    }

    /// Not of this form.
    pub(super) fn pattern(&mut self, field: &'static str, pattern: &str) {
        let message = "String does not match expected pattern.".to_owned();
        self.constraint(field, "regex", json!(pattern), message);
    }

    /// Anything else; `text` holds no quotation marks.
    pub(super) fn remark(&mut self, field: &'static str, text: &str) {
        let message = text.to_owned();
        self.add(field, Remark { rule: None, message });
    }

    fn constraint(&mut self, field: &'static str, id: &'static str, constraint: Value, message: String) {
        let rule = Some((id, constraint));
        self.add(field, Remark { rule, message });
    }

    /// One problem is enough for each field: a list of a thousand wrong items is one problem.
    fn add(&mut self, field: &'static str, problem: Remark) {
        if self.0.iter().all(|(known, _)| *known != field) {
            self.0.push((field, problem));
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// [`Problem::Invalid`] if there is any.
    pub(super) fn none_or_fail(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::Invalid(self))
        }
    }

    /// As Python writes a dictionary of lists.
    pub(super) fn python(&self) -> String {
        let mut text = String::new();
        for (field, remark) in &self.0 {
            let separator = if text.is_empty() { "{" } else { ", " };
            let problem = python(&remark.json());
            // Writing into a string cannot fail.
            let _ = write!(text, "{separator}'{field}': [{problem}]");
        }
        text.push('}');
        text
    }

    /// The first field with a problem.
    pub(super) fn field(&self) -> Option<&'static str> {
        self.0.first().map(|(field, _)| *field)
    }

    /// The problems by field, each field with a list of them.
    pub(super) fn by_field(&self) -> Value {
        let fields = self
            .0
            .iter()
            .map(|(field, remark)| ((*field).to_owned(), json!([remark.json()])));
        Value::Object(fields.collect())
    }

    /// The first problem: its message, and it alone by its field.
    pub(super) fn first(&self) -> (String, Value) {
        let first = self.0.first();
        first.map_or_else(
            || (String::new(), json!({})),
            |(field, remark)| (remark.message.clone(), json!({ *field: remark.json() })),
        )
    }
}

impl Remark {
    fn json(&self) -> Value {
        match &self.rule {
            Some((id, constraint)) => {
                json!({"constraint_id": id, "constraint": constraint, "message": self.message})
            }
            None => json!(self.message),
        }
    }
}

/// A text as Python's `repr` writes it, save that it leaves all printable letters as they are.
pub(super) fn python_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut written = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c == quote => written.extend(['\\', c]),
            c if c.is_control() => {
                // Writing into a string cannot fail.
                let _ = write!(written, "\\x{:02x}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written.push(quote);
    written
}

/// A value as Python's `repr` writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => python_text(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("'{key}': {}", python(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}
