//! What mailed links do to users at rest.

use async_trait::async_trait;

use super::{Revoked, StoreError};
use crate::model::{EmailId, Timestamp, UserId};

/// What mailed links do to users.
#[async_trait]
pub trait LinkStore: Send + Sync {
    /// Whose address this is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_email_owner(&self, id: EmailId) -> Result<Option<UserId>, StoreError>;

    /// Notes that an address is its owner's; returns whether there is such an address. To confirm one twice is no error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn confirm_email(&self, id: EmailId) -> Result<bool, StoreError>;

    /// Leaves a user without a password and ends its sessions, in one transaction; `None` if there is no such user. Logins under way are refused, as
    /// they are by [`super::DirectoryStore::set_verifier`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_verifier(&self, id: UserId, at: Timestamp) -> Result<Option<Revoked>, StoreError>;
}
