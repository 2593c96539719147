//! Policies at rest.

use async_trait::async_trait;

use super::{Revoked, StoreError};
use crate::model::{GroupId, IdentityId, Paged, Policy, PolicyId, Query, TenantId, Timestamp, UserId};

/// Which policies are wanted: those that fit all that is set. Texts are compared in their own spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFilter {
    /// Attached to this identity, directly. Only such policies are counted in `total`.
    pub holder: Option<IdentityId>,
    /// Attached to this group. Only such policies are counted in `total`.
    pub group: Option<GroupId>,
    /// With this id.
    pub id: Option<PolicyId>,
    /// With this name.
    pub name: Option<String>,
    /// With this slug.
    pub slug: Option<String>,
    /// With this description.
    pub description: Option<String>,
    /// Which cannot be changed by those whose tenants the query names, because the configuration or a tenant above defines them; or which can.
    pub read_only: Option<bool>,
}

/// What policies can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PolicyOrder {
    /// Their names, without regard to case.
    #[default]
    Name,
    /// Their slugs, without regard to case.
    Slug,
    /// Their descriptions; those without one first.
    Description,
    /// Their ids.
    Id,
}

/// Policies, and to whom they are attached.
#[async_trait]
pub trait PolicyStore: Send + Sync {
    /// Adds a policy.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `policy name` or `policy slug`: unique within the tenant and among the shared policies of the tenants above,
    /// and where the policy is shared, among all policies of the tenants below; all without regard to case. [`StoreError::Missing`] for the
    /// tenant, [`StoreError::Unavailable`].
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError>;

    /// The policy with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_policy(&self, id: PolicyId) -> Result<Option<Policy>, StoreError>;

    /// The policy of this name in this tenant, without regard to case.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn find_policy_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError>;

    /// The policy of this slug in this tenant, without regard to case; else the shared one of a tenant above.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn find_policy_by_slug(&self, tenant: TenantId, slug: &str) -> Result<Option<Policy>, StoreError>;

    /// Policies of the tenants that the query names, and the shared ones of the tenants above those. A search looks at names, slugs and
    /// descriptions.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn list_policies(&self, query: &Query<PolicyFilter, PolicyOrder>) -> Result<Paged<Policy>, StoreError>;

    /// Gives a policy the name, the description and the accesses of `next`, if what is stored still has the accesses of `current` and is still
    /// managed by whom it was; returns whether it was so.
    ///
    /// # Errors
    /// As [`PolicyStore::add_policy`].
    async fn replace_policy(&self, current: &Policy, next: &Policy) -> Result<bool, StoreError>;

    /// Removes a policy and its attachments; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_policy(&self, id: PolicyId) -> Result<bool, StoreError>;

    /// Attaches a policy; doing so twice is no error.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for `policy`, [`StoreError::Unavailable`].
    async fn attach_policy(&self, policy: PolicyId, to: IdentityId) -> Result<(), StoreError>;

    /// Detaches a policy; returns whether it was attached.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn detach_policy(&self, policy: PolicyId, from: IdentityId) -> Result<bool, StoreError>;

    /// Detaches a policy and ends, in the same transaction, all sessions and refresh tokens of the identity: no token is left that has the policy's accesses,
    /// and no login that is under way gets one. One that is not attached is no error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn take_policy(&self, policy: PolicyId, from: IdentityId, at: Timestamp) -> Result<Revoked, StoreError>;

    /// What an identity may do: the accesses of the top tenant's policy with the slug `default`, if the identity is a user; of the policies of
    /// the user's groups; of the identity's own. Each policy counts once, where it stands first; those of one kind come in the order of their
    /// names, then ids.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn accesses_for(
        &self,
        identity: IdentityId,
        user: Option<UserId>,
        default: Option<&str>,
    ) -> Result<Vec<String>, StoreError>;

    /// The same of many users at once, in their order; nothing for one that there is not.
    ///
    /// # Errors
    /// As [`PolicyStore::find_policy`].
    async fn accesses_of_users(&self, users: &[UserId], default: Option<&str>) -> Result<Vec<Vec<String>>, StoreError>;
}
