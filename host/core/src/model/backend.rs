//! The name of a backend.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name under which callers ask for a backend: 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_`, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackendName(Arc<str>);

/// The text is no backend name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a backend name is 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_`, `-` and `.`")]
pub struct InvalidBackendName;

impl BackendName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`InvalidBackendName`] for an empty or too long text, or one with another character.
    pub fn parse(text: &str) -> Result<Self, InvalidBackendName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || text.len() > 64 || !text.chars().all(legal) || text.starts_with('.') {
            return Err(InvalidBackendName);
        }
        Ok(Self(text.into()))
    }

    /// The name that stands where the host itself let somebody in, and no backend.
    pub fn host() -> Self {
        Self("keyway".into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BackendName {
    type Error = InvalidBackendName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<BackendName> for String {
    fn from(name: BackendName) -> Self {
        name.0.as_ref().to_owned()
    }
}
