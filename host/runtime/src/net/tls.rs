//! TLS towards an endpoint: whom to trust, what to show, and what went wrong.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::TlsFault;
use super::{NetError, Server};

/// Whom to trust and what to show. Its `Debug` shows nothing.
pub struct TlsSpec {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
    digest: [u8; 32],
}

/// What is wrong with certificates or keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTls {
    /// No certificate in the text.
    #[error("there is no PEM certificate in it")]
    NoCertificate,
    /// No key in the text.
    #[error("there is no PEM private key in it")]
    NoKey,
    /// One that cannot be used.
    #[error("the certificate or the key cannot be used")]
    Unusable,
    /// No DNS name and no address.
    #[error("`{0}` is neither a DNS name nor an address")]
    Name(String),
    /// This machine has no authorities of its own.
    #[error("this machine trusts no authorities; name one with `ca`")]
    NoRoots,
}

impl TlsSpec {
    /// Trusts the authorities in `ca` (PEM), or this machine's where there is none, and shows `client` (certificates and key, PEM). `name` is what
    /// the server's certificate must be of, where that is not what the endpoint calls it.
    ///
    /// # Errors
    /// [`InvalidTls`].
    pub fn new(ca: Option<&[u8]>, client: Option<(&[u8], &[u8])>, name: Option<&str>) -> Result<Self, InvalidTls> {
        let mut digest = Sha256::new();
        let (certificates, key) = client.unwrap_or_default();
        for part in [
            ca.unwrap_or_default(),
            certificates,
            key,
            name.unwrap_or_default().as_bytes(),
        ] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| InvalidTls::Unusable)?
            .with_root_certificates(roots(ca)?);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| InvalidTls::NoKey)?;
                builder
                    .with_client_auth_cert(read(certificates)?, key)
                    .map_err(|_| InvalidTls::Unusable)?
            }
        };
        let name = name.map(server_name).transpose()?;
        Ok(Self {
            config: Arc::new(config),
            name,
            digest: digest.finalize().into(),
        })
    }

    /// Stands for all that it was made of.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Does the handshake.
    pub(super) async fn connect(&self, server: &Server, stream: TcpStream) -> Result<TlsStream<TcpStream>, NetError> {
        let failed = |fault| NetError::Tls {
            server: server.to_string(),
            fault,
        };
        let name = match &self.name {
            Some(name) => name.clone(),
            None => server_name(&server.host).map_err(|_| failed(TlsFault::WrongName))?,
        };
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connected = connector.connect(name, stream).await;
        connected.map_err(|error| match error.get_ref().and_then(|cause| cause.downcast_ref()) {
            Some(cause) => failed(fault(cause)),
            None => failed(TlsFault::Handshake),
        })
    }
}

impl PartialEq for TlsSpec {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for TlsSpec {}

impl fmt::Debug for TlsSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsSpec")
    }
}

/// What the other side did not like, of errors that come with the first bytes rather than with the handshake.
pub(super) fn fault(error: &rustls::Error) -> TlsFault {
    use AlertDescription::{BadCertificate, CertificateRequired, CertificateUnknown, UnknownCA};
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    };
    match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => TlsFault::Expired,
            NotValidForName | NotValidForNameContext { .. } => TlsFault::WrongName,
            // Among them an unknown issuer. A certificate of its own making is trusted only where it stands in `ca` as an authority.
            _ => TlsFault::UnknownIssuer,
        },
        rustls::Error::AlertReceived(BadCertificate | CertificateRequired | CertificateUnknown | UnknownCA) => {
            TlsFault::ClientCertificate
        }
        _ => TlsFault::Handshake,
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, InvalidTls> {
    let name = ServerName::try_from(text.to_owned());
    name.map_err(|_: InvalidDnsNameError| InvalidTls::Name(text.to_owned()))
}

fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, InvalidTls> {
    let mut store = RootCertStore::empty();
    let Some(ca) = ca else {
        // A machine's list may hold some that are of no use; what counts is that there are others.
        let (added, _) = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if added == 0 {
            Err(InvalidTls::NoRoots)
        } else {
            Ok(store)
        };
    };
    for certificate in read(ca)? {
        store.add(certificate).map_err(|_| InvalidTls::Unusable)?;
    }
    Ok(store)
}

fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(InvalidTls::NoCertificate),
    }
}
