//! Who was authenticated, in a backend's words and in the host's.

use serde::{Deserialize, Serialize};

use super::{BackendName, IdentityId, TenantId, User, UserId};

/// Whom a principal stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A user of the host's own directory. The runtime lets a backend say so only where the host itself matched that user's password
    /// during the same call.
    Directory(UserId),
    /// A user of the host's own directory whose password is kept elsewhere. The runtime lets a backend say so only where the operator allows it
    /// and the host found that user for it during the same call; core, only where the user's method of logging in is
    /// [`AuthenticationMethod::Ldap`](super::AuthenticationMethod::Ldap).
    Linked(UserId),
    /// The backend's own stable name for somebody.
    Own(String),
    /// Somebody of another backend. The runtime lets a backend say so only where that other one said so when it was asked during the same call.
    Delegated {
        /// The other backend.
        backend: BackendName,
        /// Its own stable name for somebody.
        subject: String,
    },
    /// A user of the host's own directory who was found without a password during the call. Said of look-ups and lists alone: it names somebody, and lets
    /// nobody in.
    Found(UserId),
}

/// Who was authenticated, in the backend's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Whom it stands for.
    pub subject: Subject,
    /// The login name in its canonical spelling.
    pub login: String,
    /// A name for people to read.
    pub display_name: Option<String>,
    /// An email address.
    pub email: Option<String>,
    /// The groups it is in, as the backend knows them.
    pub groups: Vec<String>,
    /// Access patterns that the backend asks for. Only what the operator's ceiling covers reaches a token.
    pub accesses: Vec<String>,
    /// Anything else worth keeping with the session.
    pub attributes: Vec<(String, String)>,
}

/// Who was authenticated, in the host's words: namespaced, so that no backend can assert another backend's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id that policies are attached to and that dialects show (`auth_id` in wazo's).
    pub id: IdentityId,
    /// The directory user, if it is one.
    pub user: Option<UserId>,
    /// The owner.
    pub tenant: TenantId,
    /// The backend that let it in.
    pub backend: BackendName,
    /// The login name in its canonical spelling.
    pub login: String,
}

impl Identity {
    /// A directory user's, as it is now.
    pub fn of_user(user: &User, backend: BackendName) -> Self {
        Self {
            id: user.id.into(),
            user: Some(user.id),
            tenant: user.tenant,
            backend,
            login: user.name().into_owned(),
        }
    }
}
