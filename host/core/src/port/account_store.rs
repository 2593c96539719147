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

    /// Puts an account in the place of `before`, in one transaction: of what was read of the same tenant, or [`Account::of`] if nothing was said of it.
    /// `None` if there is something else by now, and then nothing is written: nobody brings back what another changed meanwhile. Other nodes hear of it as
    /// [`Change::TenantsChanged`](super::Change::TenantsChanged).
    ///
    /// If it is closed `at` that time, all sessions and refresh tokens of its users and of those of the tenants below it end in the same transaction, and
    /// logins under way are refused: [`super::TokenStore::open_session`] looks at the account. Else no token of theirs is good after the end of its trial.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `tenant`, [`StoreError::Conflict`] on `phone number`, [`StoreError::Unavailable`].
    async fn put_account(
        &self,
        before: &Account,
        account: &Account,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError>;

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

    /// Puts a profile in the place of `before`: of what was read of the same user, or [`Profile::of`] if nothing was said of it. Returns whether that still
    /// is what is there; else nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `user`, [`StoreError::Unavailable`].
    async fn put_profile(&self, before: &Profile, profile: &Profile) -> Result<bool, StoreError>;
}
