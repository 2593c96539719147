//! The formats of LDAP directories, `{SSHA}base64(digest + salt)` and its relatives, and a SHA-256 in hexadecimal as OTRS writes it.
//!
//! Not accepted are `{MD5}`, `{CRYPT}`, `{CLEARTEXT}`, and a digest of any other length in hexadecimal.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::cost::{Digest, Scheme};
use super::verifier::{Verifier, malformed, unknown};
use super::{PasswordError, phc};
use crate::Secret;

/// Servers disagree about the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const LONGEST_SALT: usize = 128;

/// Takes apart what follows the brace. The tag may be in upper or lower case.
pub(super) fn parse(text: &str) -> Result<Verifier, PasswordError> {
    let (tag, rest) = text.split_once('}').ok_or_else(unknown)?;
    let (format, parsed) = match tag.to_ascii_lowercase().as_str() {
        "sha" => ("{SHA}", parse_digest(rest, Digest::Sha1, false)),
        "ssha" => ("{SSHA}", parse_digest(rest, Digest::Sha1, true)),
        "ssha256" => ("{SSHA256}", parse_digest(rest, Digest::Sha256, true)),
        "ssha512" => ("{SSHA512}", parse_digest(rest, Digest::Sha512, true)),
        "pbkdf2" => ("{PBKDF2}", phc::parse_pbkdf2(Digest::Sha1, rest)),
        "pbkdf2-sha256" => ("{PBKDF2-SHA256}", phc::parse_pbkdf2(Digest::Sha256, rest)),
        "pbkdf2-sha512" => ("{PBKDF2-SHA512}", phc::parse_pbkdf2(Digest::Sha512, rest)),
        _ => return Err(unknown()),
    };
    parsed.ok_or_else(|| malformed(format))
}

fn parse_digest(text: &str, digest: Digest, salted: bool) -> Option<Verifier> {
    let mut hash = BASE64.decode(text).ok()?;
    let salt = (hash.len() >= digest.length()).then(|| hash.split_off(digest.length()))?;
    (salt.is_empty() != salted && salt.len() <= LONGEST_SALT).then(|| Verifier {
        scheme: Scheme::Plain(digest),
        salt,
        hash: Secret::new(hash),
    })
}

/// 64 hexadecimal digits in lower case.
pub(super) fn parse_hex(text: &str) -> Result<Verifier, PasswordError> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 64 || !text.bytes().all(lower) {
        return Err(unknown());
    }
    Ok(Verifier {
        scheme: Scheme::Plain(Digest::Sha256),
        salt: Vec::new(),
        hash: Secret::new(hex::decode(text).map_err(|_| unknown())?),
    })
}
