//! Tokens as the store knows them: never the token itself.

use std::fmt;
use std::sync::Arc;

use super::{Session, SessionId, Timestamp};

/// Which server key a digest was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub i32);

/// HMAC-SHA-256 over a token under the server key [`KeyId`]: what the store keeps in place of the token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest {
    /// The key.
    pub key: KeyId,
    /// The hash.
    pub hash: [u8; 32],
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({})", self.key.0)
    }
}

/// A token without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// How it is found.
    pub digest: TokenDigest,
    /// The login that it belongs to.
    pub session: SessionId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is no longer good.
    pub expires_at: Timestamp,
    /// What it may do, frozen when it was issued. The first access patterns are the policies', in their order.
    pub accesses: Arc<[String]>,
}

/// A token and its session, as a check needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// The token.
    pub token: Token,
    /// The login that it belongs to.
    pub session: Session,
}
