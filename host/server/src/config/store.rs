//! `[store]`: where users, policies, sessions and tokens are kept.

use std::path::Path;

use keyway_core::Secret;
use keyway_store::StoreSettings;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::password::within;
use super::secret::RawSecret;
use super::source::Source;

/// `[store]` as typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    url: Option<Spanned<RawSecret>>,
    connections: Option<Spanned<u32>>,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreConfig {
    /// `sqlite:` and an absolute path, or a `postgres:` URL, which may hold a password.
    pub(crate) url: Secret<String>,
    /// Connections, queues, timeouts.
    pub(crate) settings: StoreSettings,
}

impl RawStore {
    pub(super) fn check(&self, data_dir: &Path, source: &Source) -> Result<StoreConfig, ConfigError> {
        let mut settings = StoreSettings::default();
        settings.connections = within(self.connections.as_ref(), 1..=10_000, source)?.unwrap_or(settings.connections);
        let url = match &self.url {
            Some(raw) => check_url(raw, source)?,
            None => sqlite_url(&data_dir.join("keyway.db")),
        };
        Ok(StoreConfig { url, settings })
    }
}

fn check_url(raw: &Spanned<RawSecret>, source: &Source) -> Result<Secret<String>, ConfigError> {
    let url = RawSecret::check(raw, source)?;
    let text = url.expose();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(url);
    }
    // The text itself stays out of the message: it may be a URL with a password and a typing error in front.
    let path = text.strip_prefix("sqlite:").ok_or_else(|| {
        source.refuse(
            raw.span(),
            "no such kind of store; write `sqlite:FILE` or `postgres://USER@HOST/DATABASE`",
        )
    })?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(':') || path.contains('?') {
        return Err(source.refuse(raw.span(), "name a file, `sqlite:var/keyway.db` for example"));
    }
    Ok(sqlite_url(&source.path(path)))
}

fn sqlite_url(file: &Path) -> Secret<String> {
    Secret::new(format!("sqlite:{}", file.display()))
}
