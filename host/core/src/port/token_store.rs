//! Sessions and tokens at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{IdentityId, PluginDigest, Session, SessionId, Timestamp, Token, TokenDigest, TokenRecord};

/// A login that is to be made durable: the session and its first token.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The login.
    pub session: Session,
    /// Its token.
    pub token: Token,
}

/// Which tokens to revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeTarget {
    /// One token. Its session ends with its last token.
    Token(TokenDigest),
    /// One login.
    Session(SessionId),
    /// Everything that one identity holds.
    Identity(IdentityId),
    /// Everything that one plugin file ever let in.
    Plugin(PluginDigest),
}

/// What a revocation ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revoked {
    /// The sessions that ended.
    pub sessions: Vec<SessionId>,
    /// The tokens that are no longer good, so that caches can forget them.
    pub tokens: Vec<TokenDigest>,
}

/// What one batch of a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Expired tokens.
    pub tokens: u64,
    /// Sessions that had no token left.
    pub sessions: u64,
}

/// Sessions and tokens at rest.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Writes a session and its token in one transaction, and returns when they survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the identity's directory user or tenant is gone, [`StoreError::Unavailable`].
    async fn open_session(&self, opening: Opening) -> Result<(), StoreError>;

    /// The token with this digest and its session, expired or not; `None` if it was never issued, was revoked or was swept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError>;

    /// Removes the target's tokens, and the sessions that have none left, in one transaction, durably. Revoking nothing is no error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn revoke(&self, target: &RevokeTarget) -> Result<Revoked, StoreError>;

    /// Removes at most `limit` tokens that expired at or before `now`, and the sessions left without a token. Call again while it
    /// removes `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Swept, StoreError>;
}
