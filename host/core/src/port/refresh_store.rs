//! Refresh tokens at rest. They are made together with a session: see [`super::TokenStore::open_session`]; those of another system are
//! brought in.

use async_trait::async_trait;

use super::{RevocationMark, StoreError};
use crate::model::{IdentityId, Paged, Query, RefreshToken, TokenDigest};

/// Which refresh tokens are wanted: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefreshFilter {
    /// Of this identity alone: `total` counts no others.
    pub identity: Option<IdentityId>,
    /// Of the client with this id, in this spelling.
    pub client_id: Option<String>,
    /// Of mobile clients, or of others.
    pub mobile: Option<bool>,
}

/// What refresh tokens can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshOrder {
    /// When they were made.
    #[default]
    Created,
    /// Their clients' ids, without regard to case.
    Client,
    /// Those of mobile clients last.
    Mobile,
}

/// Refresh tokens.
#[async_trait]
pub trait RefreshStore: Send + Sync {
    /// The refresh token with this digest, expired or not, and the latest mark when it was read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_refresh_token(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(RefreshToken, RevocationMark)>, StoreError>;

    /// The refresh token that this client has of this identity, expired or not.
    ///
    /// # Errors
    /// As [`RefreshStore::find_refresh_token`].
    async fn find_refresh_token_of(
        &self,
        identity: IdentityId,
        client_id: &str,
    ) -> Result<Option<RefreshToken>, StoreError>;

    /// Refresh tokens. A search looks at the clients' ids.
    ///
    /// # Errors
    /// As [`RefreshStore::find_refresh_token`].
    async fn list_refresh_tokens(
        &self,
        query: &Query<RefreshFilter, RefreshOrder>,
    ) -> Result<Paged<RefreshToken>, StoreError>;

    /// Brings in a refresh token from elsewhere; returns whether it is new. The client's token that is there stays, and so does one with the same
    /// digest.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the `user` or its tenant, [`StoreError::Unavailable`].
    async fn add_refresh_token(&self, token: &RefreshToken) -> Result<bool, StoreError>;

    /// Removes the refresh token that this client has of this identity; returns whether there was one. Sessions that were opened with it go
    /// on; one that is being opened with it is refused or was opened before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_refresh_token(&self, identity: IdentityId, client_id: &str) -> Result<bool, StoreError>;
}
