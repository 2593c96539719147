//! Identifiers: one newtype each, so that no id can stand where another belongs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A user of the host's own directory.
    UserId
);
id!(
    /// Somebody who has logged in: a directory user's id, or the id that the host gave to a backend's own subject. Wazo calls it
    /// `auth_id`. Policies are attached to it.
    IdentityId
);
id!(
    /// One login.
    SessionId
);
id!(
    /// An ownership boundary.
    TenantId
);
id!(
    /// A named list of accesses.
    PolicyId
);
id!(
    /// A named list of users.
    GroupId
);
id!(
    /// An email address of a user.
    EmailId
);
id!(
    /// A client's right to new tokens without the password.
    RefreshTokenId
);

impl From<UserId> for IdentityId {
    fn from(user: UserId) -> Self {
        Self(user.0)
    }
}
