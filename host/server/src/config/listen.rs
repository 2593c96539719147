//! `[[listen]]`: addresses, TLS, and which dialects answer there.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use keyway_http::dialect::Dialect;
use keyway_http::edge::{Tls, TlsError, TlsFiles};
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::source::Source;
use crate::app::chain;

/// Where a server listens if nothing is written: as xivo-auth did, but on the loopback only.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9497);

/// One `[[listen]]` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListen {
    address: Spanned<String>,
    tls: Option<Spanned<RawTls>>,
    dialects: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTls {
    self_signed: Option<bool>,
    cert: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// The address; port 0 for any free one.
    pub(crate) address: SocketAddr,
    /// Plain HTTP if absent.
    pub(crate) tls: Option<ListenTls>,
    /// The dialects that are served there; none for liveness alone.
    pub(crate) dialects: Vec<Dialect>,
}

/// Where a listener's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListenTls {
    /// Made by the server, in `data_dir`.
    SelfSigned,
    /// PEM files, which fit together.
    Files(TlsFiles),
}

impl RawListen {
    /// Checks all of them together.
    pub(super) fn check_all(raw: &[Self], source: &Source) -> Result<Vec<Listen>, ConfigError> {
        if raw.is_empty() {
            return Ok(vec![Listen {
                address: DEFAULT_ADDRESS,
                tls: Some(ListenTls::SelfSigned),
                dialects: Dialect::ALL.to_vec(),
            }]);
        }
        let mut seen = HashSet::new();
        raw.iter()
            .map(|raw| {
                let listen = raw.check(source)?;
                if listen.address.port() != 0 && !seen.insert(listen.address) {
                    return Err(source.refuse(raw.address.span(), format!("`{}` is listened on twice", listen.address)));
                }
                Ok(listen)
            })
            .collect()
    }

    fn check(&self, source: &Source) -> Result<Listen, ConfigError> {
        let address = self.address.get_ref().parse().map_err(|_| {
            source.refuse(
                self.address.span(),
                format!(
                    "`{}` is no address; write an IP address and a port, `127.0.0.1:9497` or `[::]:9497`",
                    self.address.get_ref()
                ),
            )
        })?;
        let tls = match &self.tls {
            Some(raw) => check_tls(raw, source)?,
            None => None,
        };
        Ok(Listen {
            address,
            tls,
            dialects: self.check_dialects(source)?,
        })
    }

    fn check_dialects(&self, source: &Source) -> Result<Vec<Dialect>, ConfigError> {
        let Some(names) = &self.dialects else {
            return Ok(Dialect::ALL.to_vec());
        };
        names
            .iter()
            .map(|name| Dialect::parse(name.get_ref()).map_err(|error| source.refuse(name.span(), error.to_string())))
            .collect()
    }
}

fn check_tls(raw: &Spanned<RawTls>, source: &Source) -> Result<Option<ListenTls>, ConfigError> {
    const WANTED: &str =
        "write `{ self_signed = true }` or `{ cert = \"...\", key = \"...\" }`, or leave `tls` out for plain HTTP";
    let tls = raw.get_ref();
    match (tls.self_signed, &tls.cert, &tls.key) {
        (Some(true), None, None) => Ok(Some(ListenTls::SelfSigned)),
        (Some(false), None, None) => Ok(None),
        (None | Some(false), Some(cert), Some(key)) => check_pair(cert, key, source).map(Some),
        _ => Err(source.refuse(raw.span(), WANTED)),
    }
}

/// Loads the pair as a listener does, so that what a listener would refuse is refused here, with its line.
fn check_pair(cert: &Spanned<String>, key: &Spanned<String>, source: &Source) -> Result<ListenTls, ConfigError> {
    let files = TlsFiles {
        cert: readable(cert, source)?,
        key: readable(key, source)?,
    };
    Tls::load(files.clone()).map_err(|error| {
        let is_certs = match &error {
            TlsError::File { path, .. } => *path == files.cert,
            TlsError::Content { wanted, .. } => *wanted == "certificate",
            _ => false,
        };
        source.refuse(if is_certs { cert.span() } else { key.span() }, chain(&error))
    })?;
    Ok(ListenTls::Files(files))
}

fn readable(path: &Spanned<String>, source: &Source) -> Result<PathBuf, ConfigError> {
    let found = source.file(path.get_ref());
    std::fs::File::open(&found)
        .map_err(|error| source.refuse(path.span(), format!("cannot read `{}`: {error}", found.display())))?;
    Ok(found)
}
