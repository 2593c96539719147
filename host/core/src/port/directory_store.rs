//! The host's own users at rest.

use async_trait::async_trait;

use super::{Revoked, StoreError};
use crate::Secret;
use crate::model::{
    AuthenticationMethod, BackendName, DigestAlgorithm, Email, EmailId, GroupId, IdentityId, Paged, PolicyId, Purpose,
    Query, TenantId, Timestamp, User, UserId,
};

/// Among whom a name must be free. A name is a login or an address: neither may be another user's login or address, without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Uniqueness {
    /// Among the users of the same tenant, and among those of others who were made later: where no tenant is named, a name is theirs who was made first
    /// (see [`DirectoryStore::find_users_by_login`]), and nobody can take that from another tenant's user.
    #[default]
    InTenant,
    /// Among all users.
    Everywhere,
}

/// A user to be made, with the verifier of its password.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user.
    pub user: User,
    /// Its password; `None` for a user who cannot log in with one.
    pub password: Option<NewPassword>,
    /// Among whom its login and its addresses must be free.
    pub unique: Uniqueness,
    /// Policies to be attached to it.
    pub policies: Vec<PolicyId>,
    /// Whether somebody chose its id, which then may have been a removed user's: logins of that user that are under way are refused, as they are
    /// by [`super::TokenStore::revoke`].
    pub chosen_id: bool,
}

impl NewUser {
    /// A user without policies, whose names are unique in its tenant.
    pub fn of(user: User, password: Option<NewPassword>) -> Self {
        Self {
            user,
            password,
            unique: Uniqueness::default(),
            policies: Vec::new(),
            chosen_id: false,
        }
    }
}

/// What of a user can be replaced, all of it at once: who has no say in something leaves it as it is when the change is written, whatever was read before. Its addresses are not part of it: see [`DirectoryStore::set_emails`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserChange {
    /// The login name; `None` for none.
    pub login: Option<String>,
    /// The given name.
    pub firstname: Option<String>,
    /// The family name.
    pub lastname: Option<String>,
    /// What it is there for; `None` leaves it as it is.
    pub purpose: Option<Purpose>,
    /// How it proves who it is; `None` leaves it as it is.
    pub authentication_method: Option<AuthenticationMethod>,
    /// Whether it may log in; `None` leaves it as it is.
    pub enabled: Option<bool>,
}

/// An address that a user is to have. One that it has already, without regard to case, keeps its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailChange {
    /// The id of an address that is new to the user.
    pub fresh: EmailId,
    /// The address.
    pub address: String,
    /// Whether it is the one to write to.
    pub main: bool,
    /// Whether its owner confirmed it; `None` leaves it as it is, and an address that is new is not confirmed.
    pub confirmed: Option<bool>,
}

impl EmailChange {
    /// The address that results, where the user has `known` in its place.
    pub fn apply(self, known: Option<&Email>) -> Email {
        Email {
            id: known.map_or(self.fresh, |known| known.id),
            address: self.address,
            main: self.main,
            confirmed: self
                .confirmed
                .unwrap_or_else(|| known.is_some_and(|known| known.confirmed)),
        }
    }
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
    /// Members of this group. The `total` of a list counts these, as it counts those in scope.
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

/// What stands for a digest of login and password that some clients send in the place of the password: [`crate::password::DigestKey::hash`] of it. All of a
/// tenant's have the same salt, so that one computation finds the user; the login in the digest keeps two users' apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDigest {
    /// How the digest was made.
    pub algorithm: DigestAlgorithm,
    /// What the hash cost: its parameters in the form of a PHC string, `m=65536,t=3,p=1`.
    pub cost: String,
    /// The hash.
    pub hash: Secret<[u8; 32]>,
}

/// A password that is to be set.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// Its verifier.
    pub verifier: StoredVerifier,
    /// What stands for its digests, at the most one for each algorithm; none where no client sends any.
    pub digests: Vec<StoredDigest>,
}

impl From<StoredVerifier> for NewPassword {
    /// A password without digests.
    fn from(verifier: StoredVerifier) -> Self {
        Self {
            verifier,
            digests: Vec::new(),
        }
    }
}

