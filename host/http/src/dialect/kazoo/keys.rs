//! The keys of this dialect, which follow from the master key or are sealed under it, and what is remembered of tokens that they verified.

use std::fmt;
use std::sync::Arc;

use keyway_core::key::MasterKey;
use keyway_core::model::Timestamp;
use keyway_core::port::{DocumentStore, Random, Store};
use keyway_core::token::TokenValue;
use tokio::sync::OnceCell;

use super::jwt::{self, Claims, IdentityKey, Verified};
use super::signing::{SigningError, SigningKey};
use crate::memory::Memory;
use crate::presented::Unreadable;

/// Longer texts are none of ours.
const MAX_LENGTH: usize = 4096;

/// How many verified tokens, and how many credentials of the Basic scheme, are remembered.
const REMEMBERED: usize = 16_384;

/// The keys of this dialect.
pub(super) struct KazooKeys {
    pub(super) identity: IdentityKey,
    /// What the key for tokens is sealed under.
    sealing: MasterKey,
    /// Read, or made, when the first token is signed or verified.
    signing: OnceCell<Arc<SigningKey>>,
    verified: Memory<Verified>,
    basic: Memory<TokenValue>,
}

/// Why a token was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is not good.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no key to read it with.
    #[error(transparent)]
    Key(#[from] SigningError),
}

impl KazooKeys {
    /// Those that follow from this master key. All nodes of an installation have the same.
    pub(super) fn new(master: &MasterKey) -> Self {
        Self {
            identity: IdentityKey::new(&master.derive("keyway/kazoo/identity/v1")),
            sealing: MasterKey::new(*master.derive("keyway/kazoo/seal/v1").expose()),
            signing: OnceCell::new(),
            verified: Memory::new(&master.derive("keyway/kazoo/memory/jwt/v1"), REMEMBERED),
            basic: Memory::new(&master.derive("keyway/kazoo/memory/basic/v1"), REMEMBERED),
        }
    }

    /// The key that tokens are signed with.
    ///
    /// # Errors
    /// [`SigningError`].
    pub(super) async fn signing(
        &self,
        store: &dyn Store,
        random: &Arc<dyn Random>,
    ) -> Result<&Arc<SigningKey>, SigningError> {
        let documents: &dyn DocumentStore = store;
        let open = || async { Ok(Arc::new(SigningKey::open(documents, &self.sealing, random).await?)) };
        self.signing.get_or_try_init(open).await
    }

    /// The token's text.
    ///
    /// # Errors
    /// [`SigningError`].
    pub(super) async fn sign(
        &self,
        claims: &Claims,
        store: &dyn Store,
        random: &Arc<dyn Random>,
    ) -> Result<String, SigningError> {
        let key = self.signing(store, random).await?;
        let unsigned = jwt::unsigned(&claims.bound_by(&self.identity), key);
        let signature = Arc::clone(key).sign(unsigned.clone()).await?;
        let text = jwt::signed(&unsigned, &signature);
        let verified = Verified {
            token: claims.token.clone(),
            expires_at: Timestamp(claims.expires_at.0.div_euclid(1_000_000) * 1_000_000),
        };
        self.verified.insert(text.as_bytes(), verified);
        Ok(text)
    }

    /// The token of the core behind one of ours.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) async fn read(
        &self,
        text: &str,
        now: Timestamp,
        store: &dyn Store,
        random: &Arc<dyn Random>,
    ) -> Result<TokenValue, ReadError> {
        if text.len() > MAX_LENGTH {
            return Err(Unreadable::Malformed.into());
        }
        let verified = if let Some(verified) = self.verified.get(text.as_bytes()) {
            verified
        } else {
            let key = self.signing(store, random).await?;
            let verified = jwt::read(text, key, &self.identity)?;
            self.verified.insert(text.as_bytes(), verified.clone());
            verified
        };
        if verified.expires_at <= now {
            return Err(Unreadable::Expired.into());
        }
        Ok(verified.token)
    }

    /// The token of the session that these credentials of the Basic scheme opened before.
    pub(super) fn remembered(&self, credentials: &[u8]) -> Option<TokenValue> {
        self.basic.get(credentials)
    }

    /// Remembers the session that these credentials opened.
    pub(super) fn remember(&self, credentials: &[u8], token: TokenValue) {
        self.basic.insert(credentials, token);
    }
}

impl fmt::Debug for KazooKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KazooKeys")
    }
}
