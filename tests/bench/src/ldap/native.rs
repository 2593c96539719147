//! The yardstick: the same login by a native client.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use keyway_tests::slapd::{PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry, SearchOptions, StdStream, drive};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;

use super::plugin::Protected;
use super::{LOGIN, PASSWORD};

/// What the plugin asks a directory for, too.
const ATTRIBUTES: [&str; 4] = ["uid", "mail", "memberOf", "entryUUID"];

/// A native client.
pub(super) struct Native {
    settings: LdapConnSettings,
    address: String,
    url: String,
    /// Connections that are bound as the service.
    pool: Mutex<Vec<Ldap>>,
}

impl Native {
    pub(super) fn new(slapd: &Slapd, protected: Protected) -> anyhow::Result<Self> {
        let (scheme, address) = match protected {
            Protected::No => ("ldap", slapd.plain()),
            Protected::Tls => ("ldaps", slapd.tls()),
        };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(slapd.authority().as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            settings: LdapConnSettings::new().set_config(Arc::new(config)),
            url: format!("{scheme}://{address}"),
            address,
            pool: Mutex::default(),
        })
    }

    /// Connects, binds as the service, searches, and binds as who was found, all on one connection.
    pub(super) async fn login(&self) -> anyhow::Result<()> {
        let mut ldap = self.bound_as_service().await?;
        let dn = search(&mut ldap).await?;
        ldap.simple_bind(&dn, PASSWORD).await?.success()?;
        Ok(ldap.unbind().await?)
    }

    /// Searches on a connection that is bound already, and binds as who was found on one of its own.
    pub(super) async fn login_pooled(&self) -> anyhow::Result<()> {
        let waiting = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut service = match waiting {
            Some(service) => service,
            None => self.bound_as_service().await?,
        };
        let dn = search(&mut service).await?;
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(service);
        let mut ldap = self.connect().await?;
        ldap.simple_bind(&dn, PASSWORD).await?.success()?;
        Ok(ldap.unbind().await?)
    }

    async fn bound_as_service(&self) -> anyhow::Result<Ldap> {
        let mut ldap = self.connect().await?;
        ldap.simple_bind(SERVICE_DN, SERVICE_PASSWORD).await?.success()?;
        Ok(ldap)
    }

    async fn connect(&self) -> anyhow::Result<Ldap> {
        let stream = TcpStream::connect(&self.address).await?;
        // As the host does. Without it each TLS connection would rest until the directory's delayed acknowledgement, and no yardstick may lie down.
        stream.set_nodelay(true)?;
        let settings = self.settings.clone().set_std_stream(StdStream::Tcp(stream.into_std()?));
        let (connection, ldap) = LdapConnAsync::with_settings(settings, &self.url).await?;
        drive!(connection);
        Ok(ldap)
    }
}

/// The DN of the one entry that answers to the login.
async fn search(ldap: &mut Ldap) -> anyhow::Result<String> {
    let filter = format!("(uid={})", ldap3::ldap_escape(LOGIN));
    ldap.with_search_options(SearchOptions::new().sizelimit(1));
    let (mut found, _) = ldap
        .search(PEOPLE, Scope::Subtree, &filter, ATTRIBUTES)
        .await?
        .success()?;
    ensure!(found.len() == 1, "{} entries", found.len());
    let entry = SearchEntry::construct(found.pop().context("an entry")?);
    Ok(entry.dn)
}
