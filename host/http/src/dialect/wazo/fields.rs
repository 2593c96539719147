//! The fields of a body, taken one by one; what is left over is ignored.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::Failure;
use super::validation::{Problems, object};
use crate::edge::{Payload, PayloadError};

/// The fields of a body, and what is wrong with them.
pub(super) struct Fields {
    values: Map<String, Value>,
    pub(super) problems: Problems,
}

impl Fields {
    /// # Errors
    /// 400 for what is no JSON object; the body's own.
    pub(super) fn parse(payload: Result<Payload, PayloadError>) -> Result<Self, Failure> {
        Ok(Self {
            values: object(&payload?)?,
            problems: Problems::default(),
        })
    }

    /// The fields of an item of a list.
    ///
    /// # Errors
    /// 400 about `resource` for what is no JSON object.
    pub(super) fn of(item: Value, resource: &'static str) -> Result<Self, Failure> {
        let mut problems = Problems::default();
        if let Value::Object(values) = item {
            return Ok(Self { values, problems });
        }
        problems.remark("_schema", "Invalid input type.");
        Err(super::wire::ApiError::invalid(resource, &problems).into())
    }

    /// Takes a field: the outer `None` if it is absent, the inner if it is null.
    #[expect(clippy::option_option, reason = "absent and null are two things to most routes")]
    pub(super) fn take(&mut self, field: &str) -> Option<Option<Value>> {
        let value = self.values.remove(field)?;
        Some((!value.is_null()).then_some(value))
    }

    /// Whether the body has this field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.values.contains_key(field)
    }

    /// A text of so many characters; `None` if it is absent. Null is a problem.
    pub(super) fn text(&mut self, field: &'static str, length: RangeInclusive<usize>) -> Option<String> {
        let Some(value) = self.take(field)? else {
            self.problems.null(field);
            return None;
        };
        self.text_of(field, value, length)
    }

    /// A text that must be there; an empty one, with a problem noted, if it is not.
    pub(super) fn required_text(&mut self, field: &'static str, length: RangeInclusive<usize>) -> String {
        if !self.has(field) {
            self.problems.required(field);
        }
        self.text(field, length).unwrap_or_default()
    }

    /// A text, null or nothing.
    pub(super) fn nullable_text(&mut self, field: &'static str, length: RangeInclusive<usize>) -> Option<String> {
        let value = self.take(field)??;
        self.text_of(field, value, length)
    }

    fn text_of(&mut self, field: &'static str, value: Value, length: RangeInclusive<usize>) -> Option<String> {
        let Value::String(text) = value else {
            self.problems.kind(field, "string");
            return None;
        };
        // Characters are counted no further than matters.
        if length.contains(&text.chars().take(length.end().saturating_add(1)).count()) {
            return Some(text);
        }
        self.problems.length(field, *length.start(), *length.end());
        None
    }

    /// A boolean; `None` if it is absent. Null is a problem.
    pub(super) fn boolean(&mut self, field: &'static str) -> Option<bool> {
        match self.take(field)? {
            Some(Value::Bool(value)) => return Some(value),
            Some(_) => self.problems.kind(field, "boolean"),
            None => self.problems.null(field),
        }
        None
    }

    /// A boolean; `None` if it is absent or null.
    pub(super) fn nullable_boolean(&mut self, field: &'static str) -> Option<bool> {
        match self.take(field)?? {
            Value::Bool(value) => return Some(value),
            _ => self.problems.kind(field, "boolean"),
        }
        None
    }

    /// A UUID; `None` if it is absent or null.
    pub(super) fn uuid(&mut self, field: &'static str) -> Option<Uuid> {
        let value = self.take(field)??;
        let uuid = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        if uuid.is_none() {
            self.problems.kind(field, "UUID");
        }
        uuid
    }

    /// One of these words; `None` if it is absent. Null is a problem.
    pub(super) fn choice<T: Copy>(&mut self, field: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        match self.take(field)? {
            Some(Value::String(text)) => {
                if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
                    return Some(*choice);
                }
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                self.problems.choice(field, &names);
            }
            Some(_) => self.problems.kind(field, "string"),
            None => self.problems.null(field),
        }
        None
    }

    /// As [`Fields::choice`]; `None` if it is absent or null.
    pub(super) fn nullable_choice<T: Copy>(&mut self, field: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        if self.values.get(field).is_some_and(Value::is_null) {
            return None;
        }
        self.choice(field, choices)
    }

    /// A whole number, as the original reads one: also of a text, and what a fraction begins with. `None` if it is absent. Null is a problem.
    pub(super) fn integer(&mut self, field: &'static str) -> Option<i64> {
        let Some(value) = self.take(field)? else {
            self.problems.null(field);
            return None;
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what no `i64` holds becomes the one that is nearest"
        )]
        let number = match &value {
            Value::Number(number) => number.as_i64().or(number.as_f64().map(|fraction| fraction as i64)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.problems.kind(field, "integer");
        }
        number
    }

    /// A list of texts, at most `longest` of them with at most 1024 characters each; `None` if it is absent. Null is a problem.
    pub(super) fn texts(&mut self, field: &'static str, longest: usize) -> Option<Vec<String>> {
        let items = match self.take(field)? {
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.problems.kind(field, "list");
                return None;
            }
            None => {
                self.problems.null(field);
                return None;
            }
        };
        if items.len() > longest {
            self.problems.length(field, 0, longest);
            return None;
        }
        items
            .into_iter()
            .map(|item| self.text_of(field, item, 0..=1024))
            .collect()
    }

    /// # Errors
    /// 400 in the token service's shape, if there is any problem.
    pub(super) fn finish_service(self) -> Result<(), Failure> {
        Ok(self.problems.none_or_fail()?)
    }

    /// # Errors
    /// 400 in the shape that most of the API has, if there is any problem.
    pub(super) fn finish(self, resource: &'static str) -> Result<(), Failure> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(super::wire::ApiError::invalid(resource, &self.problems).into())
        }
    }
}
