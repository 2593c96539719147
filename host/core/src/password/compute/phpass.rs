//! Phpass's portable hash, and the one that Drupal 7 made of it.

use md5::Md5;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

pub(super) fn compute(sha512: bool, log_rounds: u8, password: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    if sha512 {
        repeat::<Sha512>(log_rounds, password, salt)
    } else {
        repeat::<Md5>(log_rounds, password, salt)
    }
}

fn repeat<D: Digest>(log_rounds: u8, password: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut hash = D::new().chain_update(salt).chain_update(password).finalize();
    for _ in 0..1_u32.checked_shl(log_rounds.into()).unwrap_or_default() {
        hash = D::new().chain_update(&hash).chain_update(password).finalize();
    }
    Zeroizing::new(hash.to_vec())
}
