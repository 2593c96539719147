//! The token itself.

use std::fmt;

use uuid::Uuid;

use crate::Secret;

/// The token that a caller holds: a version 4 UUID. Shown once, never stored.
#[derive(Clone)]
pub struct TokenValue(Secret<[u8; 16]>);

impl TokenValue {
    /// Wraps a fresh UUID.
    pub fn new(uuid: Uuid) -> Self {
        Self(Secret::new(uuid.into_bytes()))
    }

    /// Parses the hyphenated form, in either case; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return None;
        }
        Uuid::try_parse(text).ok().map(Self::new)
    }

    /// The bytes, for hashing.
    pub(crate) fn bytes(&self) -> &[u8; 16] {
        self.0.expose()
    }

    /// The hyphenated lower-case form, for the one answer that shows it.
    pub fn reveal(&self) -> String {
        Uuid::from_bytes(*self.0.expose()).hyphenated().to_string()
    }
}

impl fmt::Debug for TokenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}
