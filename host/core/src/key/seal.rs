//! Sealing keys and other secrets under the master key: XChaCha20-Poly1305 with a random nonce. What a secret is for, a key's purpose and
//! id for example, is authenticated with it, so no sealed secret can stand in another's place.

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
    let mut nonce = [0; NONCE_LENGTH];
    random.fill(&mut nonce);
    let payload = Payload { msg: text, aad: place };
    #[expect(clippy::expect_used, reason = "the cipher refuses only texts of 256 GiB and more")]
    let ciphertext = cipher(master)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a text within the cipher's limit");
    [nonce.as_slice(), &ciphertext].concat()
}

/// The text, if this master key sealed it for this place.
pub(super) fn open_bytes(master: &MasterKey, place: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let payload = Payload {
        msg: ciphertext,
        aad: place,
    };
    let text = cipher(master).decrypt(&XNonce::from(*nonce), payload).ok()?;
    Some(Secret::new(text))
}

fn cipher(master: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(master.derive("keyway/seal/v1").expose().into())
}

fn associated(purpose: KeyPurpose, id: KeyId) -> Vec<u8> {
    format!("{}/{}", purpose.as_str(), id.0).into_bytes()
}
