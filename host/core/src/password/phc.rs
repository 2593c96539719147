//! Verifiers as PHC strings: `$scheme[$v=version]$parameter=value,...$salt$hash`, salt and hash in base64 without padding.
//!
//! Own code, because the salts that wazo wrote are longer than the 48 bytes that the format's usual parser takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::PasswordError;
use super::compute::{Argon2Cost, Ceiling, Scheme};
use crate::Secret;
use crate::port::StoredVerifier;

/// Of new verifiers, in bytes.
pub(super) const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// What is accepted, in bytes. A shorter hash would match by chance.
const SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// A verifier, taken apart.
#[derive(Clone)]
pub(super) struct Verifier {
    pub(super) scheme: Scheme,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Secret<Vec<u8>>,
}

impl Verifier {
    /// One whose hash, here zeros, is yet to be computed.
    pub(super) fn current(cost: Argon2Cost, salt: Vec<u8>) -> Self {
        Self {
            scheme: Scheme::current(cost),
            salt,
            hash: Secret::new(vec![0; HASH_LENGTH]),
        }
    }

    /// Whether a new verifier would be of this kind.
    pub(super) fn is_current(&self, cost: Argon2Cost) -> bool {
        self.scheme == Scheme::current(cost)
            && self.salt.len() >= SALT_LENGTH
            && self.hash.expose().len() == HASH_LENGTH
    }

    /// The PHC string of an argon2id verifier with this hash.
    pub(super) fn with_hash(&self, hash: &Secret<Vec<u8>>) -> StoredVerifier {
        let salt = STANDARD_NO_PAD.encode(&self.salt);
        let hash = zeroize::Zeroizing::new(STANDARD_NO_PAD.encode(hash.expose()));
        Secret::new(format!("{}${salt}${}", self.scheme, *hash))
    }

    /// Takes a PHC string apart, and refuses one that costs more than it may.
    pub(super) fn parse(text: &str, ceiling: Ceiling) -> Result<Self, PasswordError> {
        let verifier = Self::take_apart(text)?;
        verifier
            .scheme
            .check_cost(verifier.hash.expose().len(), ceiling)
            .map(|()| verifier)
    }

    /// The error names the scheme, and no more of the string.
    fn take_apart(text: &str) -> Result<Self, PasswordError> {
        let mut parts = text.strip_prefix('$').ok_or_else(no_scheme)?.split('$').peekable();
        let name = parts.next().filter(|name| is_scheme_name(name)).ok_or_else(no_scheme)?;
        let version = parts
            .next_if(|part| part.starts_with("v="))
            .and_then(|part| part.strip_prefix("v="));
        let kind = SchemeName::parse(name).ok_or_else(|| PasswordError::Unsupported(name.to_owned()))?;
        let malformed = || PasswordError::Unsupported(format!("malformed {name}"));
        let (Some(params), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        Ok(Self {
            scheme: kind
                .scheme(version, &Params::parse(params).ok_or_else(malformed)?)
                .ok_or_else(malformed)?,
            salt: decode(salt, SALT_LENGTHS).ok_or_else(malformed)?,
            hash: Secret::new(decode(hash, HASH_LENGTHS).ok_or_else(malformed)?),
        })
    }
}

/// The PHC string of a verifier that another system made.
pub(super) fn pbkdf2_sha512(rounds: u32, salt: &[u8], hash: &Secret<Vec<u8>>) -> Option<StoredVerifier> {
    if rounds == 0 || !SALT_LENGTHS.contains(&salt.len()) || !HASH_LENGTHS.contains(&hash.expose().len()) {
        return None;
    }
    let salt = STANDARD_NO_PAD.encode(salt);
    let hash = zeroize::Zeroizing::new(STANDARD_NO_PAD.encode(hash.expose()));
    Some(Secret::new(format!("$pbkdf2-sha512$i={rounds}${salt}${}", *hash)))
}

#[derive(Clone, Copy)]
enum SchemeName {
    Argon2(argon2::Algorithm),
    Pbkdf2Sha256,
    Pbkdf2Sha512,
    Scrypt,
}

impl SchemeName {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "argon2id" => Self::Argon2(argon2::Algorithm::Argon2id),
            "argon2i" => Self::Argon2(argon2::Algorithm::Argon2i),
            "argon2d" => Self::Argon2(argon2::Algorithm::Argon2d),
            "pbkdf2-sha256" => Self::Pbkdf2Sha256,
            "pbkdf2-sha512" => Self::Pbkdf2Sha512,
            "scrypt" => Self::Scrypt,
            _ => return None,
        })
    }

    fn scheme(self, version: Option<&str>, params: &Params<'_>) -> Option<Scheme> {
        if !matches!(self, Self::Argon2(_)) && version.is_some() {
            return None;
        }
        Some(match self {
            Self::Argon2(algorithm) => {
                params.only(&["m", "t", "p"])?;
                Scheme::Argon2 {
                    algorithm,
                    // Without a version it is 16, as in argon2's reference implementation.
                    version: match version {
                        None | Some("16") => argon2::Version::V0x10,
                        Some("19") => argon2::Version::V0x13,
                        Some(_) => return None,
                    },
                    cost: Argon2Cost::new(params.get("m")?, params.get("t")?, params.get("p")?)?,
                }
            }
            Self::Pbkdf2Sha256 | Self::Pbkdf2Sha512 => {
                params.only(&["i", "l"])?;
                let rounds = params.get("i").filter(|rounds| *rounds > 0)?;
                Scheme::Pbkdf2 {
                    sha512: matches!(self, Self::Pbkdf2Sha512),
                    rounds,
                }
            }
            Self::Scrypt => {
                params.only(&["ln", "r", "p"])?;
                Scheme::Scrypt {
                    log_n: u8::try_from(params.get("ln")?).ok()?,
                    r: params.get("r").filter(|r| *r > 0)?,
                    p: params.get("p").filter(|p| *p > 0)?,
                }
            }
        })
    }
}

/// `name=value,...` with decimal values and no name twice.
struct Params<'a>(Vec<(&'a str, u32)>);

impl<'a> Params<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut found: Vec<(&str, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, value) = part.split_once('=')?;
            let decimal = value.bytes().all(|byte| byte.is_ascii_digit());
            if !decimal || found.iter().any(|(known, _)| *known == name) {
                return None;
            }
            found.push((name, value.parse().ok()?));
        }
        Some(Self(found))
    }

    fn get(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn only(&self, names: &[&str]) -> Option<()> {
        self.0.iter().all(|(name, _)| names.contains(name)).then_some(())
    }
}

fn decode(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<Vec<u8>> {
    if text.len() > lengths.end() * 2 {
        return None;
    }
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    lengths.contains(&bytes.len()).then_some(bytes)
}

/// A text that is no PHC string may be anything, a password in clear for example, so nothing of it is repeated.
fn no_scheme() -> PasswordError {
    PasswordError::Unsupported("unknown".to_owned())
}

fn is_scheme_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 16 && name.bytes().all(legal)
}
