//! Crypt(3)'s scheme with MD5, as FreeBSD introduced it.

use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

const ROUNDS: u32 = 1000;

/// The order in which crypt(3) writes the bytes of the hash.
const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

pub(super) fn compute(password: &[u8], salt: &[u8]) -> Zeroizing<[u8; 16]> {
    let mut hash = start(password, salt);
    for round in 0..ROUNDS {
        let odd = round % 2 == 1;
        let mut md5 = Md5::new();
        md5.update(if odd { password } else { hash.as_slice() });
        if round % 3 != 0 {
            md5.update(salt);
        }
        if round % 7 != 0 {
            md5.update(password);
        }
        md5.update(if odd { hash.as_slice() } else { password });
        *hash = md5.finalize().into();
    }
    let mut ordered = Zeroizing::new([0; 16]);
    for (byte, place) in ordered.iter_mut().zip(ORDER) {
        *byte = hash.get(place).copied().unwrap_or_default();
    }
    ordered
}

fn start(password: &[u8], salt: &[u8]) -> Zeroizing<[u8; 16]> {
    let inner = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password);
    let inner: Zeroizing<[u8; 16]> = Zeroizing::new(inner.finalize().into());
    let mut md5 = Md5::new()
        .chain_update(password)
        .chain_update(b"$1$")
        .chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        md5.update(inner.get(..left.min(16)).unwrap_or_default());
        left = left.saturating_sub(16);
    }
    // For each bit of the length, the lowest first: a zero, or the first byte of the password.
    let mut bits = password.len();
    while bits > 0 {
        md5.update(if bits & 1 == 1 {
            b"\0"
        } else {
            password.get(..1).unwrap_or_default()
        });
        bits >>= 1;
    }
    Zeroizing::new(md5.finalize().into())
}
