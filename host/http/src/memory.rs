//! What is remembered of texts that callers present, such as tokens that were verified: by a keyed digest, so that no text is kept.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use quick_cache::sync::Cache;
use sha2::Sha256;

/// What was found out about texts. The least used is forgotten when there are too many.
pub(crate) struct Memory<V> {
    key: Hmac<Sha256>,
    values: Cache<[u8; 32], V>,
}

impl<V: Clone> Memory<V> {
    /// Of at most so many texts. The key must serve nothing else.
    pub(crate) fn new(key: &Secret<[u8; 32]>, capacity: usize) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let key = Hmac::new_from_slice(key.expose()).expect("a key of any length");
        Self {
            key,
            values: Cache::new(capacity),
        }
    }

    /// What is remembered of a text.
    pub(crate) fn get(&self, text: &[u8]) -> Option<V> {
        self.values.get(&self.place(text))
    }

    /// Remembers this of a text.
    pub(crate) fn insert(&self, text: &[u8], value: V) {
        self.values.insert(self.place(text), value);
    }

    fn place(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = self.key.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

impl<V> fmt::Debug for Memory<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
