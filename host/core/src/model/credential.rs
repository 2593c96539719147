//! What a caller presents.

use crate::Secret;

/// A hash function whose output some clients send in place of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// MD5 over `username:password`.
    Md5,
    /// SHA-1 over `username:password`.
    Sha1,
}

impl DigestAlgorithm {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Md5, Self::Sha1];

    /// As stores and dialects write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }

    /// From what stores and dialects write.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// What a caller presents to prove who it is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A password.
    Password(Secret<Vec<u8>>),
    /// A digest that stands for a password.
    Digest {
        /// How it was made.
        algorithm: DigestAlgorithm,
        /// Lower-case hexadecimal.
        value: Secret<Vec<u8>>,
    },
    /// A one-time password.
    Otp(Secret<Vec<u8>>),
    /// An API key.
    ApiKey(Secret<Vec<u8>>),
}
