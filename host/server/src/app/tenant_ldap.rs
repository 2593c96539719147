//! The backends that tenants have by what they say of their LDAP directories: their words, put into the words of the plugin that serves them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use keyway_core::model::{BackendName, LdapSettings, TenantId};
use keyway_core::port::{BackendFault, BackendSlot, TenantBackends};
use keyway_core::setting::{Setting, SettingService};
use keyway_runtime::{Runtime, VariantSpec};
use serde_json::{Map, Value};

use crate::config::TenantLdap;

/// What the plugin calls the endpoint and the service account's password.
const ENDPOINT: &str = "directory";
const PASSWORD: &str = "bind_password";

/// The backends of tenants that have an LDAP directory.
pub(crate) struct TenantDirectories {
    runtime: Arc<Runtime>,
    settings: Arc<SettingService>,
    name: BackendName,
    /// `None` while it is switched off.
    config: Mutex<Option<Arc<TenantLdap>>>,
}

impl TenantDirectories {
    pub(crate) fn new(runtime: Arc<Runtime>, settings: Arc<SettingService>, config: TenantLdap) -> Self {
        Self {
            runtime,
            settings,
            name: config.template.name.clone(),
            config: Mutex::new(Some(Arc::new(config))),
        }
    }

    /// Puts another configuration in place, or none: then tenants have no backends of their own.
    pub(crate) fn update(&self, config: Option<TenantLdap>) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config.map(Arc::new);
    }

    fn config(&self) -> Option<Arc<TenantLdap>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl TenantBackends for TenantDirectories {
    fn name(&self) -> &BackendName {
        &self.name
    }

    async fn find(&self, tenant: TenantId) -> Result<Option<BackendSlot>, BackendFault> {
        let Some(config) = self.config() else {
            return Ok(None);
        };
        let found = self.settings.find_ldap(tenant).await;
        let Some(setting) = found.map_err(|error| BackendFault::Unavailable(error.to_string()))? else {
            self.runtime.forget_variant(&self.name, tenant);
            return Ok(None);
        };
        let spec = variant(&config, tenant, setting)?;
        let slot = self.runtime.find_variant(&self.name, spec).await;
        slot.map(Some).ok_or(BackendFault::NotLoaded)
    }
}

fn variant(config: &TenantLdap, tenant: TenantId, setting: Setting<LdapSettings>) -> Result<VariantSpec, BackendFault> {
    let said = &setting.value;
    let endpoint = config.endpoint(&said.host, said.port, said.protocol_security);
    let endpoint = endpoint.map_err(|error| BackendFault::Misconfigured(error.to_string()))?;
    let has_name = said.bind_dn.as_ref().is_some_and(|dn| !dn.is_empty());
    let secret = setting.secret.filter(|secret| has_name && !secret.expose().is_empty());
    Ok(VariantSpec {
        tenant,
        config: words(tenant, said, secret.is_some()),
        secrets: secret.map(|secret| (PASSWORD.to_owned(), secret)).into_iter().collect(),
        net: BTreeMap::from([(ENDPOINT.to_owned(), endpoint)]),
    })
}

/// As the plugin takes it. As in the original, the account that looks users up needs both a name and a password, and users are those of the tenant.
fn words(tenant: TenantId, said: &LdapSettings, has_account: bool) -> Value {
    let account = said.bind_dn.as_ref().filter(|_| has_account);
    let texts = [
        ("user_base_dn", Some(&said.user_base_dn)),
        ("user_login_attribute", Some(&said.user_login_attribute)),
        ("user_email_attribute", Some(&said.user_email_attribute)),
        ("search_filters", said.search_filters.as_ref()),
        ("bind_dn", account),
        ("link", Some(&"email".to_owned())),
        ("tenant", Some(&tenant.to_string())),
    ];
    let entries = texts
        .into_iter()
        .filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?.as_str()))));
    Value::Object(entries.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn an_account_without_a_name_or_a_password_is_none() {
        let config = Config::parse(Path::new("/srv/keyway.toml"), "", &[]).expect("it is correct");
        let ldap = config.tenant_ldap.expect("it is on");
        for (dn, password, has_account) in [
            (Some("cn=svc"), Some("s3cre7"), true),
            (Some("cn=svc"), Some(""), false),
            (Some("cn=svc"), None, false),
            (Some(""), Some("s3cre7"), false),
            (None, Some("s3cre7"), false),
        ] {
            let setting = Setting {
                value: LdapSettings {
                    host: "ldap.example.org".to_owned(),
                    port: 389,
                    protocol_version: 3,
                    protocol_security: None,
                    bind_dn: dn.map(ToOwned::to_owned),
                    user_base_dn: "dc=example,dc=org".to_owned(),
                    user_login_attribute: "uid".to_owned(),
                    user_email_attribute: "mail".to_owned(),
                    search_filters: None,
                },
                secret: password.map(Into::into),
            };
            let spec = variant(&ldap, TenantId(uuid::Uuid::nil()), setting).expect("it is usable");
            assert_eq!(spec.config.get("bind_dn").is_some(), has_account, "{dn:?}");
            assert_eq!(spec.secrets.contains_key(PASSWORD), has_account, "{dn:?}");
        }
    }
}
