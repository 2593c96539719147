//! Secrets of the configuration: written in place, or better in a file.

use std::path::Path;

use keyway_core::Secret;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::source::Source;

/// `{ file = "..." }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecretFile {
    file: Spanned<String>,
}

/// `"..."` or `{ file = "..." }`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text, or `{ file = \"...\" }`")]
pub(super) enum RawSecret {
    Text(String),
    File(FileTable),
}

/// [`RawSecretFile`] without a span: an untagged choice loses it, and the whole value's span leads to the same line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileTable {
    file: String,
}

impl RawSecretFile {
    /// Reads the file. One line break at its end is no part of the secret.
    pub(super) fn check(&self, source: &Source) -> Result<Secret<Vec<u8>>, ConfigError> {
        read(&source.file(self.file.get_ref())).map_err(|problem| source.refuse(self.file.span(), problem))
    }
}

impl RawSecret {
    /// The text itself, or the file's content.
    pub(super) fn check(raw: &Spanned<Self>, source: &Source) -> Result<Secret<String>, ConfigError> {
        let refuse = |problem: &str| source.refuse(raw.span(), problem);
        match raw.get_ref() {
            Self::Text(text) => Ok(Secret::new(text.clone())),
            Self::File(table) => {
                let bytes = read(&source.file(&table.file)).map_err(|problem| refuse(&problem))?;
                let text = std::str::from_utf8(bytes.expose()).map_err(|_| refuse("the file is not UTF-8 text"))?;
                Ok(Secret::new(text.to_owned()))
            }
        }
    }
}

/// The content of a secret's file without one line break at its end.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Secret<Vec<u8>>, String> {
    let mut bytes =
        std::fs::read(path).map_err(|error| format!("cannot read the secret's file `{}`: {error}", path.display()))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err(format!("the secret's file `{}` is empty", path.display()));
    }
    Ok(Secret::new(bytes))
}
