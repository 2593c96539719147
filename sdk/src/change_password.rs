//! Changing a password for somebody who proves the present one: an optional ability of a backend.

use crate::{Backend, Context, Fault, Principal, Refusal, Secret};

/// A backend that can change passwords. Written as `register!(MyBackend, change_password)`.
///
/// Without this ability passwords are changed where the backend keeps them.
///
/// ```
/// # use keyway_sdk::*;
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
/// # struct Partner { verifier: String }
/// # impl Partner {
/// #     /// What the partner's service does with it.
/// #     fn store(&self, _identifier: &str, _new: &[u8]) {}
/// # }
/// # impl Backend for Partner {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!().wants([Capability::CredentialExpose]) }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// #     fn verify(&self, _: &Context, _: &Login) -> Result<Outcome, Fault> { Ok(Refusal::WrongCredential.into()) }
/// # }
/// impl ChangePassword for Partner {
///     fn change(&self, _context: &Context, change: &PasswordChange) -> Result<Changed, Fault> {
///         let verifier = (change.identifier == "alice").then_some(self.verifier.as_str());
///         if !change.present.matches(verifier)? {
///             return Ok(Refusal::WrongCredential.into());
///         }
///         let new = change.new.expose()?;
///         if new.len() < 8 {
///             return Ok(Rejection::TooShort.into());
///         }
///         self.store(&change.identifier, &new);
///         Ok(Principal::own("alice").into())
///     }
/// }
///
/// register!(Partner, change_password);
/// # let host = testing::MockHost::new()
/// #     .config(json!({ "verifier": testing::verifier("s3cre7") }))
/// #     .grant(Capability::CredentialExpose);
/// let changed = host.change_password::<Partner>("alice", "s3cre7", "a better one");
/// assert_eq!(changed, Ok(Principal::own("alice").into()));
/// let short = host.change_password::<Partner>("alice", "s3cre7", "short");
/// assert_eq!(short, Ok(Rejection::TooShort.into()));
/// let wrong = host.change_password::<Partner>("alice", "wrong", "a better one");
/// assert_eq!(wrong, Ok(Refusal::WrongCredential.into()));
/// ```
pub trait ChangePassword: Backend {
    /// Changes it, if the present password is right and the new one is accepted. Called with the grants and the limits of a login.
    ///
    /// Someone unknown should cost what a wrong password costs, as in [`Backend::verify`]. After [`Changed::Changed`] the host ends what it
    /// issued for the old password.
    ///
    /// # Errors
    /// A [`Fault`] where the present password was not judged, or it is not known what became of the new one.
    fn change(&self, context: &Context, change: &PasswordChange) -> Result<Changed, Fault>;
}

/// What somebody asks for who wants another password.
#[derive(Debug)]
#[non_exhaustive]
pub struct PasswordChange {
    /// The login name as the caller wrote it, 1 to 1024 bytes. Not trimmed and not lower-cased.
    pub identifier: String,
    /// The present password, which proves who asks.
    pub present: Secret,
    /// The password to be.
    pub new: Secret,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The new password of this principal is in effect.
    Changed(Principal),
    /// The present password was not accepted. One that must be changed before a login is, here.
    Refused(Refusal),
    /// The new password was not accepted; the present one stays.
    Rejected(Rejection),
}

impl From<Principal> for Changed {
    fn from(principal: Principal) -> Self {
        Self::Changed(principal)
    }
}

impl From<Refusal> for Changed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Rejection> for Changed {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Why a new password was not accepted, though the present one was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// It is shorter than the rules of its keeper ask.
    TooShort,
    /// It is not good enough in another way.
    TooWeak,
    /// It was used before.
    UsedBefore,
    /// The present one was changed too short a time ago.
    TooSoon,
    /// Its owner may not change it.
    NotAllowed,
    /// The keeper of the passwords did not say why.
    Unspecified,
}
