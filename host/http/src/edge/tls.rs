//! Certificates: loaded from files, replaced without a restart, and self-signed where there are none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Stop;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`")]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{path}` holds no {wanted}")]
    Content {
        /// Which.
        path: PathBuf,
        /// `certificate` or `private key`.
        wanted: &'static str,
    },
    /// Certificate and key do not go together, or the key is of no supported kind.
    #[error("certificate `{cert}` and key `{key}` cannot be used together")]
    Pair {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The self-signed certificate could not be made.
    #[error("cannot make a self-signed certificate")]
    SelfSigned(#[source] rcgen::Error),
}

/// A certificate chain and its private key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then its intermediates.
    pub cert: PathBuf,
    /// The key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// TLS for a listener. Clones share the certificate.
#[derive(Clone)]
pub struct Tls {}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(_files: TlsFiles) -> Result<Self, TlsError> {
        todo!()
    }

    /// Reads the files again if they changed; new connections get the new certificate. Returns whether it was replaced.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificate stays in place.
    pub fn reload(&self) -> Result<bool, TlsError> {
        todo!()
    }

    /// Reloads whenever the files change, looking every `interval`, until `stop`. Failures go to the log.
    pub async fn watch(&self, _interval: Duration, _stop: Stop) {
        todo!()
    }
}

/// The certificate and key `self-signed.crt` and `self-signed.key` in `folder`, made if they are not there: for `localhost`, `127.0.0.1` and `::1`.
///
/// # Errors
/// [`TlsError`].
pub fn self_signed(_folder: &Path) -> Result<TlsFiles, TlsError> {
    todo!()
}
