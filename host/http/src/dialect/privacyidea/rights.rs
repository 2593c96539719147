//! Roles.

use serde::{Deserialize, Serialize};

/// Whether somebody is an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// A local administrator, or a user of a realm whose users are.
    Admin,
    /// A user of a realm, who is concerned with the own tokens alone.
    User,
}

impl Role {
    /// As the API writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}
