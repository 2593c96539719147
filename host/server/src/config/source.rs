//! The text of a configuration, and where each key of it was written.
//!
//! A span is a range of bytes in the file. A value that came from the environment gets an empty span beyond the end of the text, one for
//! each variable, so that one number leads from any error to the line or the variable at fault.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Location};
use super::{RawConfig, environment};

/// A configuration as it was written.
#[derive(Debug)]
pub(crate) struct Source {
    file: PathBuf,
    text: String,
    variables: Vec<String>,
    /// The spans of all keys and values with their dotted key, parents first.
    spots: Vec<(Range<usize>, String)>,
    /// What [`Source::file`] was asked for.
    files: RefCell<Vec<PathBuf>>,
}

impl Source {
    /// Takes in the text of `file` and the environment's `KEYWAY__...` variables, which win over the file.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for text that is not TOML, unknown keys, absent keys and values of a wrong type.
    pub(super) fn parse(
        file: &Path,
        text: &str,
        environment: &[(String, String)],
    ) -> Result<(Self, RawConfig), ConfigError> {
        let mut source = Self {
            file: file.to_owned(),
            text: text.to_owned(),
            variables: environment.iter().map(|(name, _)| name.clone()).collect(),
            spots: Vec::new(),
            files: RefCell::default(),
        };
        let parsed = DeTable::parse(text).map_err(|error| source.syntax_error(&error))?;
        let span = parsed.span();
        let mut table = parsed.into_inner();
        for (index, (name, value)) in environment.iter().enumerate() {
            environment::overlay(&mut table, name, value, source.variable_span(index)).map_err(|problem| {
                ConfigError::Invalid {
                    location: Location::Variable(name.clone()),
                    problem,
                }
            })?;
        }
        collect_table(&mut source.spots, "", &table);
        let raw = serde::Deserialize::deserialize(toml::de::Deserializer::from(Spanned::new(span, table)))
            .map_err(|error| source.type_error(&error))?;
        Ok((source, raw))
    }

    /// The error for the value at `span`: names its key, and where it was written. `problem` continues the sentence.
    pub(crate) fn refuse(&self, span: Range<usize>, problem: impl AsRef<str>) -> ConfigError {
        let problem = problem.as_ref();
        ConfigError::Invalid {
            problem: match self.key_at(&span) {
                Some(key) => format!("`{key}`: {problem}"),
                None => problem.to_owned(),
            },
            location: self.locate(&span),
        }
    }

    /// A path in the configuration, relative to the file's folder.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        self.folder().join(written)
    }

    /// The same for a file that is read now, and by every reload.
    pub(crate) fn file(&self, written: &str) -> PathBuf {
        let path = self.path(written);
        self.files.borrow_mut().push(path.clone());
        path
    }

    /// All files that are read besides the configuration itself.
    pub(super) fn into_files(self) -> Vec<PathBuf> {
        self.files.into_inner()
    }

    /// The folder of the configuration file.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    fn locate(&self, span: &Range<usize>) -> Location {
        if let Some(name) = span
            .start
            .checked_sub(self.text.len() + 1)
            .and_then(|index| self.variables.get(index))
        {
            return Location::Variable(name.clone());
        }
        let before = self.text.as_bytes().iter().take(span.start);
        Location::Line {
            file: self.file.clone(),
            line: before.filter(|byte| **byte == b'\n').count() + 1,
        }
    }

    fn variable_span(&self, index: usize) -> Range<usize> {
        let at = self.text.len() + 1 + index;
        at..at
    }

    /// The deepest key whose name or value stands at `span`, else the deepest one that encloses it.
    fn key_at(&self, span: &Range<usize>) -> Option<&str> {
        let exact = self.spots.iter().rev().find(|(spot, _)| spot == span);
        let enclosing = || {
            let around = |spot: &Range<usize>| spot.start <= span.start && span.end <= spot.end;
            self.spots.iter().rev().find(|(spot, _)| around(spot))
        };
        exact.or_else(enclosing).map(|(_, key)| key.as_str())
    }

    fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        ConfigError::Invalid {
            location: self.locate(&error.span().unwrap_or(0..0)),
            problem: error.message().trim_end().replace('\n', ", "),
        }
    }

    fn type_error(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().trim_end();
        let key = self.key_at(&span);
        if let Some(known) = message.strip_prefix("unknown field ") {
            let known = known.split_once(", ").map_or("", |(_, known)| known);
            let known = known
                .trim_start_matches("expected one of ")
                .trim_start_matches("expected ");
            let key = key.unwrap_or_default();
            return ConfigError::Invalid {
                problem: format!(
                    "unknown key `{key}`; the keys here are {}",
                    known.replace("` or `", "`, `")
                ),
                location: self.locate(&span),
            };
        }
        if let Some(field) = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.strip_suffix('`'))
        {
            let table = key.map(|key| format!("{key}.")).unwrap_or_default();
            return ConfigError::Invalid {
                problem: format!("missing key `{table}{field}`"),
                location: self.locate(&span),
            };
        }
        // The library names the Rust type that it expected, which says nothing to an operator.
        let message = match message.split_once("expected struct ") {
            Some((found, _)) => format!("{found}expected a table"),
            None => message.replace("unknown variant", "unknown value"),
        };
        let message = match &key {
            Some(key) if may_be_secret(key) => without_value(&message),
            _ => message,
        };
        self.refuse(span, message)
    }
}

/// Whether a value of this key may be a secret, or have been meant as one.
fn may_be_secret(key: &str) -> bool {
    key.split('.').any(|part| {
        matches!(
            part,
            "secrets" | "config" | "store" | "keys" | "mail" | "events" | "bootstrap_user"
        )
    })
}

/// A type error without the value that was found: `invalid type: string "x", expected ...` becomes `invalid type, expected ...`.
fn without_value(message: &str) -> String {
    let (kind, expected) = (message.split_once(": "), message.rfind(", expected"));
    match (kind, expected.and_then(|at| message.get(at..))) {
        (Some((kind, _)), Some(expected)) => format!("{kind}{expected}"),
        (Some((kind, _)), None) => kind.to_owned(),
        (None, _) => message.to_owned(),
    }
}

fn collect_table(spots: &mut Vec<(Range<usize>, String)>, prefix: &str, table: &DeTable<'_>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        spots.push((name.span(), key.clone()));
        collect_value(spots, &key, value);
    }
}

fn collect_value(spots: &mut Vec<(Range<usize>, String)>, key: &str, value: &Spanned<DeValue<'_>>) {
    spots.push((value.span(), key.to_owned()));
    match value.get_ref() {
        DeValue::Table(table) => collect_table(spots, key, table),
        DeValue::Array(items) => {
            for item in items {
                collect_value(spots, key, item);
            }
        }
        _ => {}
    }
}
