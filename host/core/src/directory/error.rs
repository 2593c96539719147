//! Why the directory did not do what it was asked.

use crate::password::PasswordError;
use crate::port::StoreError;

/// Why the directory did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The store refused or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password could not be hashed or compared.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// More than one user fits.
    #[error("`{0}` fits more than one user; name the tenant, or the user's uuid")]
    Ambiguous(String),
    /// Nobody fits.
    #[error("no such {what}: `{name}`")]
    NotFound {
        /// `user`, `group`, `tenant`, `policy` and the like.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The host's own, or the configuration's.
    #[error("the {what} `{name}` cannot be changed or removed")]
    Protected {
        /// `group`, `policy` or `tenant`.
        what: &'static str,
        /// Its id.
        name: String,
    },
    /// The caller's own accesses do not cover this one, so it may neither pass it on nor lift it.
    #[error("the caller may not pass on or lift `{0}`")]
    AccessDenied(String),
    /// The old password is not the user's.
    #[error("the old password is wrong")]
    WrongPassword,
    /// The user does not prove who it is with a password that is kept here.
    #[error("the user's password is not kept here")]
    ManagedExternally,
    /// Two things that belong to different tenants cannot go together.
    #[error("the {what} belongs to another tenant")]
    OtherTenant {
        /// `user` or `policy`.
        what: &'static str,
    },
    /// A value is not acceptable.
    #[error("{field}: {rule}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What would be right.
        rule: &'static str,
    },
}

impl DirectoryError {
    pub(crate) fn not_found(what: &'static str, name: &str) -> Self {
        Self::NotFound {
            what,
            name: name.to_owned(),
        }
    }
}
