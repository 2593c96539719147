//! What tenants set for themselves, at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::TenantId;

/// What a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingKind {
    /// The LDAP directory of the tenant's users.
    Ldap,
    /// That another system's directory was brought in. The top tenant's alone.
    Import,
}

impl SettingKind {
    /// The name that the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ldap => "ldap",
            Self::Import => "import",
        }
    }
}

/// A setting as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSetting {
    /// What is no secret: a JSON document.
    pub document: String,
    /// What is, sealed under the master key. The store cannot open it.
    pub sealed: Option<Vec<u8>>,
}

/// What tenants set for themselves: at the most one setting of each kind.
#[async_trait]
pub trait SettingStore: Send + Sync {
    /// The tenant's setting of this kind.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_setting(&self, tenant: TenantId, kind: SettingKind) -> Result<Option<StoredSetting>, StoreError>;

    /// Puts a setting in the place of the one of its kind.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `tenant`, [`StoreError::Unavailable`].
    async fn put_setting(&self, tenant: TenantId, kind: SettingKind, setting: &StoredSetting)
    -> Result<(), StoreError>;

    /// Removes a setting; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_setting(&self, tenant: TenantId, kind: SettingKind) -> Result<bool, StoreError>;
}
