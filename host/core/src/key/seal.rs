//! Sealing keys and other secrets under the master key: XChaCha20-Poly1305 with a random nonce. What a secret is for, a key's purpose and
//! id for example, is authenticated with it, so no sealed secret can stand in another's place.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};

use super::MasterKey;
use crate::Secret;
use crate::model::KeyId;
use crate::port::{KeyPurpose, Random};

const NONCE_LENGTH: usize = 24;

/// The nonce and the ciphertext.
pub(super) fn seal(
    master: &MasterKey,
    purpose: KeyPurpose,
    id: KeyId,
    key: &Secret<[u8; 32]>,
    random: &dyn Random,
) -> Vec<u8> {
    seal_bytes(master, &associated(purpose, id), key.expose(), random)
}

/// The key, if this master key sealed it for this purpose and id.
pub(super) fn open(master: &MasterKey, purpose: KeyPurpose, id: KeyId, sealed: &[u8]) -> Option<Secret<[u8; 32]>> {
    let key = open_bytes(master, &associated(purpose, id), sealed)?;
    Some(Secret::new(key.expose().as_slice().try_into().ok()?))
}

/// The nonce and the ciphertext of any text; `place` is authenticated with it.
pub(super) fn seal_bytes(master: &MasterKey, place: &[u8], text: &[u8], random: &dyn Random) -> Vec<u8> {
    Sealer::new(master).seal_bytes(place, text, random)
}

/// The text, if this master key sealed it for this place.
pub(super) fn open_bytes(master: &MasterKey, place: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    Sealer::new(master).open_bytes(place, sealed)
}

/// What a master key seals with: the same as [`MasterKey::seal`] and [`MasterKey::open`], for those who seal at each request.
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// Derives the key, once.
    pub fn new(master: &MasterKey) -> Self {
        Self(XChaCha20Poly1305::new(master.derive("keyway/seal/v1").expose().into()))
    }

    /// As [`MasterKey::seal`].
    pub fn seal(&self, place: &str, secret: &Secret<Vec<u8>>, random: &dyn Random) -> Vec<u8> {
        self.seal_bytes(place.as_bytes(), secret.expose(), random)
    }

    /// As [`MasterKey::open`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        self.open_bytes(place.as_bytes(), sealed)
    }

    fn seal_bytes(&self, place: &[u8], text: &[u8], random: &dyn Random) -> Vec<u8> {
        let mut nonce = [0; NONCE_LENGTH];
        random.fill(&mut nonce);
        let payload = Payload { msg: text, aad: place };
        #[expect(clippy::expect_used, reason = "the cipher refuses only texts of 256 GiB and more")]
        let ciphertext = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a text within the cipher's limit");
        [nonce.as_slice(), &ciphertext].concat()
    }

    fn open_bytes(&self, place: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload {
            msg: ciphertext,
            aad: place,
        };
        let text = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        Some(Secret::new(text))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

fn associated(purpose: KeyPurpose, id: KeyId) -> Vec<u8> {
    format!("{}/{}", purpose.as_str(), id.0).into_bytes()
}
