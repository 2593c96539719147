//! What tenants set for themselves. What is secret in it is sealed under the master key before the store sees it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Secret;
use crate::key::MasterKey;
use crate::model::{LdapSettings, TenantId};
use crate::port::{Random, SettingKind, Store, StoreError, StoredSetting};

/// Why a setting was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// The store refused or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored does not open: another master key is in place than the one it was sealed under, or it was moved.
    #[error("the secret of the setting `{kind}` of tenant `{tenant}` cannot be opened; set it again")]
    Sealed {
        /// Which.
        kind: &'static str,
        /// Whose.
        tenant: TenantId,
    },
}

/// A setting and its secret, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// What may be shown.
    pub value: T,
    /// What may not: the password of a service account for example.
    pub secret: Option<Secret<Vec<u8>>>,
}

/// What tenants set for themselves.
pub struct SettingService {
    store: Arc<dyn Store>,
    master: MasterKey,
    random: Arc<dyn Random>,
}

impl SettingService {
    /// Over this store, sealing under this key.
    pub fn new(store: Arc<dyn Store>, master: MasterKey, random: Arc<dyn Random>) -> Self {
        Self { store, master, random }
    }

    /// Where the tenant's users are in LDAP; `None` if it has not said so. The secret is the service account's password.
    ///
    /// # Errors
    /// [`SettingError`].
    pub async fn find_ldap(&self, tenant: TenantId) -> Result<Option<Setting<LdapSettings>>, SettingError> {
        self.find(tenant, SettingKind::Ldap).await
    }

    /// Says where the tenant's users are in LDAP.
    ///
    /// # Errors
    /// [`SettingError::Store`].
    pub async fn put_ldap(&self, tenant: TenantId, setting: &Setting<LdapSettings>) -> Result<(), SettingError> {
        self.put(tenant, SettingKind::Ldap, setting).await
    }

    /// Forgets where the tenant's users are in LDAP; returns whether it was said.
    ///
    /// # Errors
    /// [`SettingError::Store`].
    pub async fn remove_ldap(&self, tenant: TenantId) -> Result<bool, SettingError> {
        Ok(self.store.remove_setting(tenant, SettingKind::Ldap).await?)
    }

    async fn find<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        kind: SettingKind,
    ) -> Result<Option<Setting<T>>, SettingError> {
        let Some(stored) = self.store.find_setting(tenant, kind).await? else {
            return Ok(None);
        };
        let value = serde_json::from_str(&stored.document).map_err(|_| StoreError::Inconsistent {
            what: format!("`tenant_setting.document` of `{tenant}` is no `{}`", kind.as_str()),
        })?;
        let open = |sealed: Vec<u8>| {
            let opened = self.master.open(&place(tenant, kind), &sealed);
            opened.ok_or(SettingError::Sealed {
                kind: kind.as_str(),
                tenant,
            })
        };
        let secret = stored.sealed.map(open).transpose()?;
        Ok(Some(Setting { value, secret }))
    }

    async fn put<T: Serialize>(
        &self,
        tenant: TenantId,
        kind: SettingKind,
        setting: &Setting<T>,
    ) -> Result<(), SettingError> {
        let document = serde_json::to_string(&setting.value).map_err(|_| StoreError::Inconsistent {
            what: format!("a `{}` cannot be written as JSON", kind.as_str()),
        })?;
        let seal = |secret| self.master.seal(&place(tenant, kind), secret, &*self.random);
        let sealed = setting.secret.as_ref().map(seal);
        let stored = StoredSetting { document, sealed };
        Ok(self.store.put_setting(tenant, kind, &stored).await?)
    }
}

fn place(tenant: TenantId, kind: SettingKind) -> String {
    format!("setting/{}/{tenant}", kind.as_str())
}
