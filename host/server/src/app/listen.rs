//! The listeners of a configuration, bound.

use std::path::Path;

use keyway_http::dialect::Dialect;
use keyway_http::edge::{Listener, Tls, TlsError, self_signed};

use super::error::StartError;
use crate::config::{Config, Listen, ListenTls};

/// A bound listener, not serving yet.
pub(crate) struct Bound {
    /// The socket.
    pub(crate) listener: Listener,
    /// Where its certificate comes from, and the certificate, to be reloaded.
    pub(crate) certificate: Option<(ListenTls, Tls)>,
    /// What answers there.
    pub(crate) dialects: Vec<Dialect>,
}

/// Loads the certificates of a configuration's listeners, in their order; makes the self-signed one if it is absent.
///
/// # Errors
/// [`StartError::Tls`].
pub(crate) fn load_certificates(config: &Config) -> Result<Vec<Option<Tls>>, StartError> {
    let load = |listen: &Listen| {
        load_tls(listen.tls.as_ref(), &config.data_dir).map_err(|error| StartError::Tls {
            address: listen.address,
            source: Box::new(error),
        })
    };
    config.listen.iter().map(load).collect()
}

/// Binds a configuration's listeners, which have these certificates. To be called inside a tokio runtime.
///
/// # Errors
/// [`StartError::Listen`].
pub(crate) fn bind(config: &Config, certificates: Vec<Option<Tls>>) -> Result<Vec<Bound>, StartError> {
    let bind_one = |(listen, tls): (&Listen, Option<Tls>)| {
        Ok(Bound {
            listener: Listener::tcp(listen.address, tls.clone())?,
            certificate: listen.tls.clone().zip(tls),
            dialects: listen.dialects.clone(),
        })
    };
    config.listen.iter().zip(certificates).map(bind_one).collect()
}

fn load_tls(tls: Option<&ListenTls>, data_dir: &Path) -> Result<Option<Tls>, TlsError> {
    let files = match tls {
        None => return Ok(None),
        Some(ListenTls::SelfSigned) => self_signed(data_dir)?,
        Some(ListenTls::Files(files)) => files.clone(),
    };
    Tls::load(files).map(Some)
}
