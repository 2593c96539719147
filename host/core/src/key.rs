//! The server's keys: the master key, what is sealed under it, and the key that hashes tokens.

use crate::Secret;
use crate::model::TokenDigest;
use crate::port::{Clock, Random, Store, StoreError};
use crate::token::TokenValue;

/// The key that all others are sealed under. 32 bytes from a file or a variable; never in the store.
#[derive(Debug, Clone)]
pub struct MasterKey(#[expect(dead_code, reason = "skeleton")] Secret<[u8; 32]>);

/// Why keys could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store did not answer.
    #[error("the server's keys cannot be read")]
    Store(#[from] StoreError),
    /// A sealed key does not open: another master key is in place than the one it was sealed under.
    #[error("key {0} was sealed under another master key")]
    WrongMasterKey(i32),
}

impl MasterKey {
    /// Takes the bytes in.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// A key for one purpose (HKDF-SHA-256), the compiled-plugin cache's for example.
    pub fn derive(&self, _label: &str) -> Secret<[u8; 32]> {
        todo!()
    }
}

/// The keys that hash tokens, newest last.
#[derive(Debug)]
pub struct KeyRing {}

impl KeyRing {
    /// Opens the keys in the store, and makes the first one where there is none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn open(
        _store: &dyn Store,
        _master: &MasterKey,
        _random: &dyn Random,
        _clock: &dyn Clock,
    ) -> Result<Self, KeyError> {
        todo!()
    }

    /// The digest under the newest key: what a new token is stored under.
    pub fn digest(&self, _token: &TokenValue) -> TokenDigest {
        todo!()
    }

    /// The digests under every key, newest first: what an old token may be stored under.
    pub fn digests(&self, _token: &TokenValue) -> impl Iterator<Item = TokenDigest> {
        std::iter::empty()
    }
}
