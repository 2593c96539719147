//! The formats of crypt(3), and of PHP's phpass, which are written alike: `$scheme$...`.
//!
//! Not accepted are DES (which has no scheme), bcrypt's `$2$` and `$2x$`, which older implementations computed wrongly, and yescrypt in other
//! modes than crypt(3) writes it in.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::cost::{Digest, Scheme, YescryptCost};
use super::verifier::{Verifier, malformed};
use super::{PasswordError, hash64};
use crate::Secret;

/// Some implementations leave bits in the last character of a salt.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What crypt(3) does where a verifier names no rounds.
const SHA_CRYPT_ROUNDS: u32 = 5000;
const LONGEST_SALT: usize = 64;

/// Takes apart what is between the first two `$`, and what follows. `None` if it is none of these formats.
pub(super) fn parse(name: &str, rest: &str) -> Option<Result<Verifier, PasswordError>> {
    let (format, parsed) = match name {
        "1" => ("md5-crypt", md5_crypt(rest)),
        "5" => ("sha256-crypt", sha_crypt(Digest::Sha256, rest)),
        "6" => ("sha512-crypt", sha_crypt(Digest::Sha512, rest)),
        "2a" | "2b" | "2y" => ("bcrypt", bcrypt(rest)),
        "y" => ("yescrypt", yescrypt(rest)),
        "7" => ("scrypt", scrypt(rest)),
        "P" | "H" => ("phpass", phpass(false, rest)),
        "S" => ("phpass", phpass(true, rest)),
        _ => return None,
    };
    Some(parsed.ok_or_else(|| malformed(format)))
}

/// Takes a whole bcrypt verifier apart.
pub(super) fn parse_bcrypt(text: &str) -> Result<Verifier, PasswordError> {
    let parts = text.strip_prefix('$').and_then(|text| text.split_once('$'));
    match parts {
        Some((name @ ("2a" | "2b" | "2y"), rest)) => parse(name, rest),
        _ => None,
    }
    .unwrap_or_else(|| Err(malformed("bcrypt")))
}

/// `salt$hash`, where the salt is taken as it is written.
fn md5_crypt(text: &str) -> Option<Verifier> {
    let (salt, hash) = text.split_once('$')?;
    verifier(Scheme::Md5Crypt, raw_salt(salt, 8)?, hash, 16)
}

/// `[rounds=N$]salt$hash`, where the salt is taken as it is written.
fn sha_crypt(digest: Digest, text: &str) -> Option<Verifier> {
    let (rounds, text) = match text.strip_prefix("rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$')?;
            (decimal(rounds)?, rest)
        }
        None => (SHA_CRYPT_ROUNDS, text),
    };
    let (salt, hash) = text.split_once('$')?;
    let allowed = sha_crypt::Params::ROUNDS_MIN..=sha_crypt::Params::ROUNDS_MAX;
    let scheme = allowed
        .contains(&rounds)
        .then_some(Scheme::ShaCrypt { digest, rounds })?;
    verifier(scheme, raw_salt(salt, 16)?, hash, digest.length())
}

/// `cost$` in two digits, then 22 characters of salt and 31 of the hash.
fn bcrypt(text: &str) -> Option<Verifier> {
    let (cost, text) = text.split_once('$')?;
    let cost = (cost.len() == 2).then(|| decimal(cost))??;
    if !(4..=31).contains(&cost) || text.len() != 53 {
        return None;
    }
    let (salt, hash) = text.split_at_checked(22)?;
    Some(Verifier {
        scheme: Scheme::Bcrypt {
            cost: u8::try_from(cost).ok()?,
        },
        salt: BCRYPT_BASE64.decode(salt).ok()?,
        hash: Secret::new(BCRYPT_BASE64.decode(hash).ok()?),
    })
}

/// `parameters$salt$hash`, all of them in base64.
fn yescrypt(text: &str) -> Option<Verifier> {
    let (params, text) = text.split_once('$')?;
    let (salt, hash) = text.split_once('$')?;
    if salt.len() > LONGEST_SALT * 4 / 3 {
        return None;
    }
    verifier(
        Scheme::Yescrypt(yescrypt_cost(params)?),
        hash64::decode_any(salt)?,
        hash,
        32,
    )
}

