//! How a backend answers.

use std::collections::BTreeMap;

use crate::directory::User;

/// A backend's answer. Exactly one of the three, never mixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The credential belongs to this principal.
    Verified(Principal),
    /// It belongs to nobody who may log in.
    Refused(Refusal),
    /// Another step is needed before the backend decides; the response comes to [`Backend::answer`](crate::Backend::answer).
    Challenged(Challenge),
}

impl From<Principal> for Outcome {
    fn from(principal: Principal) -> Self {
        Self::Verified(principal)
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Challenge> for Outcome {
    fn from(challenge: Challenge) -> Self {
        Self::Challenged(challenge)
    }
}

/// Who was authenticated.
///
/// ```
/// use keyway_sdk::{Outcome, Principal};
///
/// let outcome: Outcome = Principal::own("b5a3e0c2").login("alice").groups(["staff"]).attribute("floor", "3").into();
/// assert!(matches!(outcome, Outcome::Verified(alice) if alice.login == "alice"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// Whom it stands for.
    pub subject: Subject,
    /// The login name in its canonical spelling.
    pub login: String,
    /// A name for people to read.
    pub display_name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// Names of the groups it is in.
    pub groups: Vec<String>,
    /// Access patterns that the token should carry. The host drops each that the operator's `acl_ceiling` for the backend does not cover.
    pub accesses: Vec<String>,
    /// Anything else worth keeping with the session.
    pub attributes: BTreeMap<String, String>,
}

impl Principal {
    /// Somebody whom this backend knows by its own stable name, 1 to 255 bytes. The login name is the same until
    /// [`login`](Principal::login) says otherwise. The host keeps the name apart from those of every other backend.
    pub fn own(name: impl Into<String>) -> Self {
        let name = name.into();
        Self::new(Subject::Own(name.clone()), name)
    }

    /// A user of the host's directory, with everything that the directory knows.
    ///
    /// The host believes it only if it matched this user's password during this very call
    /// ([`directory::verify_password`](crate::directory::verify_password) answered `true`), or if it found the user for the plugin during this
    /// call, the operator grants [`Capability::DirectoryLink`](crate::Capability::DirectoryLink), and the user logs in with the method `ldap`.
    pub fn directory(user: &User) -> Self {
        Self {
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            groups: user.groups.clone(),
            ..Self::new(Subject::Directory(user.id.clone()), user.login.clone())
        }
    }

    pub(crate) fn new(subject: Subject, login: String) -> Self {
        Self {
            subject,
            login,
            display_name: None,
            email: None,
            groups: Vec::new(),
            accesses: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// Sets the login name.
    #[must_use]
    pub fn login(mut self, login: impl Into<String>) -> Self {
        self.login = login.into();
        self
    }

    /// Sets the name for people to read.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// Sets the email address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Adds groups.
    #[must_use]
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.groups.extend(groups.into_iter().map(Into::into));
        self
    }

    /// Adds access patterns.
    #[must_use]
    pub fn accesses<S: Into<String>>(mut self, accesses: impl IntoIterator<Item = S>) -> Self {
        self.accesses.extend(accesses.into_iter().map(Into::into));
        self
    }

    /// Sets one attribute.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }
}

/// Whom a principal stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A user of the host's directory, by its id.
    Directory(String),
    /// The backend's own stable name for somebody.
    Own(String),
    /// Somebody of another backend, as [`delegate`](crate::delegate) answered it during this very call: the host believes no other.
    Delegated {
        /// The other backend's name.
        backend: String,
        /// Its own stable name for somebody.
        subject: String,
    },
}

/// Why nobody was authenticated. Callers get one wording whatever the reason; the reason goes to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The credential does not belong to the identifier.
    WrongCredential,
    /// Nobody has this identifier.
    UnknownIdentifier,
    /// The account is disabled.
    Disabled,
    /// The account is locked for now.
    Locked,
    /// The account or its password has expired.
    Expired,
    /// The password is right, and must be changed before it is good for a login.
    MustChangePassword,
    /// The identifier fits more than one account.
    Ambiguous,
    /// This backend does not verify credentials of this kind.
    UnsupportedCredential,
}

/// A further step that the backend wants before it decides.
///
/// ```
/// use keyway_sdk::{Challenge, ChallengeKind, Outcome};
///
/// let outcome: Outcome = Challenge::new(ChallengeKind::Otp, "the code from your device").state(b"alice".to_vec()).into();
/// assert!(matches!(outcome, Outcome::Challenged(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// What it asks for.
    pub kind: ChallengeKind,
    /// What to tell the user.
    pub prompt: String,
    /// At most 8 KiB that the host seals and hands back with the answer, within two minutes.
    pub state: Vec<u8>,
    /// Anything else that the dialect may want to show.
    pub attributes: BTreeMap<String, String>,
}

impl Challenge {
    /// A challenge with no state.
    pub fn new(kind: ChallengeKind, prompt: impl Into<String>) -> Self {
        Self {
            kind,
            prompt: prompt.into(),
            state: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// Sets what the backend wants to get back with the answer.
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.state = state.into();
        self
    }

    /// Sets one attribute.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }
}

/// What a challenge asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeKind {
    /// A one-time password.
    Otp,
    /// A visit to this URL.
    Redirect(String),
    /// A confirmation on another device.
    Push,
}

/// Something went wrong, and the credential was not judged. The caller gets 503 and the operator the message, so it must hold no secret.
///
/// Errors of the host's own interfaces become faults by `?`.
///
/// ```
/// use keyway_sdk::{Fault, SecretError};
///
/// assert_eq!(Fault::from(SecretError::Busy), Fault::unavailable("the host's pool for password hashing is saturated"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Something the backend depends on did not answer. Trying again later may help.
    #[error("{0}")]
    Unavailable(String),
    /// The operator's configuration or grants do not let the backend work.
    #[error("{0}")]
    Misconfigured(String),
    /// A defect in the backend.
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    /// Something the backend depends on did not answer.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable(message.into())
    }

    /// The operator's configuration or grants do not let the backend work.
    pub fn misconfigured(message: impl Into<String>) -> Self {
        Self::Misconfigured(message.into())
    }

    /// A defect in the backend.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }
}
