//! `[dialect.NAME]`: which backend a dialect logs in through, and what else is its own.

use std::collections::HashSet;

use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::source::Source;

/// The backend of a dialect whose request names none.
const DEFAULT_BACKEND: &str = "wazo_user";

/// `[dialect]` as typed. Dialects that this version does not serve are configurable, so that a configuration need not be cut down for it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDialects {
    wazo: RawWazo,
    kazoo: RawPlanned,
    privacyidea: RawPlanned,
    webitel: RawPlanned,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawWazo {
    backend: Option<Spanned<String>>,
    xivo_uuid: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawPlanned {
    backend: Option<Spanned<String>>,
}

/// The dialects' settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DialectConfig {
    /// The backend of a wazo login that names none.
    pub(crate) wazo_backend: String,
    /// What wazo answers show as `xivo_uuid`.
    pub(crate) xivo_uuid: Option<String>,
}

impl RawDialects {
    /// `backends` holds the names and aliases of all backends.
    pub(super) fn check(&self, backends: &HashSet<String>, source: &Source) -> Result<DialectConfig, ConfigError> {
        let written = [
            &self.wazo.backend,
            &self.kazoo.backend,
            &self.privacyidea.backend,
            &self.webitel.backend,
        ];
        for backend in written.into_iter().flatten() {
            if !backends.contains(backend.get_ref()) {
                let problem = format!("no `[[backend]]` has the name or alias `{}`", backend.get_ref());
                return Err(source.refuse(backend.span(), problem));
            }
        }
        let xivo_uuid = match &self.wazo.xivo_uuid {
            Some(raw) if uuid::Uuid::parse_str(raw.get_ref()).is_err() => {
                return Err(source.refuse(raw.span(), format!("`{}` is no UUID", raw.get_ref())));
            }
            raw => raw.as_ref().map(|raw| raw.get_ref().clone()),
        };
        let wazo_backend = self.wazo.backend.as_ref();
        Ok(DialectConfig {
            wazo_backend: wazo_backend.map_or_else(|| DEFAULT_BACKEND.to_owned(), |raw| raw.get_ref().clone()),
            xivo_uuid,
        })
    }
}
