//! `[dialect.wazo.ldap]`: what serves the LDAP directories that tenants name themselves, by `PUT /backends/ldap`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keyway_core::model::{BackendName, LdapSecurity};
use keyway_runtime::{AddressPolicy, BackendSpec, EndpointSpec, Grants, InvalidTls, Protection, Server, TlsSpec};
use serde::Deserialize;
use toml::Spanned;

use super::backend::plugin_stem;
use super::endpoint::is_host;
use super::error::ConfigError;
use super::http::positive_time;
use super::password::within;
use super::quantity::Span;
use super::secret;
use super::source::Source;

/// The name under which wazo's clients know it.
pub(super) const NAME: &str = "ldap_user";

/// As typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTenantLdap {
    enabled: Option<bool>,
    plugin: Option<Spanned<String>>,
    allow: Option<Spanned<Vec<String>>>,
    ca: Option<Spanned<String>>,
    timeout: Option<Spanned<Span>>,
    deadline: Option<Spanned<Span>>,
    concurrency: Option<Spanned<u32>>,
}

/// What serves tenants' own directories.
#[derive(Debug, Clone)]
pub(crate) struct TenantLdap {
    /// The plugin, and what it may do and use.
    pub(crate) template: BackendSpec,
    /// Made when the first tenant's directory needs it: with `ca` it is there from the start.
    trust: Arc<OnceLock<Result<Arc<TlsSpec>, InvalidTls>>>,
    policy: AddressPolicy,
    timeout: Duration,
}

/// A tenant's server cannot be an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableDirectory {
    /// Nothing says whom to trust.
    #[error("this machine trusts no authorities; name the directories' with `dialect.wazo.ldap.ca`")]
    NoAuthorities(#[source] InvalidTls),
    /// It is no name and no address.
    #[error("the tenant's `host` is neither a DNS name nor an address")]
    Host,
    /// Nobody listens there.
    #[error("the tenant's `port` is 0")]
    Port,
}

impl RawTenantLdap {
    /// `None` where it is switched off, or the operator has a backend of this name.
    pub(super) fn check(&self, is_taken: bool, source: &Source) -> Result<Option<TenantLdap>, ConfigError> {
        let name = BackendName::parse(NAME).map_err(|error| source.refuse(0..0, error.to_string()))?;
        let plugin = match &self.plugin {
            Some(raw) => plugin_stem(raw, source)?,
            None => "ldap".to_owned(),
        };
        let mut template = BackendSpec::new(name, &plugin);
        template.is_template = true;
        template.grants = Grants {
            directory_verify: false,
            // They are other tenants', too.
            directory_list: false,
            directory_link: true,
            credential_expose: true,
            ..Grants::default()
        };
        let limits = &mut template.limits;
        limits.deadline = positive_time(self.deadline.as_ref(), Duration::from_secs(5), source)?;
        limits.concurrency = within(self.concurrency.as_ref(), 1..=1_000_000, source)?.unwrap_or(limits.concurrency);
        let networks = self.allow.as_ref().map(Spanned::get_ref).into_iter().flatten();
        let policy = AddressPolicy::public_and(networks.map(String::as_str)).map_err(|error| {
            let span = self.allow.as_ref().map_or(0..0, Spanned::span);
            source.refuse(span, error.to_string())
        })?;
        let checked = TenantLdap {
            template,
            trust: match &self.ca {
                Some(raw) => Arc::new(OnceLock::from(Ok(trust(raw, source)?))),
                None => Arc::default(),
            },
            policy,
            timeout: positive_time(self.timeout.as_ref(), Duration::from_secs(2), source)?,
        };
        let is_on = self.enabled.unwrap_or(true) && !is_taken;
        Ok(is_on.then_some(checked))
    }
}

impl TenantLdap {
    /// The endpoint of a tenant's server. It keeps one connection at most: there may be many tenants.
    ///
    /// # Errors
    /// [`UnusableDirectory`].
    pub(crate) fn endpoint(
        &self,
        host: &str,
        port: u16,
        security: Option<LdapSecurity>,
    ) -> Result<EndpointSpec, UnusableDirectory> {
        let server = server(host, port)?;
        let protection = match security {
            None => Protection::None,
            Some(LdapSecurity::Tls) => Protection::StartTls(self.trusted()?),
            Some(LdapSecurity::Ldaps) => Protection::Implicit(self.trusted()?),
        };
        Ok(EndpointSpec {
            policy: self.policy.clone(),
            connect_timeout: self.timeout,
            io_timeout: self.timeout,
            idle: 1,
            ..EndpointSpec::new(vec![server], protection)
        })
    }

    fn trusted(&self) -> Result<Arc<TlsSpec>, UnusableDirectory> {
        let trusted = self.trust.get_or_init(|| TlsSpec::new(None, None, None).map(Arc::new));
        trusted.clone().map_err(UnusableDirectory::NoAuthorities)
    }
}

/// An IPv6 address may stand in brackets, as in a URL.
fn server(host: &str, port: u16) -> Result<Server, UnusableDirectory> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = inner.unwrap_or(host);
    if port == 0 {
        return Err(UnusableDirectory::Port);
    }
    let is_server = is_host(host) && (inner.is_none() || host.contains(':'));
    is_server
        .then(|| Server {
            host: host.to_owned(),
            port,
        })
        .ok_or(UnusableDirectory::Host)
}

fn trust(raw: &Spanned<String>, source: &Source) -> Result<Arc<TlsSpec>, ConfigError> {
    let read = secret::read(&source.file(raw.get_ref())).map_err(|problem| source.refuse(raw.span(), problem))?;
    let tls = TlsSpec::new(Some(read.expose()), None, None);
    tls.map(Arc::new)
        .map_err(|error| source.refuse(raw.span(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn served() -> TenantLdap {
        let config = Config::parse(Path::new("/srv/keyway.toml"), "", &[]).expect("it is correct");
        config.tenant_ldap.expect("it is on")
    }

    #[test]
    fn a_tenants_server_is_a_name_or_an_address() {
        let ldap = served();
        for (host, bare) in [
            ("ldap.example.org", "ldap.example.org"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8::7]", "2001:db8::7"),
        ] {
            let endpoint = ldap.endpoint(host, 389, None).expect(host);
            assert_eq!((endpoint.servers[0].host.as_str(), endpoint.idle), (bare, 1));
        }
        for host in [
            "",
            "ldap.example.org\nlevel=error",
            "a b",
            "ldap://x",
            "[x]",
            "x/y",
            &"x".repeat(254),
        ] {
            assert_eq!(ldap.endpoint(host, 389, None), Err(UnusableDirectory::Host), "{host}");
        }
        assert_eq!(ldap.endpoint("x", 0, None), Err(UnusableDirectory::Port));
    }

    #[test]
    fn this_machines_authorities_are_read_once() {
        let ldap = served();
        let (first, again) = (ldap.trusted(), ldap.clone().trusted());
        match (first, again) {
            (Ok(first), Ok(again)) => assert!(Arc::ptr_eq(&first, &again)),
            (first, again) => assert_eq!(first, again),
        }
    }
}
