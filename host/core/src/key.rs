//! The server's keys: the master key, what is sealed under it, and the key that hashes tokens.

mod derive;
mod ring;
mod seal;
#[cfg(test)]
mod tests;

use crate::Secret;
use crate::port::{Random, StoreError};

pub(crate) use derive::keyed;
pub use ring::KeyRing;
pub use seal::Sealer;
#[cfg(test)]
pub(crate) use tests::second_key;

/// The key that all others are sealed under. 32 bytes from a file or a variable; never in the store.
#[derive(Debug, Clone)]
pub struct MasterKey(Secret<[u8; 32]>);

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
    pub fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        derive::hkdf_sha256(b"keyway", self.0.expose(), label.as_bytes())
    }

    /// Seals a secret for one place, `setting/ldap/TENANT` for example. It can be opened for no other.
    pub fn seal(&self, place: &str, secret: &Secret<Vec<u8>>, random: &dyn Random) -> Vec<u8> {
        seal::seal_bytes(self, place.as_bytes(), secret.expose(), random)
    }

    /// The secret, if this key sealed it for this place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        seal::open_bytes(self, place.as_bytes(), sealed)
    }
}
