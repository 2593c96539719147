//! Policies attached to users and groups, and what a caller must hold itself to do so.
//!
//! Nobody passes on an access that it lacks, be it by writing it into a policy, by attaching one that somebody else wrote, or by making somebody a
//! member of a group that has one: a caller that may do these could otherwise take whatever any policy holds. Nor does anybody lift a denial that
//! binds it, be it by removing it from a policy, by detaching or removing the policy, or by leaving or removing a group.
//!
//! A wildcard that reaches into what the caller is denied is passed on only in a policy that denies the same.

use crate::access::AccessList;
use crate::directory::{DirectoryError, DirectoryService};
use crate::model::{GroupId, Policy, Query, TenantScope, UserId};
use crate::port::PolicyFilter;

/// Whether who holds these accesses may make `next` of `current`.
pub(super) fn may_change(held: &AccessList, current: &[String], next: &[String]) -> Result<(), DirectoryError> {
    match held.overstep(current, next) {
        Some(access) => Err(DirectoryError::AccessDenied(access.to_owned())),
        None => Ok(()),
    }
}

/// Whether who holds these accesses may give the policy to somebody.
fn may_give(held: &AccessList, policy: &Policy) -> Result<(), DirectoryError> {
    may_change(held, &[], &policy.accesses)
}

/// Whether who holds these accesses may take the policy from somebody. Whoever loses an access by it, it is not the caller who gains one, unless
/// the policy denies something.
pub(super) fn may_take(held: &AccessList, policy: &Policy) -> Result<(), DirectoryError> {
    let denials = policy.accesses.iter().filter(|access| access.starts_with('!'));
    may_change(held, &denials.cloned().collect::<Vec<_>>(), &[])
}

impl DirectoryService {
    /// Whether who holds these accesses may give somebody what the group has.
    pub(in crate::directory) async fn may_enroll(
        &self,
        group: GroupId,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let policies = self.policies_of_group(group).await?;
        policies.iter().try_for_each(|policy| may_give(held, policy))
    }

    /// Whether who holds these accesses may take from somebody what the group has.
    pub(in crate::directory) async fn may_expel(
        &self,
        group: GroupId,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let policies = self.policies_of_group(group).await?;
        policies.iter().try_for_each(|policy| may_take(held, policy))
    }

    async fn policies_of_group(&self, group: GroupId) -> Result<Vec<Policy>, DirectoryError> {
        let filter = PolicyFilter {
            group: Some(group),
            ..PolicyFilter::default()
        };
        let query = Query {
            filter,
            ..Query::all(TenantScope::All)
        };
        Ok(self.store.list_policies(&query).await?.items)
    }

    /// Attaches a policy (uuid or slug) to a user; doing so twice is no error. Tokens that were issued before keep their accesses. `held` is what
    /// the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::AccessDenied`] for an access of the policy that the caller lacks.
    pub async fn attach_user_policy(
        &self,
        user: UserId,
        policy: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let user = self.get_user_in(user, scope).await?;
        let policy = self.get_policy_in(policy, scope).await?;
        may_give(held, &policy)?;
        Ok(self.store.attach_policy(policy.id, user.id.into()).await?)
    }

    /// Detaches a policy (uuid or slug) from a user; one that is not attached is no error.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::AccessDenied`] for an access that the policy denies and the caller lacks.
    pub async fn detach_user_policy(
        &self,
        user: UserId,
        policy: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let user = self.get_user_in(user, scope).await?;
        let policy = self.get_policy_in(policy, scope).await?;
        may_take(held, &policy)?;
        self.store.detach_policy(policy.id, user.id.into()).await?;
        Ok(())
    }

    /// As [`DirectoryService::detach_user_policy`], and ends the user's sessions with it, so that no token is left that has the policy's accesses.
    ///
    /// # Errors
    /// As [`DirectoryService::detach_user_policy`].
    pub(crate) async fn take_user_policy(
        &self,
        user: UserId,
        policy: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let user = self.get_user_in(user, scope).await?;
        let policy = self.get_policy_in(policy, scope).await?;
        may_take(held, &policy)?;
        let (policy, now) = (policy.id, self.clock.now());
        let take = self.revoking("take a policy", move |store| async move {
            store.take_policy(policy, user.id.into(), now).await.map(Some)
        });
        take.await?;
        Ok(())
    }

    /// Attaches a policy (uuid or slug) to a group, the host's own included; doing so twice is no error.
    ///
    /// # Errors
    /// As [`DirectoryService::attach_user_policy`].
    pub async fn attach_group_policy(
        &self,
        group: GroupId,
        policy: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let group = self.get_group(group, scope).await?;
        let policy = self.get_policy_in(policy, scope).await?;
        may_give(held, &policy)?;
        Ok(self.store.attach_group_policy(group.id, policy.id).await?)
    }

    /// Detaches a policy (uuid or slug) from a group; one that is not attached is no error.
    ///
    /// # Errors
    /// As [`DirectoryService::detach_user_policy`].
    pub async fn detach_group_policy(
        &self,
        group: GroupId,
        policy: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let group = self.get_group(group, scope).await?;
        let policy = self.get_policy_in(policy, scope).await?;
        may_take(held, &policy)?;
        self.store.detach_group_policy(group.id, policy.id).await?;
        Ok(())
    }
}
