//! `[dialect.privacyidea]`.

use std::collections::HashSet;
use std::time::Duration;

use keyway_http::{ErrorCodes, PrivacyideaSettings};
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::quantity::Span;
use super::source::Source;

/// A century: beyond it, dates stop being representable.
const CEILING: Duration = Duration::from_hours(100 * 365 * 24);

/// As typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPrivacyidea {
    backend: Option<Spanned<String>>,
    admin_backend: Option<Spanned<String>>,
    superuser_realms: Option<Vec<Spanned<String>>>,
    error_codes: Option<RawErrorCodes>,
    sign_responses: Option<bool>,
    audit_keep: Option<Spanned<Span>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawErrorCodes {
    Modern,
    Seed,
}

impl RawPrivacyidea {
    /// The backends that it names.
    pub(super) fn backends(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.backend.iter().chain(&self.admin_backend)
    }

    /// `backends` holds the names and aliases of all backends.
    pub(super) fn check(
        &self,
        backends: &HashSet<String>,
        source: &Source,
    ) -> Result<PrivacyideaSettings, ConfigError> {
        for backend in self.backends() {
            super::dialect::known(backend, backends, source)?;
        }
        let usual = PrivacyideaSettings::default();
        let name = |raw: &Option<Spanned<String>>, usual| raw.as_ref().map_or(usual, |raw| raw.get_ref().clone());
        let realms = self.superuser_realms.iter().flatten();
        Ok(PrivacyideaSettings {
            backend: name(&self.backend, usual.backend),
            admin_backend: name(&self.admin_backend, usual.admin_backend),
            superuser_realms: realms.map(|raw| realm(raw, source)).collect::<Result<_, _>>()?,
            error_codes: match self.error_codes {
                None => usual.error_codes,
                Some(RawErrorCodes::Modern) => ErrorCodes::Modern,
                Some(RawErrorCodes::Seed) => ErrorCodes::Seed,
            },
            sign_responses: self.sign_responses.unwrap_or(usual.sign_responses),
            audit_keep: match &self.audit_keep {
                None => usual.audit_keep,
                Some(raw) => keep(raw, source)?,
            },
        })
    }
}

/// A realm's name, in lower case as realms are.
fn realm(raw: &Spanned<String>, source: &Source) -> Result<String, ConfigError> {
    let name = raw.get_ref();
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || !name.bytes().all(legal) {
        let problem = format!(
            "`{}` is no name of a realm: those are of `A-Z`, `a-z`, `0-9`, `_`, `-` and `.`",
            name.escape_debug()
        );
        return Err(source.refuse(raw.span(), problem));
    }
    Ok(name.to_ascii_lowercase())
}

fn keep(raw: &Spanned<Span>, source: &Source) -> Result<Duration, ConfigError> {
    let span = raw.get_ref().0;
    if span < Duration::from_mins(1) {
        return Err(source.refuse(raw.span(), "must be at least `1m`"));
    }
    if span > CEILING {
        return Err(source.refuse(raw.span(), "must be at most `36500d`"));
    }
    Ok(span)
}
