//! Plugins and their generations, as an operator sees them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BackendName, Timestamp};

/// SHA-256 over a plugin file, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginDigest(pub [u8; 32]);

/// The text is no plugin digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a plugin digest is `sha256:` and 64 hexadecimal digits")]
pub struct InvalidPluginDigest;

impl PluginDigest {
    /// Stands where the host itself let somebody in, and no plugin.
    pub const NONE: Self = Self([0; 32]);

    /// Parses `sha256:` and 64 hexadecimal digits; the prefix may be left out.
    ///
    /// # Errors
    /// [`InvalidPluginDigest`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidPluginDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.strip_prefix("sha256:").unwrap_or(text), &mut bytes)
            .map_err(|_| InvalidPluginDigest)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for PluginDigest {
    type Error = InvalidPluginDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PluginDigest> for String {
    fn from(digest: PluginDigest) -> Self {
        digest.to_string()
    }
}

/// Which code gave an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStamp {
    /// The plugin file.
    pub digest: PluginDigest,
    /// The loaded version of the backend, counted from 1. The count goes on over restarts, and one that changes nothing adds none.
    pub generation: u64,
}

/// How a backend stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginState {
    /// It serves what the operator asked for.
    Serving,
    /// It serves an older generation than the operator asked for, nothing at all, or its health check reports a fault.
    Degraded,
    /// The newest plugin file misbehaved or was rolled back, and is not loaded again by itself.
    Quarantined,
}

/// One row of `keyway plugin list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginStatus {
    /// The backend.
    pub backend: BackendName,
    /// The plugin's own name, or the file stem while nothing is loaded.
    pub plugin: String,
    /// The serving plugin's version, `None` while nothing serves.
    pub version: Option<String>,
    /// The serving plugin's digest, `None` while nothing serves.
    pub digest: Option<PluginDigest>,
    /// The serving generation; 0 while nothing serves.
    pub generation: u64,
    /// How the backend stands.
    pub state: PluginState,
    /// Why it is not `serving`.
    pub reason: Option<String>,
}

/// One row of `keyway plugin history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The generation.
    pub generation: u64,
    /// The plugin file.
    pub digest: PluginDigest,
    /// Its version.
    pub version: String,
    /// When it went live.
    pub since: Timestamp,
    /// Why it is where it is: `installed`, `rolled back by an operator`, `quarantined: ...`.
    pub remark: String,
    /// Whether it is the one that serves.
    pub live: bool,
}
