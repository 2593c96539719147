//! Where tenants' users are in LDAP.

use super::{ImportError, ImportKind, Outcome, Run};
use crate::Secret;
use crate::model::{LdapSecurity, LdapSettings};
use crate::port::ForeignLdap;
use crate::setting::Setting;

impl Run<'_> {
    pub(super) async fn ldap_settings(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::LdapSettings, rows);
        for foreign in self.foreign.ldap_settings().await.map_err(ImportError::Foreign)? {
            let id = foreign.tenant.clone();
            let became = self.ldap(foreign).await?;
            self.note(ImportKind::LdapSettings, &id, became);
        }
        Ok(())
    }

    async fn ldap(&self, foreign: ForeignLdap) -> Result<Outcome, ImportError> {
        let tenant = match self.known_tenant(&foreign.tenant) {
            Ok(tenant) => self.here(tenant),
            Err(skipped) => return Ok(skipped),
        };
        let settings = &self.importer.settings;
        if settings.find_ldap(tenant).await?.is_some() {
            return Ok(Outcome::Present);
        }
        let setting = match setting(foreign) {
            Ok(setting) => setting,
            Err(skipped) => return Ok(skipped),
        };
        if !self.how.dry_run {
            settings.put_ldap(tenant, &setting).await?;
        }
        Ok(Outcome::Added)
    }
}

fn setting(foreign: ForeignLdap) -> Result<Setting<LdapSettings>, Outcome> {
    let security = match foreign.protocol_security.as_deref() {
        None => None,
        Some("ldaps") => Some(LdapSecurity::Ldaps),
        Some("tls") => Some(LdapSecurity::Tls),
        Some(_) => return Err(Outcome::skipped("its kind of security is unknown")),
    };
    let port = u16::try_from(foreign.port).map_err(|_| Outcome::skipped("its port is none"))?;
    let value = LdapSettings {
        host: foreign.host,
        port,
        protocol_version: if foreign.protocol_version == Some(2) { 2 } else { 3 },
        protocol_security: security,
        bind_dn: foreign.bind_dn,
        user_base_dn: foreign.user_base_dn,
        user_login_attribute: foreign.user_login_attribute.unwrap_or_default(),
        user_email_attribute: foreign.user_email_attribute.unwrap_or_default(),
        search_filters: foreign.search_filters,
    };
    let secret = foreign.bind_password;
    let secret = secret.map(|password| Secret::new(password.expose().clone().into_bytes()));
    Ok(Setting { value, secret })
}
