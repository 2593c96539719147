//! HKDF-SHA-256 (RFC 5869) for keys of 32 bytes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Secret;

/// The first 32 bytes of HKDF-SHA-256's output, which one round of its second half gives.
pub(super) fn hkdf_sha256(salt: &[u8], key: &[u8], label: &[u8]) -> Secret<[u8; 32]> {
    let mut extract = keyed(salt);
    extract.update(key);
    let pseudo_random_key = Zeroizing::new(<[u8; 32]>::from(extract.finalize().into_bytes()));
    let mut expand = keyed(&*pseudo_random_key);
    expand.update(label);
    expand.update(&[1]);
    Secret::new(expand.finalize().into_bytes().into())
}

/// HMAC-SHA-256 with its key taken in.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}
