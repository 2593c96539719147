//! Recovery codes. A code is 50 random bits; the store keeps a keyed hash of each, which is of no use without the master key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Secret;
use crate::key::MasterKey;
use crate::model::FactorId;
use crate::port::Random;

/// How many codes a factor has.
pub(super) const CODES: usize = 10;

/// How many characters a code has.
pub(super) const CODE_LENGTH: u8 = 10;

/// Crockford's base 32: no letter that is taken for a digit. 32 characters, so five bits of a random byte choose one evenly.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Fresh codes.
pub(super) fn make(random: &dyn Random) -> Vec<Secret<String>> {
    std::iter::repeat_with(|| make_one(random)).take(CODES).collect()
}

fn make_one(random: &dyn Random) -> Secret<String> {
    let mut bytes = Zeroizing::new([0; CODE_LENGTH as usize]);
    random.fill(&mut *bytes);
    let character = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied().map_or('0', char::from);
    Secret::new(bytes.iter().map(character).collect())
}

/// A code as it was handed out, if this is one as people write it: capitals, and the letters that are taken for digits.
pub(super) fn parse(text: &[u8]) -> Option<Secret<Vec<u8>>> {
    if text.len() != usize::from(CODE_LENGTH) {
        return None;
    }
    let mut code = Zeroizing::new(Vec::with_capacity(text.len()));
    for byte in text {
        code.push(match byte.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            other => ALPHABET.contains(&other).then_some(other)?,
        });
    }
    Some(Secret::new(std::mem::take(&mut *code)))
}

/// What the store keeps of a code. The factor is hashed with it, so that a code is good for no other.
pub(super) fn digest(master: &MasterKey, factor: FactorId, code: &[u8]) -> [u8; 32] {
    let key = master.derive("keyway/recovery-code/v1");
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("a key of any length");
    mac.update(factor.0.as_bytes());
    mac.update(code);
    mac.finalize().into_bytes().into()
}
