//! A backend's answer.

use super::{PluginStamp, Principal};

/// Why nobody was authenticated. Callers get one wording whatever the reason; the reason goes to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The password must be changed before it is good for a login.
    MustChangePassword,
    /// The identifier fits more than one account.
    Ambiguous,
    /// The backend does not verify credentials of this kind.
    UnsupportedCredential,
    /// The password was changed, or the sessions of the identity or the plugin were revoked, while the credential was judged. Said by the
    /// host, never by a backend.
    Overtaken,
}

/// What a challenge asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeKind {
    /// A one-time password.
    Otp,
    /// A visit to this URL.
    Redirect(String),
    /// A confirmation on another device.
    Push,
}

/// A further step that a backend wants before it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What it asks for.
    pub kind: ChallengeKind,
    /// What to tell the user.
    pub prompt: String,
    /// The backend's state, at most 8 KiB; it never leaves the host unsealed.
    pub state: Vec<u8>,
    /// Anything else.
    pub attributes: Vec<(String, String)>,
}

/// Exactly one of three answers. A fault is not an outcome: see [`crate::port::BackendFault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The credential belongs to this principal.
    Verified(Principal),
    /// It belongs to nobody.
    Refused(Refusal),
    /// Another step is needed.
    Challenged(Challenge),
}

/// What a look-up found. A fault is not among it, as with an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Somebody whom a right credential would let in now.
    Principal(Principal),
    /// Nobody, or nobody who may log in now.
    Refused(Refusal),
}

/// Why a new password was not accepted, though the present one was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What came of a change of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The new password of this principal is in effect.
    Changed(Principal),
    /// The present password was not accepted.
    Refused(Refusal),
    /// The new password was not accepted; the present one stays.
    Rejected(Rejection),
}

/// An outcome, and the plugin version that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the backend says.
    pub outcome: Outcome,
    /// Which code said it.
    pub plugin: PluginStamp,
}
