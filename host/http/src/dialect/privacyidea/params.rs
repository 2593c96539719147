//! What a request says, wherever it says it: in the query, in the body, in the path.

use std::collections::BTreeMap;

use keyway_core::Secret;
use serde_json::Value;

use super::error::Failure;

/// How many parameters a request may have.
const MAX_PARAMS: usize = 1000;

/// Characters of a caller's own words that an answer repeats.
const MAX_REPEATED: usize = 64;

/// The parameters of a request, by name.
#[derive(Default)]
pub(super) struct Params(BTreeMap<String, Value>);

/// Why a request has no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParamsError {
    /// The body is to be JSON, and is none.
    #[error("the body is no JSON")]
    NoJson,
    /// The body is JSON, and no object.
    #[error("the body is no JSON object")]
    NoObject,
    /// The body is to be in several parts, and is not.
    #[error("the body is no multipart form")]
    NoMultipart,
    /// A text is no UTF-8.
    #[error("the body is no UTF-8")]
    NoText,
    /// There are too many.
    #[error("there are more than {MAX_PARAMS} parameters")]
    TooMany,
}

impl Params {
    /// One more, unless there is one of this name.
    pub(super) fn add(&mut self, name: String, value: Value) -> Result<(), ParamsError> {
        if !self.0.contains_key(&name) {
            self.put(name, value)?;
        }
        Ok(())
    }

    /// One more, in the place of the one of this name.
    pub(super) fn put(&mut self, name: String, value: Value) -> Result<(), ParamsError> {
        self.0.insert(name, value);
        if self.0.len() > MAX_PARAMS {
            return Err(ParamsError::TooMany);
        }
        Ok(())
    }

    /// All of them, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// As it came. Null is as good as nothing.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text, which may be empty.
    ///
    /// # Errors
    /// [`Failure::Parameter`] for anything else, and for a text with NUL in it, which PostgreSQL keeps in no text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => Err(wrong(name, "a text without NUL")),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// As [`Params::text`].
    pub(super) fn word(&self, name: &str) -> Result<Option<&str>, Failure> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// A text that must be there and not be empty.
    ///
    /// # Errors
    /// [`Failure::Parameter`].
    pub(super) fn needed(&self, name: &str) -> Result<&str, Failure> {
        self.word(name)?
            .ok_or_else(|| Failure::Parameter(format!("Missing parameter: `{name}`")))
    }

    /// A text, or a number as text: one-time passwords come both ways.
    ///
    /// # Errors
    /// [`Failure::Parameter`] for anything else.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Secret<Vec<u8>>>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str().into())),
            Some(Value::Number(number)) => Ok(Some(number.to_string().as_str().into())),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    /// A whole number, be it written as text; empty text is none.
    ///
    /// # Errors
    /// [`Failure::Parameter`] for anything else.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        let number = match self.value(name) {
            None => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_i64(),
        };
        number.map(Some).ok_or_else(|| wrong(name, "a whole number"))
    }

    /// Yes or no: a boolean, a number, or one of the usual words.
    ///
    /// # Errors
    /// [`Failure::Parameter`] for anything else.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        let flag = match self.value(name) {
            None => return Ok(None),
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::Number(number)) => number.as_i64().map(|number| number != 0),
            Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => Some(true),
                "" | "0" | "false" | "no" | "off" => Some(false),
                _ => None,
            },
            Some(_) => None,
        };
        flag.map(Some).ok_or_else(|| wrong(name, "`true` or `false`"))
    }

    /// Texts: a list of them, or one with commas in between. Blanks around each do not count, and empty ones are none.
    ///
    /// # Errors
    /// [`Failure::Parameter`] for anything else.
    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let trimmed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.split(',').filter_map(trimmed).collect())),
            Some(Value::Array(items)) => {
                let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
                let texts = texts.ok_or_else(|| wrong(name, "a list of texts"))?;
                Ok(Some(texts.into_iter().filter_map(trimmed).collect()))
            }
            Some(_) => Err(wrong(name, "a list of texts")),
        }
    }
}

/// A value that is of a wrong type.
fn wrong(name: &str, wanted: &str) -> Failure {
    let name: String = name.chars().take(MAX_REPEATED).collect();
    Failure::Parameter(format!("The parameter `{name}` is not {wanted}"))
}
