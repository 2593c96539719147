//! Accounts and profiles at rest: what Kazoo's and Webitel's clients know of tenants and users.

use async_trait::async_trait;

use super::{Revoked, StoreError};
use crate::model::{Account, Profile, TenantId, Timestamp, UserId};

/// Accounts and profiles at rest. They go with their tenants and users.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// What was said of this tenant; `None` for nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_account(&self, tenant: TenantId) -> Result<Option<Account>, StoreError>;

    /// All that something was said of.
    ///
    /// # Errors
    /// As [`AccountStore::find_account`].
    async fn list_accounts(&self) -> Result<Vec<Account>, StoreError>;

    /// Puts an account in the place of what was said of its tenant, in one transaction, but for an [`Account::api_key`] below the one that is there: who read
    /// the account before its key was made anew does not bring the old one back. Other nodes hear of it as
    /// [`Change::TenantsChanged`](super::Change::TenantsChanged). If `at` that time nobody of it may log in, all sessions and refresh tokens of its users
    /// end in the same transaction, and logins under way are refused: [`super::TokenStore::open_session`] looks at the account.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `tenant`, [`StoreError::Conflict`] on `phone number`, [`StoreError::Unavailable`].
    async fn put_account(&self, account: &Account, at: Timestamp) -> Result<Revoked, StoreError>;

    /// What was said of this user; `None` for nothing.
    ///
    /// # Errors
    /// As [`AccountStore::find_account`].
    async fn find_profile(&self, user: UserId) -> Result<Option<Profile>, StoreError>;

    /// What was said of these users; those of whom nothing was said are left out.
    ///
    /// # Errors
    /// As [`AccountStore::find_account`].
    async fn list_profiles(&self, users: &[UserId]) -> Result<Vec<Profile>, StoreError>;

    /// Puts a profile in the place of what was said of its user.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `user`, [`StoreError::Unavailable`].
    async fn put_profile(&self, profile: &Profile) -> Result<(), StoreError>;
}
