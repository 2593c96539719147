//! What is wrong with a body, in the shape that wazo's clients know: the reason is one string that lists the problems by field, as
//! Python writes a dictionary.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Why a body was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is no JSON.
    Malformed,
    /// It is JSON, and not what it should be. The text is the reason to answer.
    Invalid(String),
}

/// The body's fields. `null` and `[]` count as no fields.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        Ok(_) => Err(Problem::Invalid("{'_schema': ['Invalid input type.']}".to_owned())),
        Err(_) => Err(Problem::Malformed),
    }
}

/// Problems by field, in the order of their discovery. Nothing that a caller sent is repeated in them.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<(&'static str, String)>);

impl Problems {
    /// Not of this type.
    pub(super) fn kind(&mut self, field: &'static str, kind: &str) {
        self.constraint(field, "type", &format!("'{kind}'"), &format!("Not a valid {kind}."));
    }

    /// Null.
    pub(super) fn null(&mut self, field: &'static str) {
        self.constraint(field, "not_null", "'not_null'", "Field may not be null.");
    }

    /// Absent.
    pub(super) fn required(&mut self, field: &'static str) {
        self.constraint(field, "required", "'required'", "Missing data for required field.");
    }

    /// Too short or too long.
    pub(super) fn length(&mut self, field: &'static str, min: usize, max: usize) {
        let constraint = format!("{{'min': {min}, 'max': {max}}}");
        let message = format!("Length must be between {min} and {max}.");
        self.constraint(field, "length", &constraint, &message);
    }

    /// Too small or too large.
    pub(super) fn range(&mut self, field: &'static str, min: u64, max: u64) {
        let constraint = format!("{{'min': {min}, 'max': {max}}}");
        let message = format!("Must be greater than or equal to {min} and less than or equal to {max}.");
        self.constraint(field, "range", &constraint, &message);
    }

    /// None of these words.
    pub(super) fn choice(&mut self, field: &'static str, choices: &[&str]) {
        let quoted: Vec<_> = choices.iter().map(|choice| format!("'{choice}'")).collect();
        let constraint = format!("{{'choices': [{}]}}", quoted.join(", "));
        let message = format!("Must be one of: {}.", choices.join(", "));
        self.constraint(field, "enum", &constraint, &message);
    }

    /// Anything else; `text` holds no quotation marks.
    pub(super) fn remark(&mut self, field: &'static str, text: &str) {
        self.add(field, format!("'{text}'"));
    }

    fn constraint(&mut self, field: &'static str, id: &str, constraint: &str, message: &str) {
        self.add(
            field,
            format!("{{'constraint_id': '{id}', 'constraint': {constraint}, 'message': '{message}'}}"),
        );
    }

    /// One problem is enough for each field: a list of a thousand wrong items is one problem.
    fn add(&mut self, field: &'static str, problem: String) {
        if self.0.iter().all(|(known, _)| *known != field) {
            self.0.push((field, problem));
        }
    }

    /// # Errors
    /// [`Problem::Invalid`] if there is any.
    pub(super) fn none_or_fail(&self) -> Result<(), Problem> {
        let mut text = String::new();
        for (field, problem) in &self.0 {
            let separator = if text.is_empty() { "{" } else { ", " };
            // Writing into a string cannot fail.
            let _ = write!(text, "{separator}'{field}': [{problem}]");
        }
        if text.is_empty() {
            return Ok(());
        }
        text.push('}');
        Err(Problem::Invalid(text))
    }
}
