//! `[dialect.webitel]`.

use std::collections::HashSet;
use std::time::Duration;

use keyway_http::{CdrSettings, UnknownUser, WebitelSettings};
use serde::Deserialize;
use toml::Spanned;

use super::dialect::RawCors;
use super::error::ConfigError;
use super::quantity::Span;
use super::source::Source;

/// A century: beyond it, dates stop being representable.
const CEILING: Duration = Duration::from_hours(100 * 365 * 24);

/// As typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWebitel {
    backend: Option<Spanned<String>>,
    token_ttl: Option<Spanned<Span>>,
    unknown_user: Option<RawUnknownUser>,
    cdr: RawCdr,
    cors: RawCors,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawUnknownUser {
    Unauthorized,
    NotFound,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawCdr {
    host: Option<String>,
    use_proxy: Option<bool>,
}

impl RawWebitel {
    /// `backends` holds the names and aliases of all backends.
    pub(super) fn check(&self, backends: &HashSet<String>, source: &Source) -> Result<WebitelSettings, ConfigError> {
        let usual = WebitelSettings::default();
        Ok(WebitelSettings {
            backend: match &self.backend {
                None => usual.backend,
                Some(raw) => {
                    super::dialect::known(raw, backends, source)?;
                    raw.get_ref().clone()
                }
            },
            token_ttl: match &self.token_ttl {
                None => usual.token_ttl,
                Some(raw) => life(raw, source)?,
            },
            unknown_user: match self.unknown_user {
                None => usual.unknown_user,
                Some(RawUnknownUser::Unauthorized) => UnknownUser::Unauthorized,
                Some(RawUnknownUser::NotFound) => UnknownUser::NotFound,
            },
            cdr: CdrSettings {
                host: self.cdr.host.clone().unwrap_or(usual.cdr.host),
                use_proxy: self.cdr.use_proxy.unwrap_or(usual.cdr.use_proxy),
            },
            cors: self.cors.check(usual.cors, source)?,
        })
    }
}

fn life(raw: &Spanned<Span>, source: &Source) -> Result<Duration, ConfigError> {
    let span = raw.get_ref().0;
    if span < Duration::from_secs(1) {
        return Err(source.refuse(raw.span(), "must be at least `1s`"));
    }
    if span > CEILING {
        return Err(source.refuse(raw.span(), "must be at most `36500d`"));
    }
    Ok(span)
}
