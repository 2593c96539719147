//! API keys of accounts. See [`crate::token::KeyLogin`] for the login with one.

use super::AccountService;
use crate::Secret;
use crate::access::AccessList;
use crate::directory::DirectoryError;
use crate::model::TenantId;
use crate::rights::PrivLevel;

/// What stands for an account as the subject of a session that was opened with its API key.
pub fn key_subject(tenant: TenantId) -> String {
    format!("account:{tenant}")
}

impl AccountService {
    /// The API key of an account, 64 hexadecimal digits; an account that has none gets one. `by` is what the caller may do itself: the key gives nobody more.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], as [`AccountService::key_accesses`] too; [`DirectoryError::AccessDenied`] for an access of the key that the caller lacks;
    /// [`DirectoryError::Store`].
    pub async fn api_key(&self, tenant: TenantId, by: &AccessList) -> Result<Secret<String>, DirectoryError> {
        self.may_hold_key(by).await?;
        let mut account = self.get_account(tenant).await?;
        if account.api_key == 0 {
            let first = |mut current: crate::model::Account| {
                current.api_key = current.api_key.max(1);
                Ok(current)
            };
            account = self.changes.change(tenant, first).await?;
        }
        Ok(self.accounts.keys().key(tenant, account.api_key))
    }

    /// Makes the API key of an account anew and returns it. The one before is good no more, and its sessions have ended.
    ///
    /// # Errors
    /// As [`AccountService::api_key`].
    pub async fn renew_api_key(&self, tenant: TenantId, by: &AccessList) -> Result<Secret<String>, DirectoryError> {
        self.may_hold_key(by).await?;
        let account = self.changes.renew_key(tenant).await?;
        tracing::info!(%tenant, "the API key of an account was made anew");
        Ok(self.accounts.keys().key(tenant, account.api_key))
    }

    async fn may_hold_key(&self, by: &AccessList) -> Result<(), DirectoryError> {
        match by.overstep(&[], &self.key_accesses().await?) {
            Some(access) => Err(DirectoryError::AccessDenied(access.to_owned())),
            None => Ok(()),
        }
    }

    /// What a session of an API key may do: the accesses of the policy by which clients make somebody an administrator.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`] where the table of rights names none, or the top tenant does not have it; [`DirectoryError::Store`].
    pub async fn key_accesses(&self) -> Result<Vec<String>, DirectoryError> {
        let rights = self.rights.load();
        let slug = rights
            .given_by_level(PrivLevel::Admin)
            .and_then(|right| right.policy.as_deref());
        let slug = slug.ok_or_else(|| DirectoryError::not_found("policy", "(of the level `admin`)"))?;
        let master = self.index().await?.master();
        let policy = self.store.find_policy_by_slug(master, slug).await?;
        let policy = policy.ok_or_else(|| DirectoryError::not_found("policy", slug))?;
        Ok(policy.accesses)
    }
}