fn yescrypt_cost(params: &str) -> Option<YescryptCost> {
    // The mode in which yescrypt reads and writes its memory, with the parts of which crypt(3) makes it.
    let mut numbers = Numbers(params.strip_prefix('j')?.as_bytes());
    let mut cost = YescryptCost {
        log_n: u8::try_from(numbers.next(1)?).ok()?,
        r: numbers.next(1)?,
        p: 1,
        t: 0,
    };
    if !numbers.0.is_empty() {
        // Bits: lanes, time, upgrades, and a memory for all verifiers. The last two are not in use.
        let present = numbers.next(1)?;
        if present & 1 != 0 {
            cost.p = numbers.next(2)?;
        }
        if present & 2 != 0 {
            cost.t = numbers.next(1)?;
        }
        if present & !3 != 0 {
            return None;
        }
    }
    // Each lane has rows of its own, and at least two of them.
    let rows = 1_u64.checked_shl(cost.log_n.into())?;
    let sound = rows / u64::from(cost.p) > 1 && u64::from(cost.r) * u64::from(cost.p) < 1 << 30;
    (sound && numbers.0.is_empty()).then_some(cost)
}

/// The numbers of yescrypt's parameters, of which small ones take fewer characters.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    /// The next one, which is at least `least`.
    fn next(&mut self, least: u32) -> Option<u32> {
        let (first, mut rest) = self.0.split_first()?;
        let first = u64::from(hash64::digit(*first)?);
        // The first character tells how many follow: none below 48, one below 56, two below 60 and so on.
        let (mut start, mut end, mut following) = (0, 48, 0_u32);
        let mut value = u64::from(least);
        while first >= end {
            value += (end - start) << (6 * following);
            start = end;
            end += (64 - end) / 2;
            following += 1;
            if following > 5 {
                return None;
            }
        }
        value += (first - start) << (6 * following);
        for place in (0..following).rev() {
            let (digit, others) = rest.split_first()?;
            value += u64::from(hash64::digit(*digit)?) << (6 * place);
            rest = others;
        }
        self.0 = rest;
        u32::try_from(value).ok()
    }
}

/// One character for the logarithm of N, five for r, five for p, then `salt$hash`, where the salt is taken as it is written.
fn scrypt(text: &str) -> Option<Verifier> {
    let (params, text) = text.split_at_checked(11)?;
    let (salt, hash) = text.split_once('$')?;
    let (log_n, lanes) = params.as_bytes().split_first()?;
    let (r, p) = lanes.split_at_checked(5)?;
    let scheme = Scheme::Scrypt {
        log_n: u8::try_from(hash64::digit(*log_n)?).ok()?,
        r: hash64::number(r).filter(|r| *r > 0)?,
        p: hash64::number(p).filter(|p| *p > 0)?,
    };
    verifier(scheme, raw_salt(salt, LONGEST_SALT)?, hash, 32)
}

/// One character for the logarithm of the rounds, eight of salt, which is taken as it is written, then the hash.
fn phpass(sha512: bool, text: &str) -> Option<Verifier> {
    let (rounds, text) = text.split_at_checked(1)?;
    let (salt, hash) = text.split_at_checked(8)?;
    let log_rounds = u8::try_from(hash64::number(rounds.as_bytes())?).ok()?;
    let scheme = (7..=30)
        .contains(&log_rounds)
        .then_some(Scheme::Phpass { sha512, log_rounds })?;
    // Drupal cuts the hash off, one character after the 32nd byte.
    verifier(scheme, raw_salt(salt, 8)?, hash, if sha512 { 32 } else { 16 })
}

fn verifier(scheme: Scheme, salt: Vec<u8>, hash: &str, length: usize) -> Option<Verifier> {
    Some(Verifier {
        scheme,
        salt,
        hash: Secret::new(hash64::decode(hash, length)?),
    })
}

/// At most as many characters as crypt(3) looks at, and none that would end a field of a file of passwords.
fn raw_salt(salt: &str, longest: usize) -> Option<Vec<u8>> {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b':' && byte != b'$';
    (salt.len() <= longest && salt.bytes().all(legal)).then(|| salt.as_bytes().to_vec())
}

fn decimal(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
