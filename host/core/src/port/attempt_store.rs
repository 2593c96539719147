//! Attempts to log in, as the administrators of an account see them.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{IdentityId, Paged, TenantId, Timestamp};

/// An attempt, before the store has numbered it. No field holds a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// When it was made; it may be written later.
    pub at: Timestamp,
    /// The account.
    pub tenant: TenantId,
    /// Who it was, where somebody was let in or impersonated.
    pub identity: Option<IdentityId>,
    /// Who did it in the place of that one, by impersonation.
    pub actor: Option<IdentityId>,
    /// The kind: `user_auth`, `user_auth_recovery`, `api_auth`, `impersonation`.
    pub kind: String,
    /// Whether it was let in.
    pub success: bool,
    /// What happened, in words.
    pub message: String,
    /// The caller's IP address.
    pub client: String,
    /// The caller's `User-Agent`, cut at 512 bytes.
    pub user_agent: String,
    /// The id under which the request is logged.
    pub request_id: String,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub attempt: NewAttempt,
}

/// Attempts at rest. They go with their tenants.
#[async_trait]
pub trait AttemptStore: Send + Sync {
    /// Writes one, durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `tenant`, [`StoreError::Unavailable`].
    async fn record_attempt(&self, attempt: &NewAttempt) -> Result<(), StoreError>;

    /// Those of an account at or after `since` and before `until`, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn list_attempts(
        &self,
        tenant: TenantId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<Attempt>, StoreError>;

    /// One of an account.
    ///
    /// # Errors
    /// As [`AttemptStore::list_attempts`].
    async fn find_attempt(&self, tenant: TenantId, id: i64) -> Result<Option<Attempt>, StoreError>;

    /// Removes at most `batch` of those that are older than `before`; returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sweep_attempts(&self, before: Timestamp, batch: u32) -> Result<u64, StoreError>;
}
