//! `[dialect.NAME]`: which backend a dialect logs in through, and what else is its own.

use std::collections::HashSet;

use http::{HeaderName, HeaderValue};
use keyway_http::{Cors, PrivacyideaSettings, WebitelSettings};
use serde::Deserialize;
use toml::Spanned;

use super::error::{ConfigError, Location};
use super::kazoo::{KazooConfig, RawKazoo};
use super::privacyidea::RawPrivacyidea;
use super::source::Source;
use super::tenant_ldap::{self, RawTenantLdap, TenantLdap};
use super::webitel::RawWebitel;

/// The backend of a dialect whose request names none.
const DEFAULT_BACKEND: &str = "wazo_user";

/// `[dialect]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDialects {
    wazo: RawWazo,
    kazoo: RawKazoo,
    privacyidea: RawPrivacyidea,
    webitel: RawWebitel,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawWazo {
    backend: Option<Spanned<String>>,
    xivo_uuid: Option<Spanned<String>>,
    cors: RawCors,
    ldap: RawTenantLdap,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCors {
    enabled: Option<bool>,
    allow_origins: Option<Vec<Spanned<String>>>,
    allow_headers: Option<Vec<Spanned<String>>>,
}

/// The dialects' settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DialectConfig {
    /// The backend of a wazo login that names none.
    pub(crate) wazo_backend: String,
    /// What wazo answers show as `xivo_uuid`.
    pub(crate) xivo_uuid: Option<String>,
    /// Which web pages may read wazo's answers.
    pub(crate) wazo_cors: Cors,
    /// privacyIDEA's.
    pub(crate) privacyidea: PrivacyideaSettings,
    /// Kazoo's.
    pub(crate) kazoo: KazooConfig,
    /// Webitel's.
    pub(crate) webitel: WebitelSettings,
}

/// Where the installation's id is on a machine of wazo's.
const XIVO_UUID: &str = "XIVO_UUID";

impl RawDialects {
    /// What serves the directories that tenants name themselves.
    pub(super) fn check_tenant_ldap(
        &self,
        backends: &HashSet<String>,
        source: &Source,
    ) -> Result<Option<TenantLdap>, ConfigError> {
        self.wazo.ldap.check(backends.contains(tenant_ldap::NAME), source)
    }

    /// `backends` holds the names and aliases of all backends.
    pub(super) fn check(&self, backends: &HashSet<String>, source: &Source) -> Result<DialectConfig, ConfigError> {
        if let Some(backend) = &self.wazo.backend {
            known(backend, backends, source)?;
        }
        let wazo_backend = self.wazo.backend.as_ref();
        Ok(DialectConfig {
            wazo_backend: wazo_backend.map_or_else(|| DEFAULT_BACKEND.to_owned(), |raw| raw.get_ref().clone()),
            xivo_uuid: xivo_uuid(self.wazo.xivo_uuid.as_ref(), super::variable(XIVO_UUID), source)?,
            wazo_cors: self.wazo.cors.check(Cors::default(), source)?,
            privacyidea: self.privacyidea.check(backends, source)?,
            kazoo: self.kazoo.check(backends, source)?,
            webitel: self.webitel.check(backends, source)?,
        })
    }
}

/// Refuses the name of a backend that is not configured.
pub(super) fn known(backend: &Spanned<String>, backends: &HashSet<String>, source: &Source) -> Result<(), ConfigError> {
    if backends.contains(backend.get_ref()) {
        return Ok(());
    }
    let problem = format!("no `[[backend]]` has the name or alias `{}`", backend.get_ref());
    Err(source.refuse(backend.span(), problem))
}

/// The configuration's value, else the environment's.
pub(super) fn xivo_uuid(
    raw: Option<&Spanned<String>>,
    variable: Option<String>,
    source: &Source,
) -> Result<Option<String>, ConfigError> {
    // A UUID as a rule, but installations have got by with other words.
    let is_word = |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let problem = |text: &str| format!("`{}` is no word of at most 64 ASCII characters", text.escape_debug());
    match (raw, variable.filter(|text| !text.is_empty())) {
        (Some(raw), _) if is_word(raw.get_ref()) => Ok(Some(raw.get_ref().clone())),
        (Some(raw), _) => Err(source.refuse(raw.span(), problem(raw.get_ref()))),
        (None, Some(text)) if !is_word(&text) => Err(ConfigError::Invalid {
            location: Location::Variable(XIVO_UUID.to_owned()),
            problem: problem(&text),
        }),
        (None, variable) => Ok(variable),
    }
}

impl RawCors {
    /// `usual` is what is not written.
    pub(super) fn check(&self, usual: Cors, source: &Source) -> Result<Cors, ConfigError> {
        let origins = match &self.allow_origins {
            None => usual.origins,
            Some(raw) if raw.iter().any(|raw| raw.get_ref() == "*") => Vec::new(),
            Some(raw) => raw.iter().map(|raw| origin(raw, source)).collect::<Result<_, _>>()?,
        };
        // Nobody named is nobody allowed; an empty list of origins would be all of them.
        let nobody = self.allow_origins.as_ref().is_some_and(Vec::is_empty);
        let headers = match &self.allow_headers {
            None => usual.headers,
            Some(raw) => raw.iter().map(|raw| header(raw, source)).collect::<Result<_, _>>()?,
        };
        Ok(Cors {
            enabled: self.enabled.unwrap_or(usual.enabled) && !nobody,
            origins,
            headers,
        })
    }
}

/// A scheme, a host and perhaps a port, as browsers write them.
fn origin(raw: &Spanned<String>, source: &Source) -> Result<HeaderValue, ConfigError> {
    let text = raw.get_ref();
    let refuse = || {
        let problem = format!("`{text}` is no origin; write `https://app.example.org`, or `*` for all");
        source.refuse(raw.span(), problem)
    };
    let uri: http::Uri = text.parse().map_err(|_| refuse())?;
    let is_bare = uri.scheme().is_some() && uri.authority().is_some() && matches!(uri.path(), "" | "/");
    if !is_bare || text.ends_with('/') || text.contains(char::is_uppercase) || uri.query().is_some() {
        return Err(refuse());
    }
    HeaderValue::from_str(text).map_err(|_| refuse())
}

fn header(raw: &Spanned<String>, source: &Source) -> Result<String, ConfigError> {
    let text = raw.get_ref();
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(_) => Ok(text.clone()),
        Err(_) => Err(source.refuse(raw.span(), format!("`{text}` is no name of a header"))),
    }
}
