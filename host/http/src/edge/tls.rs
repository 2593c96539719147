//! Certificates: loaded from files, replaced without a restart, and self-signed where there are none.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keyway_core::Secret;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::{Stop, chain};

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
    /// The TLS library refuses its own defaults.
    #[error("cannot set TLS up")]
    Setup(#[source] rustls::Error),
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
pub struct Tls(Arc<Shared>);

struct Shared {
    files: TlsFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// The certificate that new connections get, and a fingerprint of the files that it came from.
#[derive(Debug)]
struct Current(ArcSwap<(Arc<CertifiedKey>, u64)>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().0))
    }
}

/// What the last look at the files found.
pub(super) struct Seen {
    fingerprint: u64,
    /// Why they could not be read.
    trouble: Option<String>,
}

/// What a look at the files found, if it is worth a line in the log.
#[derive(Debug)]
pub(super) enum News {
    /// There is a new certificate, and it is in use.
    Replaced,
    /// What is new there cannot be used; the old certificate stays.
    Unusable(TlsError),
    /// The files cannot be read, as they could before or for another reason than before; the old certificate stays.
    Unreadable(String),
    /// They can be read again, and hold what they did.
    Back,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let pem = Pem::read(&files)?;
        let current = Arc::new(Current(ArcSwap::from_pointee((pem.parse(&files)?, pem.fingerprint()))));
        let config = server_config(Arc::clone(&current)).map_err(TlsError::Setup)?;
        Ok(Self(Arc::new(Shared {
            files,
            current,
            config: Arc::new(config),
        })))
    }

    /// Reads the files again; new connections get the new certificate. Returns whether it was replaced.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificate stays in place.
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.adopt(&Pem::read(&self.0.files)?)
    }

    /// Reloads whenever the files change, looking every `interval`, until `stop`. What does not fit together stays out, goes to the log
    /// once, and is tried again when the files change again: a certificate is often renewed a moment before its key. Files that cannot be
    /// read go to the log once for each reason.
    pub async fn watch(&self, interval: Duration, stop: Stop) {
        let mut seen = self.seen();
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(interval) => {}
            }
            let tls = self.clone();
            // The files may lie on a slow file system.
            let look = tokio::task::spawn_blocking(move || {
                let news = tls.look(&mut seen);
                (seen, news)
            });
            let (now, news) = look.await.unwrap_or_else(|_| (self.seen(), None));
            seen = now;
            if let Some(news) = news {
                self.report(&news);
            }
        }
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            fingerprint: self.0.current.0.load().1,
            trouble: None,
        }
    }

    /// Adopts the files if they are not those that were seen.
    pub(super) fn look(&self, seen: &mut Seen) -> Option<News> {
        let pem = match Pem::read(&self.0.files) {
            Ok(pem) => pem,
            Err(error) => {
                let trouble = Some(chain(&error));
                let is_known = seen.trouble == trouble;
                seen.trouble.clone_from(&trouble);
                return trouble.filter(|_| !is_known).map(News::Unreadable);
            }
        };
        let was_unreadable = seen.trouble.take().is_some();
        let fingerprint = pem.fingerprint();
        if fingerprint == seen.fingerprint {
            return was_unreadable.then_some(News::Back);
        }
        seen.fingerprint = fingerprint;
        Some(match self.adopt(&pem) {
            Ok(_) => News::Replaced,
            Err(error) => News::Unusable(error),
        })
    }

    fn report(&self, news: &News) {
        let cert = self.0.files.cert.display();
        match news {
            News::Replaced => tracing::info!(%cert, "the certificate was replaced"),
            News::Unusable(error) => {
                tracing::error!(%cert, error = chain(error), "the new certificate is not used; the old one stays");
            }
            News::Unreadable(error) => tracing::error!(
                %cert,
                error,
                "the certificate and its key cannot be read; let this server's user read them before the old certificate, which stays, expires"
            ),
            News::Back => tracing::info!(%cert, "the certificate and its key can be read again"),
        }
    }

    fn adopt(&self, pem: &Pem) -> Result<bool, TlsError> {
        let fingerprint = pem.fingerprint();
        let certified = pem.parse(&self.0.files)?;
        let before = self.0.current.0.swap(Arc::new((certified, fingerprint)));
        Ok(before.1 != fingerprint)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.config))
    }
}

/// The files' content.
struct Pem {
    cert: Vec<u8>,
    key: Secret<Vec<u8>>,
}

impl Pem {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::File {
                action: "read",
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            cert: read(&files.cert)?,
            key: Secret::new(read(&files.key)?),
        })
    }

    fn parse(&self, files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        if chain.is_empty() {
            return Err(TlsError::Content {
                path: files.cert.clone(),
                wanted: "certificate",
            });
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.expose()).map_err(|_| TlsError::Content {
            path: files.key.clone(),
            wanted: "private key",
        })?;
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map(Arc::new)
            .map_err(|source| TlsError::Pair {
                cert: files.cert.clone(),
                key: files.key.clone(),
                source,
            })
    }

    /// Tells contents apart. Nothing secret can be learned from it, and it never leaves the process.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.cert.hash(&mut hasher);
        self.key.expose().hash(&mut hasher);
        hasher.finish()
    }
}

fn server_config(current: Arc<Current>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Clients of a token API connect anew for each check; a ticket spares both sides the signature.
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

/// The certificate and key `self-signed.crt` and `self-signed.key` in `folder`, made if one of them is not there: for `localhost`,
/// `127.0.0.1` and `::1`. The key's file is readable by this user alone.
///
/// # Errors
/// [`TlsError`].
pub fn self_signed(folder: &Path) -> Result<TlsFiles, TlsError> {
    let files = TlsFiles {
        cert: folder.join("self-signed.crt"),
        key: folder.join("self-signed.key"),
    };
    if files.cert.exists() && files.key.exists() {
        return Ok(files);
    }
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).map_err(TlsError::SelfSigned)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Keyway, self-signed");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let pair = KeyPair::generate().map_err(TlsError::SelfSigned)?;
    let certificate = params.self_signed(&pair).map_err(TlsError::SelfSigned)?;
    let key = Secret::new(pair.serialize_pem());
    write_private(&files.key, key.expose().as_bytes())?;
    write_private(&files.cert, certificate.pem().as_bytes())?;
    Ok(files)
}

/// Writes a file that only this user can read, whole or not at all.
fn write_private(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    let unfinished = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        // What an interrupted start left behind; `create_new` refuses it, so that its rights are never inherited.
        let _ = fs::remove_file(&unfinished);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|source| TlsError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
