//! The backends that tenants have by what they say of their LDAP directories: their words, put into the words of the plugin that serves them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use keyway_core::model::{BackendName, LdapSettings, TenantId};
use keyway_core::port::{BackendFault, BackendSlot, TenantBackends};
use keyway_core::setting::{Setting, SettingService};
use keyway_runtime::{Runtime, Server, VariantSpec};
use serde_json::{Map, Value};

use crate::config::TenantLdap;

/// Tenants whose backend is kept ready; the one that was not used for the longest makes room.
const READY: usize = 4096;

/// What the plugin calls the endpoint and the service account's password.
const ENDPOINT: &str = "directory";
const PASSWORD: &str = "bind_password";

/// The backends of tenants that have an LDAP directory.
pub(crate) struct TenantDirectories {
    runtime: Arc<Runtime>,
    settings: Arc<SettingService>,
    name: BackendName,
    state: Mutex<State>,
}

struct State {
    config: TenantLdap,
    ready: HashMap<TenantId, Ready>,
}

struct Ready {
    setting: Setting<LdapSettings>,
    slot: BackendSlot,
    used: Instant,
}

impl TenantDirectories {
    pub(crate) fn new(runtime: Arc<Runtime>, settings: Arc<SettingService>, config: TenantLdap) -> Self {
        Self {
            runtime,
            settings,
            name: config.template.name.clone(),
            state: Mutex::new(State {
                config,
                ready: HashMap::new(),
            }),
        }
    }

    /// Puts another configuration in place.
    pub(crate) fn update(&self, config: TenantLdap) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.config = config;
        state.ready.clear();
    }

    /// The one that is ready, if the tenant still says the same.
    fn find_ready(&self, tenant: TenantId, setting: &Setting<LdapSettings>) -> Option<BackendSlot> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = state.ready.get_mut(&tenant).filter(|ready| ready.setting == *setting)?;
        ready.used = Instant::now();
        Some(ready.slot.clone())
    }

    fn keep(&self, tenant: TenantId, setting: Setting<LdapSettings>, slot: BackendSlot) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ready.len() >= READY {
            let oldest = state.ready.iter().min_by_key(|(_, ready)| ready.used);
            if let Some(oldest) = oldest.map(|(tenant, _)| *tenant) {
                state.ready.remove(&oldest);
            }
        }
        let used = Instant::now();
        state.ready.insert(tenant, Ready { setting, slot, used });
    }

    fn variant(&self, tenant: TenantId, setting: &Setting<LdapSettings>) -> Result<VariantSpec, BackendFault> {
        let said = &setting.value;
        let server = Server {
            host: bare(&said.host),
            port: said.port,
        };
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = state.config.endpoint(server, said.protocol_security);
        let endpoint = endpoint.map_err(|error| BackendFault::Misconfigured(error.to_string()))?;
        let secret = setting.secret.clone().filter(|_| said.bind_dn.is_some());
        Ok(VariantSpec {
            tenant,
            config: config(tenant, said, secret.is_some()),
            secrets: secret.map(|secret| (PASSWORD.to_owned(), secret)).into_iter().collect(),
            net: BTreeMap::from([(ENDPOINT.to_owned(), endpoint)]),
        })
    }
}

#[async_trait]
impl TenantBackends for TenantDirectories {
    fn name(&self) -> &BackendName {
        &self.name
    }

    async fn find(&self, tenant: TenantId) -> Result<Option<BackendSlot>, BackendFault> {
        let found = self.settings.find_ldap(tenant).await;
        let Some(setting) = found.map_err(|error| BackendFault::Unavailable(error.to_string()))? else {
            return Ok(None);
        };
        if let Some(slot) = self.find_ready(tenant, &setting) {
            return Ok(Some(slot));
        }
        let spec = self.variant(tenant, &setting)?;
        let slot = self.runtime.find_variant(&self.name, spec).await;
        let slot = slot.ok_or(BackendFault::NotLoaded)?;
        self.keep(tenant, setting, slot.clone());
        Ok(Some(slot))
    }
}

/// As the plugin takes it. As in the original, the account that looks users up needs both a name and a password, and users are those of the tenant.
fn config(tenant: TenantId, said: &LdapSettings, has_account: bool) -> Value {
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

/// An IPv6 address stands in brackets in a URL, and without them here.
fn bare(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).to_owned()
}