/// Users, their verifiers, and the identities of backends' own subjects.
#[async_trait]
pub trait DirectoryStore: Send + Sync {
    /// Adds a user, in one transaction with its addresses, its password, its policies and its membership in the tenant's group of all users.
    /// What hung on its id before, as on nobody's, does not become its own.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `login`, `email` (see [`Uniqueness`]) or `user id` (unique everywhere, among other identities too),
    /// [`StoreError::Missing`] for the `tenant` or a `policy`, [`StoreError::Unavailable`].
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError>;

    /// Replaces what a user is, and returns it; `None` if there is none. Its digests go if what it is called changes: they are made of the login too. A login
    /// that it has already is not compared with others' names. If it
    /// was enabled and no longer is, its sessions end in the same transaction, and logins under way are refused as they are by
    /// [`super::TokenStore::revoke`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `login`, [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        unique: Uniqueness,
        at: Timestamp,
    ) -> Result<Option<(User, Revoked)>, StoreError>;

    /// Puts these addresses, of which no two are the same, in the place of all that a user has, and returns the user; `None` if there is none.
    /// Those that it has already are not compared with others' names.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `email`, [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn set_emails(
        &self,
        id: UserId,
        emails: &[EmailChange],
        unique: Uniqueness,
    ) -> Result<Option<User>, StoreError>;

    /// Lets these users prove who they are by another method: all of them, or those whose method is `instead_of`. Whoever does not exist is left
    /// out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn set_authentication_method(
        &self,
        users: &[UserId],
        method: AuthenticationMethod,
        instead_of: Option<AuthenticationMethod>,
    ) -> Result<(), StoreError>;

    /// How a user proves who it is: by its tenant's method where its own is [`AuthenticationMethod::Default`]; `None` for an unknown user.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_authentication_method(&self, id: UserId) -> Result<Option<AuthenticationMethod>, StoreError>;

    /// The user with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// At most two users with this login key (see [`crate::model::login_key`]), in this tenant or in any, the one who was made first first.
    ///
    /// # Errors
    /// As [`DirectoryStore::find_user`].
    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError>;

    /// At most two users with this key among their *confirmed* email addresses, in the same order.
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

    /// The verifier of a user's password; `None` for an unknown user, one without a password, and one who proves who it is by another method
    /// than [`AuthenticationMethod::Native`] (see [`DirectoryStore::find_authentication_method`]).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError>;

    /// Sets a user's password, with its digests in the place of all that were there, and ends its sessions, in one transaction; `None` if there is no such
    /// user. Logins under way are refused, as they are by [`super::TokenStore::revoke`] of the user's identity.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn set_verifier(
        &self,
        id: UserId,
        password: &NewPassword,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError>;

    /// As [`DirectoryStore::set_verifier`], if `current` still is the user's verifier; `None` if it is not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn change_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        password: &NewPassword,
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

    /// Puts these digests in the place of those that the user has, if `current` still is the user's verifier and `login` still what the user is called
    /// ([`User::name`], compared by [`crate::model::login_key`]): the digests of the same password. No session ends. Returns whether it was done.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn put_digests(
        &self,
        id: UserId,
        current: &StoredVerifier,
        login: &str,
        digests: &[StoredDigest],
    ) -> Result<bool, StoreError>;

    /// What the digests of this tenant's users cost, each cost once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list_digest_costs(&self, tenant: TenantId, algorithm: DigestAlgorithm) -> Result<Vec<String>, StoreError>;

    /// The digests of this user's password, at the most one for each algorithm.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_digests(&self, id: UserId) -> Result<Vec<StoredDigest>, StoreError>;

    /// At most two users of this tenant with this digest, of those who prove who they are by [`AuthenticationMethod::Native`], enabled or not; the one who was
    /// made first comes first.
    ///
    /// # Errors
    /// As [`DirectoryStore::find_user`].
    async fn find_users_by_digest(&self, tenant: TenantId, digest: &StoredDigest) -> Result<Vec<User>, StoreError>;

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

    /// The subject whose id this is, in its backend's words; `None` for a directory user's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find_subject(&self, id: IdentityId) -> Result<Option<String>, StoreError>;
}
