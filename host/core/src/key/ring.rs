//! The keys that hash tokens.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::{KeyError, MasterKey, derive, seal};
use crate::Secret;
use crate::model::{KeyId, RefreshToken, RefreshTokenId, TokenDigest};
use crate::port::{Clock, KeyPurpose, Random, SealedKey, Store, StoreError};
use crate::token::TokenValue;

/// The keys that hash tokens, newest last.
pub struct KeyRing {
    /// There is always one, or `open` fails.
    newest: RingKey,
    /// Newest first.
    older: Vec<RingKey>,
}

/// A key as HMAC's inner and outer state, so that a digest costs two compressions and not four.
struct RingKey {
    id: KeyId,
    state: Hmac<Sha256>,
    /// What refresh tokens are derived with: a key of its own, so that no digest can be taken for a token.
    refresh: Hmac<Sha256>,
}

impl KeyRing {
    /// Opens the keys in the store, and makes the first one where there is none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn open(
        store: &dyn Store,
        master: &MasterKey,
        random: &dyn Random,
        clock: &dyn Clock,
    ) -> Result<Self, KeyError> {
        let mut sealed = store.list_keys(KeyPurpose::TokenHash).await?;
        if sealed.is_empty() {
            // If another node adds its own first key meanwhile, that one is everybody's.
            store.add_key(&first_key(master, random, clock)).await?;
            sealed = store.list_keys(KeyPurpose::TokenHash).await?;
        }
        let mut keys = sealed
            .iter()
            .rev()
            .map(|key| RingKey::unseal(master, key))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let newest = keys.next().ok_or_else(|| StoreError::Inconsistent {
            what: "a key that was just added is not there".to_owned(),
        })?;
        Ok(Self {
            newest,
            older: keys.collect(),
        })
    }

    /// The digest under the newest key: what a new token is stored under.
    pub fn digest(&self, token: &TokenValue) -> TokenDigest {
        self.newest.digest(token)
    }

    /// The digests under every key, newest first: what an old token may be stored under.
    pub fn digests(&self, token: &TokenValue) -> impl Iterator<Item = TokenDigest> {
        std::iter::once(&self.newest)
            .chain(&self.older)
            .map(|key| key.digest(token))
    }
}

impl KeyRing {
    /// A new refresh token's text and what it is stored under. The text follows from the id and a server key, so that the same text can be
    /// given out again, though the store does not hold it.
    pub fn refresh_token(&self, id: RefreshTokenId) -> (TokenValue, TokenDigest) {
        let value = self.newest.refresh_value(id);
        let digest = self.newest.digest(&value);
        (value, digest)
    }

    /// The text of a refresh token that is in the store; `None` for one that was not made by [`KeyRing::refresh_token`], but brought in from
    /// another system.
    pub fn refresh_value(&self, stored: &RefreshToken) -> Option<TokenValue> {
        let mut keys = std::iter::once(&self.newest).chain(&self.older);
        let key = keys.find(|key| key.id == stored.digest.key)?;
        let value = key.refresh_value(stored.id);
        (key.digest(&value) == stored.digest).then_some(value)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.older.len() + 1)
    }
}

impl RingKey {
    fn unseal(master: &MasterKey, key: &SealedKey) -> Result<Self, KeyError> {
        let bytes = seal::open(master, key.purpose, key.id, &key.sealed).ok_or(KeyError::WrongMasterKey(key.id.0))?;
        Ok(Self {
            id: key.id,
            state: derive::keyed(bytes.expose()),
            refresh: derive::keyed(derive::hkdf_sha256(b"keyway", bytes.expose(), b"keyway/refresh/v1").expose()),
        })
    }

    /// A version 4 UUID, of which nothing can be said without the key.
    fn refresh_value(&self, id: RefreshTokenId) -> TokenValue {
        let mut hmac = self.refresh.clone();
        hmac.update(id.0.as_bytes());
        let hash: [u8; 32] = hmac.finalize().into_bytes().into();
        let first = hash.first_chunk().copied().unwrap_or_default();
        TokenValue::new(uuid::Builder::from_random_bytes(first).into_uuid())
    }

    fn digest(&self, token: &TokenValue) -> TokenDigest {
        let mut hmac = self.state.clone();
        hmac.update(token.bytes());
        TokenDigest {
            key: self.id,
            hash: hmac.finalize().into_bytes().into(),
        }
    }
}

fn first_key(master: &MasterKey, random: &dyn Random, clock: &dyn Clock) -> SealedKey {
    let (id, purpose) = (KeyId(1), KeyPurpose::TokenHash);
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    random.fill(&mut *bytes);
    SealedKey {
        id,
        purpose,
        sealed: seal::seal(master, purpose, id, &Secret::new(*bytes), random),
        created_at: clock.now(),
    }
}
