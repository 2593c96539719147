//! The listeners of a configuration, bound.

use std::path::Path;

use keyway_http::dialect::Dialect;
use keyway_http::edge::{Listener, Tls, TlsError, TlsFiles, self_signed};

use super::error::StartError;
use crate::config::{Config, Listen, ListenTls};

/// A bound listener, not serving yet.
pub(crate) struct Bound {
    /// The socket.
    pub(crate) listener: Listener,
    /// Its certificate, to be reloaded.
    pub(crate) tls: Option<Tls>,
    /// What answers there.
    pub(crate) dialects: Vec<Dialect>,
}

/// Binds a configuration's listeners. To be called inside a tokio runtime.
///
/// # Errors
/// [`StartError::Tls`], [`StartError::Listen`].
pub(crate) fn bind(config: &Config) -> Result<Vec<Bound>, StartError> {
    config
        .listen
        .iter()
        .map(|listen| bind_one(listen, &config.data_dir))
        .collect()
}

fn bind_one(listen: &Listen, data_dir: &Path) -> Result<Bound, StartError> {
    let address = listen.address;
    let tls = load_tls(listen.tls.as_ref(), data_dir).map_err(|error| StartError::Tls {
        address,
        source: Box::new(error),
    })?;
    let listener = Listener::tcp(address, tls.clone())?;
    Ok(Bound {
        listener,
        tls,
        dialects: listen.dialects.clone(),
    })
}

fn load_tls(tls: Option<&ListenTls>, data_dir: &Path) -> Result<Option<Tls>, TlsError> {
    let files = match tls {
        None => return Ok(None),
        Some(ListenTls::SelfSigned) => self_signed(data_dir)?,
        Some(ListenTls::Files { cert, key }) => TlsFiles {
            cert: cert.clone(),
            key: key.clone(),
        },
    };
    Tls::load(files).map(Some)
}
