//! Why a token was not issued, or is not good.

use std::time::Duration;

use crate::factor::{FactorError, FactorRefusal};
use crate::model::{Closed, IdentityId, Refusal};
use crate::password::PasswordError;
use crate::port::{BackendFault, BackendSlot, StoreError};

/// Why a token was not issued, or is not good. Every dialect matches each of them, without a catch-all.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Nobody was authenticated. The reason is for the log only.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The one-time password was not accepted, though the rest was. The reason is for the log, and for clients whose API tells it.
    #[error("refused: the one-time password: {0:?}")]
    Factor(FactorRefusal),
    /// Factors could not be asked.
    #[error("second factors failed")]
    Factors(#[source] FactorError),
    /// The credential was right, and nobody of the account may log in. The reason is for clients whose API tells it, and for the log.
    #[error("refused: nobody of the account may log in: {}", closed_because(.0))]
    Closed(Closed),
    /// The request held no credential.
    #[error("refused: no credential")]
    NoCredential,
    /// No backend has this name. Callers get the wording of a refusal.
    #[error("refused: no backend `{0}`")]
    UnknownBackend(String),
    /// The caller asked for a life of zero, or for more than the operator allows.
    #[error("a token lives between 1 s and {} s", .max.as_secs())]
    TtlOutOfRange {
        /// The longest that it may be.
        max: Duration,
    },
    /// The credential was not judged.
    #[error("backend `{backend}` failed")]
    Backend {
        /// Which.
        backend: String,
        /// Why.
        #[source]
        fault: BackendFault,
    },
    /// The identity has as many sessions open as it may.
    #[error("`{0}` has as many sessions open as it may")]
    TooManySessions(IdentityId),
    /// The store did not answer.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The pool for password hashing is saturated.
    #[error("the password pool is saturated")]
    Saturated,
    /// Unknown, expired or revoked; nobody can tell which.
    #[error("no such token")]
    NotFound,
    /// The token lacks this access.
    #[error("the token lacks the access `{0}`")]
    AccessDenied(String),
    /// The tenant is not the token owner's and does not lie below it.
    #[error("the token is not good for the tenant `{0}`")]
    TenantDenied(String),
}

impl TokenError {
    pub(super) fn of_backend(slot: &BackendSlot, fault: BackendFault) -> Self {
        Self::Backend {
            backend: slot.name.as_str().to_owned(),
            fault,
        }
    }
}

fn closed_because(closed: &Closed) -> &'static str {
    match closed {
        Closed::Disabled => "it is disabled",
        Closed::Expired(_) => "its trial is over",
    }
}

impl From<FactorError> for TokenError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Store(error) => Self::Store(error),
            FactorError::Password(PasswordError::Saturated) => Self::Saturated,
            error => Self::Factors(error),
        }
    }
}
