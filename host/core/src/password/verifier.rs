//! A verifier taken apart, and which format a text is in.

use super::cost::{Argon2Cost, Ceiling, Scheme, USUAL_PASSWORD};
use super::{PasswordError, crypt, phc, tagged};
use crate::Secret;

/// Longer than any verifier.
const LONGEST: usize = 1024;

/// Of new verifiers, in bytes.
pub(super) const SALT_LENGTH: usize = 16;
pub(super) const HASH_LENGTH: usize = 32;

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

    /// Takes a verifier of any known format apart, and refuses one that costs more than it may.
    pub(super) fn parse(text: &str, ceiling: Ceiling) -> Result<Self, PasswordError> {
        let verifier = Self::take_apart(text)?;
        verifier
            .scheme
            .check_cost(verifier.hash.expose().len(), USUAL_PASSWORD, ceiling)
            .map(|()| verifier)
    }

    /// Whether a password can belong to it at all, and is not so long that comparing it costs too much.
    pub(super) fn takes(&self, password: &[u8], ceiling: Ceiling) -> bool {
        let ends_early = self.scheme.is_of_crypt() && password.contains(&0);
        let length = self.hash.expose().len();
        !ends_early && self.scheme.check_cost(length, password.len(), ceiling).is_ok()
    }

    /// The error names the format, and no more of the text.
    fn take_apart(text: &str) -> Result<Self, PasswordError> {
        if text.len() > LONGEST {
            return Err(unknown());
        }
        if let Some(tagged) = text.strip_prefix('{') {
            return tagged::parse(tagged);
        }
        // ownCloud numbers its formats; its first one is bcrypt.
        if let Some(numbered) = text.strip_prefix("1|") {
            return crypt::parse_bcrypt(numbered);
        }
        let Some(text) = text.strip_prefix('$') else {
            return tagged::parse_hex(text);
        };
        let (name, rest) = text.split_once('$').unwrap_or((text, ""));
        match crypt::parse(name, rest).or_else(|| phc::parse_pbkdf2_of_passlib(name, rest)) {
            Some(parsed) => parsed,
            None => phc::parse(name, rest),
        }
    }
}

/// A text in no format may be anything, a password in clear for example, so nothing of it is repeated.
pub(super) fn unknown() -> PasswordError {
    PasswordError::Unsupported("unknown".to_owned())
}

/// A text in a known format that is not complete, or holds what the format does not allow.
pub(super) fn malformed(format: &str) -> PasswordError {
    PasswordError::Unsupported(format!("malformed {format}"))
}
