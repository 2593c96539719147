//! One-time passwords as numbers: HOTP (RFC 4226). TOTP (RFC 6238) is the same with the number of a time step for the counter.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Secret;
use crate::model::{OtpAlgorithm, OtpParameters, Timestamp};

/// Makes a seed's one-time passwords. The keyed hash is prepared once, so a wide window costs two compressions for each counter.
pub(super) struct Generator {
    mac: KeyedHash,
    modulus: u32,
}

enum KeyedHash {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Generator {
    pub(super) fn new(parameters: OtpParameters, seed: &Secret<Vec<u8>>) -> Self {
        let seed = seed.expose();
        let mac = match parameters.algorithm {
            OtpAlgorithm::Sha1 => KeyedHash::Sha1(keyed(seed)),
            OtpAlgorithm::Sha256 => KeyedHash::Sha256(keyed(seed)),
            OtpAlgorithm::Sha512 => KeyedHash::Sha512(keyed(seed)),
        };
        Self {
            mac,
            // Nine digits are what 31 bits can fill; factors have 6 or 8.
            modulus: 10_u32.pow(u32::from(parameters.digits.min(9))),
        }
    }

    /// The one-time password of a counter or time step.
    pub(super) fn at(&self, counter: u64) -> u32 {
        match &self.mac {
            KeyedHash::Sha1(mac) => truncated(mac.clone(), counter, self.modulus),
            KeyedHash::Sha256(mac) => truncated(mac.clone(), counter, self.modulus),
            KeyedHash::Sha512(mac) => truncated(mac.clone(), counter, self.modulus),
        }
    }

    /// The first of these counters that the one-time password belongs to. Each comparison takes the same time, whatever it finds.
    pub(super) fn find(&self, otp: u32, counters: impl IntoIterator<Item = u64>) -> Option<u64> {
        counters
            .into_iter()
            .find(|counter| bool::from(self.at(*counter).ct_eq(&otp)))
    }
}

fn keyed<M: KeyInit>(seed: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    M::new_from_slice(seed).expect("a key of any length")
}

/// RFC 4226, section 5.3.
fn truncated(mut mac: impl Mac, counter: u64, modulus: u32) -> u32 {
    mac.update(&counter.to_be_bytes());
    let hash = Zeroizing::new(mac.finalize().into_bytes().to_vec());
    let offset = hash.last().map_or(0, |last| usize::from(last & 0x0f));
    let word = hash.get(offset..).and_then(<[u8]>::first_chunk::<4>);
    // Every hash has at least 20 bytes, so there is always a word.
    (word.map_or(0, |word| u32::from_be_bytes(*word)) & 0x7fff_ffff) % modulus
}

/// A one-time password as a number, if it is one of so many digits.
pub(super) fn parse(text: &[u8], digits: u8) -> Option<u32> {
    if text.len() != usize::from(digits) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.iter().try_fold(0_u32, |number, digit| {
        number.checked_mul(10)?.checked_add(u32::from(digit - b'0'))
    })
}

/// The time step that a point in time lies in; the first one for all before 1970.
pub(super) fn time_step(now: Timestamp, period: u16) -> u64 {
    let seconds = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
    seconds / u64::from(period.max(1))
}
