//! What a backend is asked.

use std::collections::BTreeMap;

use crate::{Secret, SecretError};

/// Where a request comes from and how much time is left for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The id under which the host logs this request.
    pub request_id: String,
    /// The API through which the caller came: `wazo`, `kazoo`, `privacyidea` or `webitel`; `keyway` for the host's own.
    pub dialect: String,
    /// The caller's IP address, where it is known. Proxies are already resolved.
    pub client_address: Option<String>,
    /// The tenant that the caller named, an id or a domain. A hint: nothing is verified.
    pub tenant: Option<String>,
    /// Milliseconds until the host gives up on this call.
    pub budget_ms: u32,
    /// Anything else that the dialect knows, `wazo.session-type` for example.
    pub attributes: BTreeMap<String, String>,
}

/// The first step of a login.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// The login name as the caller wrote it, 1 to 1024 bytes. Not trimmed and not lower-cased. Empty where the credential is a digest and the caller named
    /// nobody: the login name is in the digest.
    pub identifier: String,
    /// What the caller presents.
    pub credential: Credential,
}

impl Login {
    /// Is the credential a password that matches this verifier? The comparison runs in the host.
    ///
    /// With `None` the host does the same work and answers `false`; a credential of another kind costs the same and is `false` too. So a
    /// backend that calls this once, whatever it found, takes as long for somebody unknown as for a wrong password.
    ///
    /// # Errors
    /// As for [`Secret::matches`].
    ///
    /// ```
    /// # use keyway_sdk::{*, testing::{MockHost, verifier}};
    /// # #[derive(Deserialize, JsonSchema)]
    /// # #[serde(crate = "keyway_sdk::serde")]
    /// # struct One { login: String, verifier: String }
    /// # impl Backend for One {
    /// #     type Config = Self;
    /// #     fn describe() -> Description { description!() }
    /// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
    /// fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
    ///     let verifier = (login.identifier == self.login).then_some(self.verifier.as_str());
    ///     if login.password_matches(verifier)? {
    ///         return Ok(Principal::own(&self.login).into());
    ///     }
    ///     Ok(Refusal::WrongCredential.into())
    /// }
    /// # }
    /// # let host = MockHost::new().config(json!({ "login": "alice", "verifier": verifier("s3cre7") }));
    /// # assert!(matches!(host.login::<One>("alice", "s3cre7"), Ok(Outcome::Verified(_))));
    /// # assert!(matches!(host.login::<One>("bob", "s3cre7"), Ok(Outcome::Refused(_))));
    /// ```
    pub fn password_matches(&self, verifier: Option<&str>) -> Result<bool, SecretError> {
        match &self.credential {
            Credential::Password(password) => password.matches(verifier),
            other => other.secret().matches(None),
        }
    }

    /// The password, where the credential is one.
    pub fn password(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Password(password) => Some(password),
            _ => None,
        }
    }
}

/// What a caller presents to prove who it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A password.
    Password(Secret),
    /// A digest over `username:password` that a client sends in place of a password (Kazoo's do).
    Digest {
        /// How it was made.
        algorithm: DigestAlgorithm,
        /// Lower-case hexadecimal.
        value: Secret,
    },
    /// A one-time password.
    Otp(Secret),
    /// An API key.
    ApiKey(Secret),
}

impl Credential {
    /// The secret in it, whatever its kind.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Password(secret) | Self::Otp(secret) | Self::ApiKey(secret) | Self::Digest { value: secret, .. } => {
                secret
            }
        }
    }
}

/// The hash function behind a [`Credential::Digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
}

/// A later step: the response to a challenge that this backend gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The `state` of that challenge, byte for byte. The host sealed it, so no caller can have altered or read it.
    pub state: Vec<u8>,
    /// What the user typed or the device sent.
    pub response: Secret,
}
