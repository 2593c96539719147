//! Tenants at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Group, GroupId, PolicyId, Tenant, TenantId};

/// A tenant to be made.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// The id of its group of all users.
    pub all_users: GroupId,
    /// The policies of that group.
    pub all_users_policies: Vec<PolicyId>,
    /// Further groups that it starts with, each with its policies.
    pub groups: Vec<(Group, Vec<PolicyId>)>,
}

impl NewTenant {
    /// A tenant with its group of all users and nothing else.
    pub fn of(tenant: Tenant, all_users: GroupId) -> Self {
        Self {
            tenant,
            all_users,
            all_users_policies: Vec::new(),
            groups: Vec::new(),
        }
    }
}

/// Tenants at rest. The top tenant, `master`, always exists: a store makes it when it is first opened. Each tenant has a group of all its users,
/// which goes with it.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// Adds a tenant and its groups, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `tenant name` (unique among its siblings), `tenant slug`, `tenant domain` or `tenant realm` (unique everywhere),
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
