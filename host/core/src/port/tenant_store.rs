//! Tenants at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Tenant, TenantId};

/// A tenant to be made.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// The tenant above it.
    pub parent: TenantId,
    /// Its name.
    pub name: String,
    /// The SIP realm that stands for it.
    pub realm: Option<String>,
    /// The domain names that stand for it.
    pub domains: Vec<String>,
}

/// Tenants at rest. The top tenant, `master`, always exists: a store makes it when it is first opened.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// Adds a tenant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `tenant name` (unique among its siblings), `tenant domain` or `tenant realm` (unique everywhere),
    /// all without regard to case; [`StoreError::Missing`] for the parent; [`StoreError::Unavailable`].
    async fn add_tenant(&self, tenant: &NewTenant) -> Result<(), StoreError>;

    /// All tenants, ordered by name, then id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// Removes a tenant that owns nothing; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Unavailable`].
    async fn remove_tenant(&self, id: TenantId) -> Result<bool, StoreError>;
}
