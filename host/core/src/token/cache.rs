//! A positive cache in front of the store, which revocation reaches at once.

use crate::port::{Change, Revoked};

/// Live tokens by digest.
pub struct TokenCache {}

impl TokenCache {
    /// Holds at most `capacity` tokens.
    pub fn new(_capacity: usize) -> Self {
        todo!()
    }

    /// Forgets what a revocation ended. A look-up that is under way cannot bring it back.
    pub fn forget(&self, _revoked: &Revoked) {
        todo!()
    }

    /// Follows a change that another node made.
    pub fn apply(&self, _change: &Change) {
        todo!()
    }
}
