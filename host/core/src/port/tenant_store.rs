//! Tenants at rest.

use async_trait::async_trait;

use super::{Revoked, StoreError};
use crate::model::{Group, GroupId, Paged, PolicyId, Query, Tenant, TenantId, Timestamp};

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

/// Which tenants are wanted: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// With one of these ids.
    pub ids: Option<Vec<TenantId>>,
    /// With this name, in this spelling.
    pub name: Option<String>,
    /// With this slug, in this spelling.
    pub slug: Option<String>,
    /// With this domain, without regard to case.
    pub domain: Option<String>,
}

/// What tenants can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TenantOrder {
    /// Their names, without regard to case; those without one come first.
    #[default]
    Name,
    /// Their slugs, without regard to case.
    Slug,
}

/// What became of a move.
#[must_use = "a tenant may not have been moved"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantMove {
    /// It is below its new parent. If that one's account is closed, or one above it, this ended; if it is on trial, these tokens are good for less long.
    Moved(Revoked),
    /// There is no such tenant.
    Unknown,
    /// It is the top tenant, or its new parent is the tenant itself or lies below it: nothing was changed.
    Circular,
}

/// Tenants at rest. The top tenant, `master`, always exists: a store makes it when it is first opened. Each tenant has a group of all its users,
/// which goes with it.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// Adds a tenant and its groups, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `tenant id`, `tenant slug` (in its spelling), `tenant domain` or `tenant realm` (both without regard to case), all
    /// unique everywhere; [`StoreError::Missing`] for the parent (`tenant`) or the contact (`user`); [`StoreError::Unavailable`].
    async fn add_tenant(&self, tenant: &NewTenant) -> Result<(), StoreError>;

    /// The tenant with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError>;

    /// All tenants, in the order in which they took their names, as [`account_key`](crate::model::account_key) compares them; the top one first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// Tenants. A scope holds the tenants that it names, and a search looks at names, slugs and domains.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list_tenants_in(&self, query: &Query<TenantFilter, TenantOrder>) -> Result<Paged<Tenant>, StoreError>;

    /// Writes all of a tenant but its parent and its slug, in one transaction; returns whether there is such a tenant.
    ///
    /// # Errors
    /// As [`TenantStore::add_tenant`].
    async fn update_tenant(&self, tenant: &Tenant) -> Result<bool, StoreError>;

    /// Puts a tenant, and all that is below it, below another one. What an account above it closes `at` that time is closed from here on, as
    /// [`super::AccountStore::put_account`] does it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the parent (`tenant`), [`StoreError::Unavailable`].
    async fn move_tenant(&self, id: TenantId, parent: TenantId, at: Timestamp) -> Result<TenantMove, StoreError>;

    /// Gives the top tenant the id that it has elsewhere, and its group of all users likewise. All that is its own stays its own. `None` if it has
    /// that id already; else the tokens that caches must read again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `tenant id`, [`StoreError::InUse`] while it has `settings`, whose secrets are sealed for the old id;
    /// [`StoreError::Unavailable`].
    async fn adopt_top_tenant(&self, id: TenantId, all_users: GroupId) -> Result<Option<Revoked>, StoreError>;

    /// Removes a tenant that owns nothing; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Unavailable`].
    async fn remove_tenant(&self, id: TenantId) -> Result<bool, StoreError>;

    /// Removes a tenant and all that it owns: users, groups, policies, settings, sessions and refresh tokens, in one transaction. `None` if
    /// there was none.
    ///
    /// # Errors
    /// [`StoreError::InUse`] for `tenants` below it, [`StoreError::Unavailable`].
    async fn remove_whole_tenant(&self, id: TenantId) -> Result<Option<Revoked>, StoreError>;
}
