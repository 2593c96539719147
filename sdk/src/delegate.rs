//! Other backends that the operator lets this one ask. Whoever they name, this call's outcome may name too.
//!
//! ```
//! use keyway_sdk::delegate;
//! # use keyway_sdk::{*, testing::{MockBackend, MockHost}};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde")]
//! # struct Front {}
//! # impl Backend for Front {
//! #     type Config = Self;
//! #     fn describe() -> Description { description!().wants([Capability::Delegate("corp")]) }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! fn verify(&self, _: &Context, login: &Login) -> Result<Outcome, Fault> {
//!     let Some(password) = login.password() else {
//!         return Ok(Refusal::UnsupportedCredential.into());
//!     };
//!     let name = login.identifier.trim_end_matches("@corp.example");
//!     Ok(delegate::verify_password("corp", name, password)?)
//! }
//! # }
//! # let host = MockHost::new().backend("corp", MockBackend::new().user("alice", "s3cre7", Principal::own("4711")));
//! # let Ok(Outcome::Verified(alice)) = host.login::<Front>("alice@corp.example", "s3cre7") else { panic!() };
//! # assert_eq!(alice.subject, Subject::Delegated { backend: "corp".to_owned(), subject: "4711".to_owned() });
//! # assert_eq!(host.login::<Front>("alice", "wrong"), Ok(Refusal::WrongCredential.into()));
//! ```

use crate::{Fault, Found, Key, Outcome, Principal, Secret, host};

/// Lets another backend decide a first step. A principal's subject is [`Subject::Delegated`](crate::Subject::Delegated), or `Directory` where the host
/// matched its own user's password. A challenge is answered by [`answer_challenge`].
///
/// Capability: [`Delegate`](crate::Capability::Delegate) of this backend.
///
/// # Errors
/// [`DelegateError`]; as a [`Fault`] through `?`.
pub fn verify_password(backend: &str, identifier: &str, password: &Secret) -> Result<Outcome, DelegateError> {
    host::delegate_verify(backend, identifier, password.handle())
}

/// Lets it decide a later step: `state` is that of its challenge.
///
/// # Errors
/// As for [`verify_password`].
pub fn answer_challenge(backend: &str, state: &[u8], response: &Secret) -> Result<Outcome, DelegateError> {
    host::delegate_answer(backend, state, response.handle())
}

/// Whom it knows, by a login name or by its own stable name for somebody.
///
/// # Errors
/// As for [`verify_password`].
pub fn find(backend: &str, key: &Key) -> Result<Found, DelegateError> {
    host::delegate_find(backend, key)
}

/// Those whom it knows, where it can list them; `None` where it cannot. At most `most`, of those whose login name fits the pattern, in which `*` stands for
/// any text.
///
/// # Errors
/// As for [`verify_password`].
pub fn list_users(backend: &str, login: &str, most: u32) -> Result<Option<Vec<Principal>>, DelegateError> {
    host::delegate_list(backend, login, most)
}

/// Why the other backend did not decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelegateError {
    /// The operator does not let this backend ask that one; the value is the line to ask for.
    #[error("`{0}` is not granted")]
    NotGranted(String),
    /// No backend has this name, or it is not loaded.
    #[error("the other backend does not exist, or is not loaded")]
    Unknown,
    /// The other backend had a fault, or its limits are reached.
    #[error("the other backend does not answer")]
    Unavailable,
    /// The delegations of a call are nested too deeply, or this call has used up those that it is allowed.
    #[error("this call has used up its delegations")]
    LimitReached,
}

impl From<DelegateError> for Fault {
    fn from(error: DelegateError) -> Self {
        let message = error.to_string();
        match error {
            DelegateError::NotGranted(_) => Self::Misconfigured(message),
            // It may be loaded in a moment.
            DelegateError::Unknown | DelegateError::Unavailable => Self::Unavailable(message),
            DelegateError::LimitReached => Self::Internal(message),
        }
    }
}
