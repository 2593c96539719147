//! `[store]`: where users, policies, sessions and tokens are kept.

use std::path::Path;

use keyway_core::Secret;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::secret::RawSecret;
use super::source::Source;

/// `[store]` as typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    url: Option<Spanned<RawSecret>>,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreConfig {
    /// `sqlite:` and an absolute path, or a `postgres:` URL, which may hold a password.
    pub(crate) url: Secret<String>,
}

impl RawStore {
    pub(super) fn check(&self, data_dir: &Path, source: &Source) -> Result<StoreConfig, ConfigError> {
        let Some(raw) = &self.url else {
            return Ok(StoreConfig {
                url: Secret::new(sqlite_url(&data_dir.join("keyway.db"))),
            });
        };
        let url = RawSecret::check(raw, source)?;
        let text = url.expose();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(StoreConfig { url });
        }
        match text.strip_prefix("sqlite:") {
            Some(path) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() || path.starts_with(':') || path.contains('?') {
                    return Err(source.refuse(raw.span(), "name a file, `sqlite:var/keyway.db` for example"));
                }
                Ok(StoreConfig {
                    url: Secret::new(sqlite_url(&source.path(path))),
                })
            }
            // The text itself stays out of the message: it may be a URL with a password and a typing error in front.
            None => Err(source.refuse(
                raw.span(),
                "no such kind of store; write `sqlite:FILE` or `postgres://USER@HOST/DATABASE`",
            )),
        }
    }
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}
