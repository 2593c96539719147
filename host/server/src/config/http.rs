//! `[http]`: the limits that stand before every listener.

use std::time::Duration;

use ipnet::IpNet;
use keyway_http::edge::EdgeSettings;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::password::within;
use super::quantity::{Size, Span};
use super::source::Source;

/// `[http]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHttp {
    trusted_proxies: Vec<Spanned<String>>,
    body_limit: Option<Spanned<Size>>,
    max_buffered: Option<Spanned<Size>>,
    header_limit: Option<Spanned<Size>>,
    max_connections: Option<Spanned<u32>>,
    max_streams: Option<Spanned<u32>>,
    handshake_timeout: Option<Spanned<Span>>,
    header_timeout: Option<Spanned<Span>>,
    body_timeout: Option<Spanned<Span>>,
    request_timeout: Option<Spanned<Span>>,
    idle_timeout: Option<Spanned<Span>>,
    shutdown_grace: Option<Spanned<Span>>,
}

impl RawHttp {
    pub(super) fn check(&self, source: &Source) -> Result<EdgeSettings, ConfigError> {
        let usual = EdgeSettings::default();
        let trusted_proxies = self.trusted_proxies.iter().map(|raw| parse_network(raw, source));
        let time = |raw: &Option<Spanned<Span>>, usual| positive_time(raw.as_ref(), usual, source);
        let size = |raw: &Option<Spanned<Size>>, usual| positive_size(raw.as_ref(), usual, source);
        let many = |raw: &Option<Spanned<u32>>, usual| {
            let found = within(raw.as_ref(), 1..=10_000_000, source)?;
            Ok::<usize, ConfigError>(found.and_then(|n| usize::try_from(n).ok()).unwrap_or(usual))
        };
        let (max_body, max_buffered) = self.memory(source)?;
        Ok(EdgeSettings {
            trusted_proxies: trusted_proxies.collect::<Result<_, _>>()?,
            max_body,
            max_buffered,
            max_head: size(&self.header_limit, usual.max_head)?,
            max_connections: many(&self.max_connections, usual.max_connections)?,
            max_streams: within(self.max_streams.as_ref(), 1..=100_000, source)?.unwrap_or(usual.max_streams),
            handshake_timeout: time(&self.handshake_timeout, usual.handshake_timeout)?,
            head_timeout: time(&self.header_timeout, usual.head_timeout)?,
            body_timeout: time(&self.body_timeout, usual.body_timeout)?,
            request_timeout: time(&self.request_timeout, usual.request_timeout)?,
            idle_timeout: time(&self.idle_timeout, usual.idle_timeout)?,
            shutdown_grace: match &self.shutdown_grace {
                Some(raw) => raw.get_ref().0,
                None => usual.shutdown_grace,
            },
        })
    }
}

impl RawHttp {
    /// The largest body, and what all requests may hold together, into which it must fit.
    fn memory(&self, source: &Source) -> Result<(usize, usize), ConfigError> {
        let usual = EdgeSettings::default();
        let body = positive_size(self.body_limit.as_ref(), usual.max_body, source)?;
        let buffered = positive_size(self.max_buffered.as_ref(), usual.max_buffered, source)?;
        match (&self.max_buffered, &self.body_limit) {
            _ if body <= buffered => Ok((body, buffered)),
            (None, Some(raw)) => {
                let rule = "must be at most `http.max_buffered`; raise that as well";
                Err(source.refuse(raw.span(), rule))
            }
            (raw, _) => {
                let span = raw.as_ref().map_or(0..0, Spanned::span);
                Err(source.refuse(span, "must be at least `http.body_limit`"))
            }
        }
    }
}

fn parse_network(raw: &Spanned<String>, source: &Source) -> Result<IpNet, ConfigError> {
    let text = raw.get_ref();
    let address = || text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
    text.parse().or_else(|_| address()).map_err(|_| {
        let problem = format!("`{text}` is no network; write `10.0.0.0/8` or `192.0.2.7`");
        source.refuse(raw.span(), problem)
    })
}

/// The span of time, which must not be zero.
pub(super) fn positive_time(
    raw: Option<&Spanned<Span>>,
    usual: Duration,
    source: &Source,
) -> Result<Duration, ConfigError> {
    match raw {
        Some(raw) if raw.get_ref().0.is_zero() => Err(source.refuse(raw.span(), "must not be zero")),
        Some(raw) => Ok(raw.get_ref().0),
        None => Ok(usual),
    }
}

/// The size, which must not be zero.
pub(super) fn positive_size(raw: Option<&Spanned<Size>>, usual: usize, source: &Source) -> Result<usize, ConfigError> {
    let Some(raw) = raw else {
        return Ok(usual);
    };
    match usize::try_from(raw.get_ref().0) {
        Ok(0) => Err(source.refuse(raw.span(), "must not be zero")),
        Ok(size) => Ok(size),
        Err(_) => Err(source.refuse(raw.span(), "is too large for this machine")),
    }
}
