//! `[dialect.kazoo]`.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

use keyway_http::{BucketSettings, Impersonation, KazooSettings};
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
pub(super) struct RawKazoo {
    backend: Option<Spanned<String>>,
    token_ttl: Option<Spanned<Span>>,
    ui_urls: Option<Vec<Spanned<String>>>,
    recovery_lifetime: Option<Spanned<Span>>,
    disclose_unknown: Option<bool>,
    impersonation: Option<RawImpersonation>,
    attempts_keep: Option<Spanned<Span>>,
    bucket: RawBucket,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawImpersonation {
    Descendants,
    Master,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawBucket {
    size: Option<NonZeroU32>,
    refill: Option<NonZeroU32>,
    login_cost: Option<Spanned<NonZeroU32>>,
}

/// Kazoo's part of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KazooConfig {
    /// The dialect's own.
    pub(crate) settings: KazooSettings,
    /// How long attempts to log in are kept.
    pub(crate) attempts_keep: Duration,
}

impl RawKazoo {
    /// `backends` holds the names and aliases of all backends.
    pub(super) fn check(&self, backends: &HashSet<String>, source: &Source) -> Result<KazooConfig, ConfigError> {
        if let Some(backend) = &self.backend {
            super::dialect::known(backend, backends, source)?;
        }
        let usual = KazooSettings::default();
        let span = |raw: &Option<Spanned<Span>>, usual, least: Span| match raw {
            None => Ok(usual),
            Some(raw) => check_span(raw, least, source),
        };
        let (second, minute) = (Span(Duration::from_secs(1)), Span(Duration::from_mins(1)));
        let urls = self.ui_urls.iter().flatten();
        let settings = KazooSettings {
            backend: self.backend.as_ref().map_or(usual.backend, |raw| raw.get_ref().clone()),
            token_ttl: span(&self.token_ttl, usual.token_ttl, second)?,
            ui_urls: urls.map(|raw| ui_url(raw, source)).collect::<Result<_, _>>()?,
            recovery_lifetime: span(&self.recovery_lifetime, usual.recovery_lifetime, second)?,
            disclose_unknown: self.disclose_unknown.unwrap_or(usual.disclose_unknown),
            impersonation: match self.impersonation {
                None => usual.impersonation,
                Some(RawImpersonation::Descendants) => Impersonation::Descendants,
                Some(RawImpersonation::Master) => Impersonation::Master,
            },
            bucket: self.bucket.check(source)?,
        };
        Ok(KazooConfig {
            settings,
            attempts_keep: span(&self.attempts_keep, Duration::from_hours(90 * 24), minute)?,
        })
    }
}

impl RawBucket {
    fn check(&self, source: &Source) -> Result<BucketSettings, ConfigError> {
        let usual = BucketSettings::default();
        let size = self.size.unwrap_or(usual.size);
        let login_cost = match &self.login_cost {
            None => usual.login_cost.min(size),
            Some(raw) if *raw.get_ref() > size => {
                let problem = format!("an attempt cannot cost more than the {size} of a full bucket");
                return Err(source.refuse(raw.span(), problem));
            }
            Some(raw) => *raw.get_ref(),
        };
        Ok(BucketSettings {
            size,
            refill: self.refill.unwrap_or(usual.refill),
            login_cost,
        })
    }
}

/// Where a link may lead: what it begins with, without anything that could be read in two ways.
fn ui_url(raw: &Spanned<String>, source: &Source) -> Result<String, ConfigError> {
    let text = raw.get_ref();
    let refuse = || {
        let problem = format!(
            "`{}` is no address of a page; write `https://app.example.org` or `https://app.example.org/ui/`",
            text.escape_debug()
        );
        source.refuse(raw.span(), problem)
    };
    let uri: http::Uri = text.parse().map_err(|_| refuse())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_plain = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    if !is_web || !is_plain || uri.query().is_some() || text.contains(['#', '\\']) {
        return Err(refuse());
    }
    Ok(text.clone())
}

fn check_span(raw: &Spanned<Span>, least: Span, source: &Source) -> Result<Duration, ConfigError> {
    let span = raw.get_ref().0;
    if span < least.0 {
        let problem = format!("must be at least `{}s`", least.0.as_secs());
        return Err(source.refuse(raw.span(), problem));
    }
    if span > CEILING {
        return Err(source.refuse(raw.span(), "must be at most `36500d`"));
    }
    Ok(span)
}
