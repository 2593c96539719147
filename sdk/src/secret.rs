//! Secrets: handles to values that stay in the host.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

use crate::{Fault, host};

/// A password, an API key, a one-time password, or a configured secret. The value stays in the host: ask whether it
/// [`matches`](Secret::matches).
///
/// Its `Debug` prints nothing of the value, and dropping it makes the host forget it.
pub struct Secret(host::Handle);

impl Secret {
    pub(crate) fn new(handle: host::Handle) -> Self {
        Self(handle)
    }

    pub(crate) fn handle(&self) -> &host::Handle {
        &self.0
    }

    /// Does the value match this verifier? Runs in the host, in constant time for one verifier.
    ///
    /// A verifier is a PHC string (`$argon2id$`, `$argon2i$`, `$argon2d$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$`, `$scrypt$`), or of one of the other
    /// formats that the host knows: those of `crypt(3)`, of PHP and of LDAP directories, for example; the contract lists them. A
    /// [`MockHost`](crate::testing::MockHost) knows the usual ones. With `None` the host does the work that a current verifier would cost and
    /// answers `false`: this is how somebody unknown costs what a wrong password costs.
    ///
    /// # Errors
    /// [`SecretError`]; as a [`Fault`] through `?`.
    ///
    /// ```
    /// # use keyway_sdk::{*, testing::MockHost};
    /// # #[derive(Deserialize, JsonSchema)]
    /// # #[serde(crate = "keyway_sdk::serde")]
    /// # struct Keys { verifier: Option<String> }
    /// # impl Backend for Keys {
    /// #     type Config = Self;
    /// #     fn describe() -> Description { description!() }
    /// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
    /// fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
    ///     let Credential::ApiKey(key) = &login.credential else {
    ///         return Ok(Refusal::UnsupportedCredential.into());
    ///     };
    ///     if key.matches(self.verifier.as_deref())? {
    ///         return Ok(Principal::own("the machine").into());
    ///     }
    ///     Ok(Refusal::WrongCredential.into())
    /// }
    /// # }
    /// # let host = MockHost::new().config(json!({}));
    /// # assert_eq!(host.login::<Keys>("alice", "s3cre7"), Ok(Refusal::UnsupportedCredential.into()));
    /// ```
    pub fn matches(&self, verifier: Option<&str>) -> Result<bool, SecretError> {
        self.0.matches(verifier)
    }

    /// The bytes themselves. Needs [`Capability::CredentialExpose`](crate::Capability::CredentialExpose), which a protocol that must
    /// repeat the password to a third party asks for (an LDAP bind, for example), and nothing else should.
    ///
    /// # Errors
    /// [`SecretError::NotGranted`].
    pub fn expose(&self) -> Result<ExposedSecret, SecretError> {
        self.0.expose().map(|bytes| ExposedSecret(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The bytes of a secret. Its `Debug` prints nothing of them, and its memory is zeroed when it goes. Reads as `[u8]`.
pub struct ExposedSecret(Zeroizing<Vec<u8>>);

impl Deref for ExposedSecret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ExposedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why the host did not answer a question about a secret. None of them says anything about the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The backend has no grant for this; the value is the capability to ask for.
    #[error("the capability `{0}` is not granted")]
    NotGranted(String),
    /// The verifier is not of a format that the host knows, or is not complete; the value names what was found.
    #[error("verifiers of the format `{0}` are not supported")]
    UnsupportedVerifier(String),
    /// The verifier demands more memory or time than the host allows for one comparison.
    #[error("the verifier demands more memory or time than the host allows")]
    VerifierTooCostly,
    /// The host's bounded pool for password hashing is saturated.
    #[error("the host's pool for password hashing is saturated")]
    Busy,
    /// This call has used up the comparisons that it is allowed.
    #[error("this call has used up its comparisons")]
    LimitReached,
}

impl From<SecretError> for Fault {
    fn from(error: SecretError) -> Self {
        let message = error.to_string();
        match error {
            SecretError::NotGranted(_) | SecretError::UnsupportedVerifier(_) | SecretError::VerifierTooCostly => {
                Self::Misconfigured(message)
            }
            SecretError::Busy => Self::Unavailable(message),
            SecretError::LimitReached => Self::Internal(message),
        }
    }
}
