//! The keys of this dialect: what its tokens and its answers are signed with. They follow from the master key, or are sealed under it, and are good for
//! nothing else.

use std::fmt;
use std::sync::Arc;

use keyway_core::key::MasterKey;
use keyway_core::model::Timestamp;
use keyway_core::token::TokenValue;
use tokio::sync::OnceCell;

use super::jwt::{self, JwtKey};
use super::signature::ResponseKey;
use crate::presented::Unreadable;

/// The keys of this dialect.
pub struct PrivacyideaKeys {
    pub(super) jwt: JwtKey,
    /// What the key for answers is sealed under.
    pub(super) sealing: MasterKey,
    /// Read, or made, when the first answer is signed.
    pub(super) response: OnceCell<Arc<ResponseKey>>,
}

impl PrivacyideaKeys {
    /// Those that follow from this master key. All nodes of an installation have the same.
    pub fn new(master: &MasterKey) -> Self {
        Self {
            jwt: JwtKey::new(&master.derive("keyway/privacyidea/jwt/v1")),
            sealing: MasterKey::new(*master.derive("keyway/privacyidea/seal/v1").expose()),
            response: OnceCell::new(),
        }
    }

    /// The token of the core behind one of this dialect's.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn token_of(&self, text: &str, now: Timestamp) -> Result<TokenValue, Unreadable> {
        match self.jwt.read(text, now) {
            Ok(claims) => Ok(claims.token),
            Err(jwt::Unreadable::Expired) => Err(Unreadable::Expired),
            Err(jwt::Unreadable::Malformed(_)) => Err(Unreadable::Signature),
        }
    }
}

impl fmt::Debug for PrivacyideaKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivacyideaKeys")
    }
}
