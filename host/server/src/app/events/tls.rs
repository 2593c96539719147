//! Whom the delivery of events trusts: the machine's own authorities, and the operator's.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The certificates in a PEM text; `None` if there is none, or one that cannot be read.
pub(crate) fn parse(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    certificates.ok().filter(|certificates| !certificates.is_empty())
}

/// TLS for a client who trusts these authorities besides the machine's own.
///
/// # Errors
/// One of them is no authority.
pub(super) fn client(authorities: Option<&str>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    // A machine may have some that are odd, or none at all; then only those that are named count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in authorities.and_then(parse).unwrap_or_default() {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
