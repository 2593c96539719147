//! Second factors: what somebody proves besides a password.

use std::fmt;

use uuid::Uuid;

use super::{IdentityId, TenantId, Timestamp};
use crate::Secret;

/// A factor's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorId(pub Uuid);

impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a one-time password is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactorKind {
    /// From a counter (RFC 4226).
    Hotp,
    /// From the time (RFC 6238).
    Totp,
    /// From a list of codes, each good once: for who has lost the device.
    Recovery,
}

impl FactorKind {
    /// As the store keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hotp => "hotp",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
        }
    }
}

/// The hash function of one-time passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OtpAlgorithm {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl OtpAlgorithm {
    /// As the store keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// What a factor's one-time passwords look like. Of recovery codes only the digits mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtpParameters {
    /// The hash function.
    pub algorithm: OtpAlgorithm,
    /// How many digits: 6 or 8.
    pub digits: u8,
    /// A time step of TOTP, in seconds: 30 or 60.
    pub period: u16,
}

/// Where a factor stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactorState {
    /// It was handed out, and its owner has not shown yet that it works: it is asked of nobody and lets nobody in.
    Enrolling,
    /// It works.
    Active,
    /// An administrator or its owner switched it off for now: it lets nobody in, and is asked of nobody.
    Disabled,
    /// It was given up for good.
    Revoked,
}

impl FactorState {
    /// As the store keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrolling => "enrolling",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }
}

/// Whose a factor is. The identity decides; the rest is what it is shown and searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorOwner {
    /// Who: the same for every backend, dialect and realm that the owner comes through.
    pub identity: IdentityId,
    /// The owner's tenant.
    pub tenant: TenantId,
    /// The login name, as it was when the factor was assigned.
    pub login: String,
    /// The realm through which the owner was found, empty for none.
    pub realm: String,
    /// The resolver that knows the owner, empty for none.
    pub resolver: String,
}

/// A second factor, without its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Its name for people, unique without regard to case, 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `_` and `-`.
    pub serial: String,
    /// How its one-time passwords are made.
    pub kind: FactorKind,
    /// What they look like.
    pub parameters: OtpParameters,
    /// Whose it is; `None` while it is in a drawer.
    pub owner: Option<FactorOwner>,
    /// Where it stands in its life.
    pub state: FactorState,
    /// A verifier (a PHC string) of the PIN that goes before its one-time passwords; `None` for no PIN.
    pub pin: Option<Secret<String>>,
    /// The first counter that is still good: of HOTP the moving factor, of TOTP the time step after the last one that was used, adjusted by no drift.
    pub counter: u64,
    /// Of TOTP, by how many time steps its clock was ahead when it was last used.
    pub drift: i64,
    /// How often in a row it was used wrongly.
    pub failures: u32,
    /// With so many failures it lets nobody in until it is reset.
    pub max_failures: u32,
    /// Of HOTP, how many counters after the next one are tried; of TOTP, how many time steps to either side.
    pub window: u32,
    /// How many are tried for a resynchronisation.
    pub sync_window: u32,
    /// What people wrote about it, at most 1024 characters.
    pub description: String,
    /// Anything else that is shown with it, at most 8 KiB.
    pub attributes: Vec<(String, String)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last let somebody in.
    pub last_used_at: Option<Timestamp>,
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Factor({} {})", self.kind.as_str(), self.serial)
    }
}

impl Factor {
    /// Whether it has failed too often.
    pub fn is_locked(&self) -> bool {
        self.failures >= self.max_failures
    }
}
