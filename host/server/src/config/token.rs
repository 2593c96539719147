//! `[token]`: how long tokens live, and how they are swept and cached.

use std::time::Duration;

use keyway_core::token::TokenSettings;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::quantity::Span;
use super::source::Source;

const DEFAULT_TTL: Duration = Duration::from_hours(2);
const MAX_TTL: Duration = Duration::from_hours(365 * 24);
/// A century: beyond it, dates stop being representable in some clients.
const CEILING: Duration = Duration::from_hours(100 * 365 * 24);

/// `[token]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawToken {
    default_ttl: Option<Spanned<Span>>,
    max_ttl: Option<Spanned<Span>>,
    sweep_interval: Option<Spanned<Span>>,
    sweep_batch: Option<Spanned<u32>>,
    cache: Option<Spanned<u32>>,
    refresh_ttl: Option<Spanned<Span>>,
}

impl RawToken {
    pub(super) fn check(&self, source: &Source) -> Result<TokenSettings, ConfigError> {
        let max_ttl = ttl(self.max_ttl.as_ref(), source)?.unwrap_or(MAX_TTL);
        let default_ttl = ttl(self.default_ttl.as_ref(), source)?;
        if let (Some(raw), Some(default_ttl)) = (&self.default_ttl, default_ttl)
            && default_ttl > max_ttl
        {
            return Err(source.refuse(raw.span(), "must not be longer than `token.max_ttl`"));
        }
        let count = |raw: &Option<Spanned<u32>>, default| match raw {
            Some(raw) if *raw.get_ref() == 0 => Err(source.refuse(raw.span(), "must be at least 1")),
            Some(raw) => Ok(*raw.get_ref()),
            None => Ok(default),
        };
        let sweep_interval = match &self.sweep_interval {
            Some(raw) => raw.get_ref().0,
            None => Duration::from_mins(1),
        };
        Ok(TokenSettings {
            default_ttl: default_ttl.unwrap_or(DEFAULT_TTL.min(max_ttl)),
            max_ttl,
            sweep_interval,
            sweep_batch: count(&self.sweep_batch, 5_000)?,
            cache_capacity: usize::try_from(count(&self.cache, 131_072)?).unwrap_or(usize::MAX),
            default_user_policy: None,
            refresh_ttl: ttl(self.refresh_ttl.as_ref(), source)?,
            // What `[directory]` says.
            max_sessions: 0,
            admin_status: None,
        })
    }
}

fn ttl(raw: Option<&Spanned<Span>>, source: &Source) -> Result<Option<Duration>, ConfigError> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    let span = raw.get_ref().0;
    if span < Duration::from_secs(1) {
        return Err(source.refuse(raw.span(), "must be at least `1s`"));
    }
    if span > CEILING {
        return Err(source.refuse(raw.span(), "must be at most `36500d`"));
    }
    Ok(Some(span))
}
