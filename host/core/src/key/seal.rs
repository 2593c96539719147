//! Sealing keys under the master key: XChaCha20-Poly1305 with a random nonce. The key's purpose and id are authenticated with it, so no
//! sealed key can stand in another's place.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

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
    let mut nonce = [0; NONCE_LENGTH];
    random.fill(&mut nonce);
    let payload = Payload {
        msg: key.expose(),
        aad: &associated(purpose, id),
    };
    #[expect(clippy::expect_used, reason = "the cipher refuses only texts of 256 GiB and more")]
    let ciphertext = cipher(master)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("32 bytes are within the cipher's limit");
    [nonce.as_slice(), &ciphertext].concat()
}

/// The key, if this master key sealed it for this purpose and id.
pub(super) fn open(master: &MasterKey, purpose: KeyPurpose, id: KeyId, sealed: &[u8]) -> Option<Secret<[u8; 32]>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let payload = Payload {
        msg: ciphertext,
        aad: &associated(purpose, id),
    };
    let key = Zeroizing::new(cipher(master).decrypt(&XNonce::from(*nonce), payload).ok()?);
    Some(Secret::new(key.as_slice().try_into().ok()?))
}

fn cipher(master: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(master.derive("keyway/seal/v1").expose().into())
}

fn associated(purpose: KeyPurpose, id: KeyId) -> Vec<u8> {
    format!("{}/{}", purpose.as_str(), id.0).into_bytes()
}
