//! `[backend.grants.net.<name>]`: an endpoint that a plugin may talk to by its name.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use keyway_runtime::{AddressPolicy, Balance, EndpointSpec, Protection, Server, TlsSpec};
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::http::positive_time;
use super::password::within;
use super::quantity::{Size, Span};
use super::secret;
use super::source::Source;

/// One of them as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    address: Spanned<RawAddresses>,
    #[serde(default)]
    balance: RawBalance,
    tls: Spanned<RawTls>,
    ca: Option<Spanned<String>>,
    cert: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
    server_name: Option<Spanned<String>>,
    allow: Option<Spanned<Vec<String>>>,
    connect_timeout: Option<Spanned<Span>>,
    timeout: Option<Spanned<Span>>,
    retry_after: Option<Spanned<Span>>,
    connections: Option<Spanned<u32>>,
    bytes: Option<Spanned<Size>>,
    idle: Option<Spanned<u32>>,
    idle_timeout: Option<Spanned<Span>>,
}

/// One server, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected `\"HOST:PORT\"`, or several of them in a list")]
enum RawAddresses {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawBalance {
    #[default]
    Order,
    RoundRobin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawTls {
    None,
    StartTls,
    Implicit,
}

/// Checks all of them.
pub(super) fn check_all(
    raw: &BTreeMap<Spanned<String>, RawEndpoint>,
    source: &Source,
) -> Result<BTreeMap<String, EndpointSpec>, ConfigError> {
    let check = |(name, raw): (&Spanned<String>, &RawEndpoint)| {
        check_name(name, "an endpoint's", source)?;
        Ok((name.get_ref().clone(), raw.check(source)?))
    };
    raw.iter().map(check).collect()
}

/// Refuses what is no name of something that a plugin may ask for.
pub(super) fn check_name(name: &Spanned<String>, whose: &str, source: &Source) -> Result<(), ConfigError> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !name.get_ref().is_empty() && name.get_ref().chars().all(is_word) {
        return Ok(());
    }
    let rule = format!("{whose} name is of lower-case letters, digits, `_` and `-`");
    Err(source.refuse(name.span(), rule))
}

impl RawEndpoint {
    fn check(&self, source: &Source) -> Result<EndpointSpec, ConfigError> {
        let usual = EndpointSpec::new(self.servers(source)?, self.protection(source)?);
        let bytes = match &self.bytes {
            Some(raw) if raw.get_ref().0 == 0 => return Err(source.refuse(raw.span(), "must not be zero")),
            Some(raw) => raw.get_ref().0,
            None => usual.bytes,
        };
        let idle = within(self.idle.as_ref(), 0..=1_000, source)?;
        Ok(EndpointSpec {
            balance: match self.balance {
                RawBalance::Order => Balance::Order,
                RawBalance::RoundRobin => Balance::RoundRobin,
            },
            policy: match &self.allow {
                Some(raw) => AddressPolicy::allowing(raw.get_ref().iter().map(String::as_str))
                    .map_err(|error| source.refuse(raw.span(), error.to_string()))?,
                None => usual.policy,
            },
            connect_timeout: positive_time(self.connect_timeout.as_ref(), usual.connect_timeout, source)?,
            io_timeout: positive_time(self.timeout.as_ref(), usual.io_timeout, source)?,
            dead_for: self.retry_after.as_ref().map_or(usual.dead_for, |raw| raw.get_ref().0),
            connections: within(self.connections.as_ref(), 1..=1_000, source)?.unwrap_or(usual.connections),
            bytes,
            idle: idle.map_or(usual.idle, |idle| usize::try_from(idle).unwrap_or(usize::MAX)),
            idle_timeout: positive_time(self.idle_timeout.as_ref(), usual.idle_timeout, source)?,
            ..usual
        })
    }

    fn servers(&self, source: &Source) -> Result<Vec<Server>, ConfigError> {
        let span = || self.address.span();
        let texts = match self.address.get_ref() {
            RawAddresses::One(text) => std::slice::from_ref(text),
            RawAddresses::Several(texts) => texts.as_slice(),
        };
        if texts.is_empty() {
            return Err(source.refuse(span(), "names no server"));
        }
        let parse = |text: &String| {
            server(text).ok_or_else(|| {
                let rule = format!(
                    "`{text}` is no server; write `ldap.example.org:636`, `192.0.2.7:636` or `[2001:db8::7]:636`"
                );
                source.refuse(span(), rule)
            })
        };
        texts.iter().map(parse).collect()
    }

    fn protection(&self, source: &Source) -> Result<Protection, ConfigError> {
        if *self.tls.get_ref() == RawTls::None {
            let files = [&self.ca, &self.cert, &self.key, &self.server_name];
            return match files.into_iter().flatten().next() {
                Some(raw) => Err(source.refuse(raw.span(), "is of no use with `tls = \"none\"`")),
                None => Ok(Protection::None),
            };
        }
        let ca = self.ca.as_ref().map(|raw| read(raw, source)).transpose()?;
        let client = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some((read(cert, source)?, read(key, source)?)),
            (None, None) => None,
            (Some(raw), None) | (None, Some(raw)) => {
                return Err(source.refuse(raw.span(), "`cert` and `key` go together"));
            }
        };
        let client = client
            .as_ref()
            .map(|(cert, key)| (cert.expose().as_slice(), key.expose().as_slice()));
        let ca = ca.as_ref().map(|ca| ca.expose().as_slice());
        let name = self.server_name.as_ref().map(|raw| raw.get_ref().as_str());
        let tls = TlsSpec::new(ca, client, name).map_err(|error| source.refuse(self.blame(), error.to_string()))?;
        let tls = Arc::new(tls);
        Ok(match self.tls.get_ref() {
            RawTls::StartTls => Protection::StartTls(tls),
            RawTls::Implicit | RawTls::None => Protection::Implicit(tls),
        })
    }

    /// The line that what is wrong with TLS has most to do with.
    fn blame(&self) -> Range<usize> {
        let files = [&self.cert, &self.ca, &self.server_name];
        let first = files.into_iter().flatten().next();
        first.map_or_else(|| self.tls.span(), Spanned::span)
    }
}

fn read(raw: &Spanned<String>, source: &Source) -> Result<keyway_core::Secret<Vec<u8>>, ConfigError> {
    let read = secret::read(&source.file(raw.get_ref()));
    read.map_err(|problem| source.refuse(raw.span(), problem))
}

fn server(text: &str) -> Option<Server> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').filter(|inner| inner.contains(':'))?,
        None if host.contains(':') => return None,
        None => host,
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host(host).then(|| Server {
        host: host.to_owned(),
        port,
    })
}

/// Whether it can be a DNS name or an address, without brackets: nothing in it could be more than that in a log or in a URL.
pub(super) fn is_host(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    !text.is_empty() && text.len() <= 253 && text.chars().all(is_plain)
}
