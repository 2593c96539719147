//! The server's own keys at rest, sealed.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{KeyId, Timestamp};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// HMAC over tokens.
    TokenHash,
}

impl KeyPurpose {
    /// The name that the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenHash => "token-hash",
        }
    }
}

/// A key, sealed under the master key. The store cannot open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its id, unique for all purposes.
    pub id: KeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The server's own keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All keys of this purpose, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn list_keys(&self, purpose: KeyPurpose) -> Result<Vec<SealedKey>, StoreError>;

    /// Adds a key unless another node has added one with this id in the meantime; returns whether it was added.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn add_key(&self, key: &SealedKey) -> Result<bool, StoreError>;
}
