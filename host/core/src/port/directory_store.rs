//! The host's own users at rest.

use async_trait::async_trait;

use super::{Revoked, StoreError};
use crate::Secret;
use crate::model::{
    BackendName, GroupId, IdentityId, Paged, PolicyId, Purpose, Query, TenantId, Timestamp, User, UserId,
};

/// A user to be made, with the verifier of its password.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user.
    pub user: User,
    /// Its password's verifier as a PHC string; `None` for a user who cannot log in with a password.
    pub verifier: Option<StoredVerifier>,
}

/// Which users are wanted: those that fit all that is set. Texts are compared in their own spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// With this id.
    pub id: Option<UserId>,
    /// With this login.
    pub login: Option<String>,
    /// With this given name.
    pub firstname: Option<String>,
    /// With this family name.
    pub lastname: Option<String>,
    /// There for this.
    pub purpose: Option<Purpose>,
    /// With this address, confirmed or not.
    pub email: Option<String>,
    /// Members of this group.
    pub group: Option<GroupId>,
    /// To whom this policy is attached, directly.
    pub policy: Option<PolicyId>,
    /// To whom a policy with this slug is attached, directly.
    pub policy_slug: Option<String>,
    /// Who has this policy, directly or through a group.
    pub has_policy: Option<PolicyId>,
    /// Who has a policy with this slug, directly or through a group.
    pub has_policy_slug: Option<String>,
}

/// What users can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UserOrder {
    /// Their logins, without regard to case; those without one first.
    #[default]
    Login,
    /// Their given names, likewise.
    Firstname,
    /// Their family names, likewise.
    Lastname,
}

/// A password verifier (PHC string). Secret: whoever has it can guess at leisure.
pub type StoredVerifier = Secret<String>;

/// Users, their verifiers, and the identities of backends' own subjects.
#[async_trait]
pub trait DirectoryStore: Send + Sync {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `login` (unique within the tenant, without regard to case) or `email` (likewise),
    /// [`StoreError::Missing`] for the tenant, [`StoreError::Unavailable`].
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError>;

    /// The user with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// At most two users with this login key (see [`crate::model::login_key`]), in this tenant or in any: two mean that it is ambiguous.
    ///
    /// # Errors
    /// As [`DirectoryStore::find_user`].
    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError>;

    /// At most two users with this key among their *confirmed* email addresses.
    ///
    /// # Errors
    /// As [`DirectoryStore::find_user`].
    async fn find_users_by_email(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError>;

    /// Users. A search looks at logins, names and addresses.
    ///
    /// # Errors
    /// As [`DirectoryStore::find_user`].
    async fn list_users(&self, query: &Query<UserFilter, UserOrder>) -> Result<Paged<User>, StoreError>;

    /// Removes a user, its attachments, its sessions and their tokens in one transaction; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_user(&self, id: UserId) -> Result<Option<Revoked>, StoreError>;

    /// The verifier of a user's password; `None` for an unknown user or one without a password.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError>;

    /// Sets a user's password and ends its sessions, in one transaction; `None` if there is no such user. Logins under way are refused, as
    /// they are by [`super::TokenStore::revoke`] of the user's identity.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn set_verifier(
        &self,
        id: UserId,
        verifier: &StoredVerifier,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError>;

    /// Puts `renewed` in the place of `current` if that still is the user's verifier: the same password under newer parameters. No session
    /// ends, and no login under way is refused. Returns whether it was replaced.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn renew_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        renewed: &StoredVerifier,
    ) -> Result<bool, StoreError>;

    /// The id of a backend's own subject, made on its first login: `fresh` if there was none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn resolve_identity(
        &self,
        backend: &BackendName,
        subject: &str,
        fresh: IdentityId,
        at: Timestamp,
    ) -> Result<IdentityId, StoreError>;
}
