//! Policies at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{IdentityId, Policy, TenantId};

/// Policies, and to whom they are attached.
#[async_trait]
pub trait PolicyStore: Send + Sync {
    /// Adds a policy.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `policy name`, [`StoreError::Missing`] for the tenant, [`StoreError::Unavailable`].
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError>;

    /// The policy of this name in this tenant, without regard to case.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_policy(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError>;

    /// All policies, ordered by name, then id.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn list_policies(&self) -> Result<Vec<Policy>, StoreError>;

    /// Removes a policy and its attachments; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_policy(&self, tenant: TenantId, name: &str) -> Result<bool, StoreError>;

    /// Attaches a policy; doing so twice is no error.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for `policy`, [`StoreError::Unavailable`].
    async fn attach_policy(&self, policy: &Policy, to: IdentityId) -> Result<(), StoreError>;

    /// Detaches a policy; returns whether it was attached.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn detach_policy(&self, policy: &Policy, from: IdentityId) -> Result<bool, StoreError>;

    /// The policies attached to an identity, ordered by name, then id.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn policies_of(&self, identity: IdentityId) -> Result<Vec<Policy>, StoreError>;
}
