//! Verifiers as PHC strings: `$scheme[$v=version]$parameter=value,...$salt$hash`, salt and hash in base64 without padding.
//!
//! Own code, because the salts that wazo wrote are longer than the 48 bytes that the format's usual parser takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::PasswordError;
use super::cost::{Argon2Cost, Digest, Scheme};
use super::verifier::{Verifier, malformed, unknown};
use crate::Secret;
use crate::port::StoredVerifier;

/// What is accepted, in bytes. A shorter hash would match by chance.
const SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// The PHC string of an argon2id verifier.
pub(super) fn argon2id(cost: Argon2Cost, salt: &[u8], hash: &Secret<Vec<u8>>) -> StoredVerifier {
    let Argon2Cost {
        memory_kib,
        iterations,
        parallelism,
    } = cost;
    let params = format!("v=19$m={memory_kib},t={iterations},p={parallelism}");
    let salt = STANDARD_NO_PAD.encode(salt);
    let hash = zeroize::Zeroizing::new(STANDARD_NO_PAD.encode(hash.expose()));
    Secret::new(format!("$argon2id${params}${salt}${}", *hash))
}

/// Takes a PHC string apart: its first part, and what follows. The error names the scheme, and no more of the string.
pub(super) fn parse(name: &str, rest: &str) -> Result<Verifier, PasswordError> {
    if !is_scheme_name(name) {
        return Err(unknown());
    }
    let kind = SchemeName::parse(name).ok_or_else(|| PasswordError::Unsupported(name.to_owned()))?;
    take_apart(kind, rest).ok_or_else(|| malformed(name))
}

fn take_apart(kind: SchemeName, rest: &str) -> Option<Verifier> {
    let mut parts = rest.split('$').peekable();
    let version = parts
        .next_if(|part| part.starts_with("v="))
        .and_then(|part| part.strip_prefix("v="));
    let (Some(params), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    Some(Verifier {
        scheme: kind.scheme(version, &Params::parse(params)?)?,
        salt: decode(salt, SALT_LENGTHS)?,
        hash: Secret::new(decode(hash, HASH_LENGTHS)?),
    })
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

/// As Python's passlib writes PBKDF2 behind such a name: `rounds$salt$hash`. `None` if this is another format.
pub(super) fn parse_pbkdf2_of_passlib(name: &str, rest: &str) -> Option<Result<Verifier, PasswordError>> {
    let digest = match name {
        "pbkdf2" => Digest::Sha1,
        "pbkdf2-sha256" => Digest::Sha256,
        "pbkdf2-sha512" => Digest::Sha512,
        _ => return None,
    };
    let is_phc = rest.split('$').next().is_some_and(|params| params.contains('='));
    (!is_phc).then(|| parse_pbkdf2(digest, rest).ok_or_else(|| malformed(name)))
}

/// `rounds$salt$hash`, in base64 with `.` in place of `+`.
pub(super) fn parse_pbkdf2(digest: Digest, text: &str) -> Option<Verifier> {
    let mut parts = text.split('$');
    let (Some(rounds), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let decimal = rounds.bytes().all(|byte| byte.is_ascii_digit());
    let rounds = decimal.then(|| rounds.parse().ok())?.filter(|rounds| *rounds > 0)?;
    Some(Verifier {
        scheme: Scheme::Pbkdf2 { digest, rounds },
        salt: decode(&salt.replace('.', "+"), 1..=*SALT_LENGTHS.end())?,
        hash: Secret::new(decode(&hash.replace('.', "+"), digest.length()..=digest.length())?),
    })
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
                let digest = match self {
                    Self::Pbkdf2Sha512 => Digest::Sha512,
                    _ => Digest::Sha256,
                };
                Scheme::Pbkdf2 { digest, rounds }
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

fn is_scheme_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 16 && name.bytes().all(legal)
}
