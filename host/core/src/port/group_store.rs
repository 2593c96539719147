//! Groups at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Group, GroupId, Paged, PolicyId, Query, UserId};

/// Which groups are wanted: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// With this id.
    pub id: Option<GroupId>,
    /// With this name, in this spelling.
    pub name: Option<String>,
    /// With this slug, in this spelling.
    pub slug: Option<String>,
    /// The host's own, or those that are not.
    pub system: Option<bool>,
    /// Of which this user is a member. The `total` of a list counts these, as it counts those in scope.
    pub member: Option<UserId>,
    /// To which this policy is attached.
    pub policy: Option<PolicyId>,
    /// To which a policy of this slug is attached.
    pub policy_slug: Option<String>,
}

/// What groups can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupOrder {
    /// Their names, without regard to case.
    #[default]
    Name,
    /// Their slugs, without regard to case.
    Slug,
    /// Their ids.
    Id,
}

/// Groups, their members and their policies.
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// Adds a group.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `group name` or `group slug` (both unique within the tenant, without regard to case),
    /// [`StoreError::Missing`] for the `tenant`, [`StoreError::Unavailable`].
    async fn add_group(&self, group: &Group) -> Result<(), StoreError>;

    /// The group with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_group(&self, id: GroupId) -> Result<Option<Group>, StoreError>;

    /// Groups. A search looks at names and slugs.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list_groups(&self, query: &Query<GroupFilter, GroupOrder>) -> Result<Paged<Group>, StoreError>;

    /// The names of the groups of which a user is a member, in their order, without the host's own: at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn group_names(&self, member: UserId, limit: u32) -> Result<Vec<String>, StoreError>;

    /// Gives a group another name; returns whether there is such a group.
    ///
    /// # Errors
    /// As [`GroupStore::add_group`].
    async fn rename_group(&self, id: GroupId, name: &str) -> Result<bool, StoreError>;

    /// Removes a group and its attachments; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_group(&self, id: GroupId) -> Result<bool, StoreError>;

    /// Makes a user a member; doing so twice is no error.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `group` or the `user`, [`StoreError::Unavailable`].
    async fn add_group_member(&self, group: GroupId, user: UserId) -> Result<(), StoreError>;

    /// Ends a membership; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_group_member(&self, group: GroupId, user: UserId) -> Result<bool, StoreError>;

    /// Attaches a policy to a group; doing so twice is no error.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `group` or the `policy`, [`StoreError::Unavailable`].
    async fn attach_group_policy(&self, group: GroupId, policy: PolicyId) -> Result<(), StoreError>;

    /// Detaches a policy from a group; returns whether it was attached.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn detach_group_policy(&self, group: GroupId, policy: PolicyId) -> Result<bool, StoreError>;
}
