//! Policies, by their names in the top tenant, as an operator speaks of them. What a caller of an API may do with them is in `policy/`.

mod grant;
mod scoped;

use uuid::Uuid;

use super::{DirectoryError, DirectoryService, validate};
use crate::model::{IdentityId, Paged, Policy, PolicyId, Query};
use crate::port::{PolicyFilter, PolicyOrder, StoreError};

pub use scoped::{NewPolicy, PolicyChange};

/// The policy that administrators get. It holds `#`, which grants everything.
pub const ADMIN_POLICY: &str = "admin";

impl DirectoryService {
    /// Adds a policy to the top tenant.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_policy(&self, name: &str, accesses: Vec<String>) -> Result<Policy, DirectoryError> {
        validate::policy_name(name)?;
        validate::accesses(&accesses)?;
        let policy = Policy::new(
            PolicyId(self.random.uuid()),
            self.tenants.master().await?,
            name,
            accesses,
        );
        self.store.add_policy(&policy).await?;
        Ok(policy)
    }

    /// Policies: see [`crate::port::PolicyStore::list_policies`].
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_policies(
        &self,
        query: &Query<PolicyFilter, PolicyOrder>,
    ) -> Result<Paged<Policy>, DirectoryError> {
        Ok(self.store.list_policies(query).await?)
    }

    /// Removes a policy.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Protected`] for one that the configuration defines.
    pub async fn remove_policy(&self, name: &str) -> Result<Policy, DirectoryError> {
        let policy = self.get_policy(name).await?;
        if policy.managed {
            return Err(scoped::protected(&policy));
        }
        if self.store.remove_policy(policy.id).await? {
            Ok(policy)
        } else {
            Err(DirectoryError::not_found("policy", name))
        }
    }

    /// Attaches a policy to a user (uuid or login) or to any identity (uuid). Tokens that were issued before keep their accesses.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn attach_policy(&self, policy: &str, to: &str) -> Result<Policy, DirectoryError> {
        let policy = self.get_policy(policy).await?;
        let identity = self.get_identity(to).await?;
        self.store.attach_policy(policy.id, identity).await?;
        Ok(policy)
    }

    /// Detaches a policy; one that is not attached is no error.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn detach_policy(&self, policy: &str, from: &str) -> Result<Policy, DirectoryError> {
        let policy = self.get_policy(policy).await?;
        let identity = self.get_identity(from).await?;
        self.store.detach_policy(policy.id, identity).await?;
        Ok(policy)
    }

    /// The policy for administrators, made where it is missing. One that is there must hold `#`: what else an operator made of it is not what a
    /// new administrator is promised.
    pub(super) async fn ensure_admin_policy(&self) -> Result<Policy, DirectoryError> {
        let master = self.tenants.master().await?;
        if self.store.find_policy_by_name(master, ADMIN_POLICY).await?.is_none() {
            match self.add_policy(ADMIN_POLICY, vec!["#".to_owned()]).await {
                // Another node was quicker, if there is a conflict.
                Ok(_) | Err(DirectoryError::Store(StoreError::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        let policy = self.get_policy(ADMIN_POLICY).await?;
        if policy.accesses.iter().any(|access| access == "#") {
            Ok(policy)
        } else {
            Err(DirectoryError::Invalid {
                field: "admin",
                rule: "the policy `admin` exists and does not hold `#`",
            })
        }
    }

    async fn get_policy(&self, name: &str) -> Result<Policy, DirectoryError> {
        let master = self.tenants.master().await?;
        let policy = self.store.find_policy_by_name(master, name).await?;
        policy.ok_or_else(|| DirectoryError::not_found("policy", name))
    }

    /// A user's identity, or any other by its id; the store knows no list of the latter.
    async fn get_identity(&self, selector: &str) -> Result<IdentityId, DirectoryError> {
        match self.find_selected(selector).await? {
            Some(user) => Ok(user.id.into()),
            None => Uuid::try_parse(selector)
                .map(IdentityId)
                .map_err(|_| DirectoryError::not_found("user", selector)),
        }
    }
}
