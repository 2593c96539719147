//! `[dialect.wazo.ldap]`: what serves the LDAP directories that tenants name themselves, by `PUT /backends/ldap`.

use std::sync::Arc;
use std::time::Duration;

use keyway_core::model::{BackendName, LdapSecurity};
use keyway_runtime::{AddressPolicy, BackendSpec, EndpointSpec, Grants, Protection, Server, TlsSpec};
use serde::Deserialize;
use toml::Spanned;

use super::backend::plugin_stem;
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
    ca: Option<Arc<TlsSpec>>,
    policy: AddressPolicy,
    timeout: Duration,
}

/// Nothing says whom to trust.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this machine trusts no authorities; name the directories' with `dialect.wazo.ldap.ca`")]
pub(crate) struct NoAuthorities;

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
            ca: self.ca.as_ref().map(|raw| trust(raw, source)).transpose()?,
            policy,
            timeout: positive_time(self.timeout.as_ref(), Duration::from_secs(2), source)?,
        };
        let is_on = self.enabled.unwrap_or(true) && !is_taken;
        Ok(is_on.then_some(checked))
    }
}

impl TenantLdap {
    /// The endpoint of a tenant's server.
    pub(crate) fn endpoint(
        &self,
        server: Server,
        security: Option<LdapSecurity>,
    ) -> Result<EndpointSpec, NoAuthorities> {
        let protection = match security {
            None => Protection::None,
            Some(LdapSecurity::Tls) => Protection::StartTls(self.trusted()?),
            Some(LdapSecurity::Ldaps) => Protection::Implicit(self.trusted()?),
        };
        Ok(EndpointSpec {
            policy: self.policy.clone(),
            connect_timeout: self.timeout,
            io_timeout: self.timeout,
            ..EndpointSpec::new(vec![server], protection)
        })
    }

    fn trusted(&self) -> Result<Arc<TlsSpec>, NoAuthorities> {
        match &self.ca {
            Some(ca) => Ok(Arc::clone(ca)),
            None => TlsSpec::new(None, None, None).map(Arc::new).map_err(|_| NoAuthorities),
        }
    }
}

fn trust(raw: &Spanned<String>, source: &Source) -> Result<Arc<TlsSpec>, ConfigError> {
    let read = secret::read(&source.file(raw.get_ref())).map_err(|problem| source.refuse(raw.span(), problem))?;
    let tls = TlsSpec::new(Some(read.expose()), None, None);
    tls.map(Arc::new)
        .map_err(|error| source.refuse(raw.span(), error.to_string()))
}
