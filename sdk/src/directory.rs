//! The host's own users. Read only, and without their verifiers, which never leave the host.
//!
//! ```
//! use keyway_sdk::directory::{self, Found};
//! # use keyway_sdk::{*, testing::MockHost};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde")]
//! # struct Local {}
//! # impl Backend for Local {
//! #     type Config = Self;
//! #     fn describe() -> Description {
//! #         description!().wants([Capability::DirectoryFind, Capability::DirectoryVerify])
//! #     }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
//!     let user = match directory::find_by_login(&login.identifier, context.tenant.as_deref())? {
//!         Found::One(user) if user.enabled => Some(user),
//!         _ => None,
//!     };
//!     // Exactly one comparison, whoever was found, so that the time of an answer tells nothing.
//!     let id = user.as_ref().map(|user| user.id.as_str());
//!     let matches = directory::verify_password(id, login.credential.secret())?;
//!     Ok(match user {
//!         Some(user) if matches => Principal::directory(&user).into(),
//!         _ => Refusal::WrongCredential.into(),
//!     })
//! }
//! # }
//! # let host = MockHost::new().user("alice", "s3cre7");
//! # assert!(matches!(host.login::<Local>("Alice", "s3cre7"), Ok(Outcome::Verified(_))));
//! # assert_eq!(host.login::<Local>("bob", "s3cre7"), Ok(Refusal::WrongCredential.into()));
//! ```

use crate::{DigestAlgorithm, Fault, Secret, host};

/// A user of the host's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The user's UUID.
    pub id: String,
    /// The login name as it was created.
    pub login: String,
    /// The main email address.
    pub email: Option<String>,
    /// A name for people to read.
    pub display_name: Option<String>,
    /// The UUID of the tenant that owns the user.
    pub tenant: String,
    /// Whether the user may log in. [`verify_password`] and [`find_by_digest`] do not look at it; the backend must.
    pub enabled: bool,
    /// Names of the user's groups.
    pub groups: Vec<String>,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Exactly one user.
    One(User),
    /// Nobody.
    Nobody,
    /// More than one; a tenant would tell them apart.
    Several,
}

/// The user with this login, compared without regard to case. `tenant` (an id or a domain) narrows the search; without it the user who was made first
/// is found.
///
/// Capability: [`DirectoryFind`](crate::Capability::DirectoryFind).
///
/// # Errors
/// [`DirectoryError`]; as a [`Fault`] through `?`.
pub fn find_by_login(login: &str, tenant: Option<&str>) -> Result<Found, DirectoryError> {
    host::find_by_login(login, tenant)
}

/// The user with this confirmed email address, compared without regard to case. Without a tenant, the user who was made first, and nobody if somebody
/// else had it as a login before: ask for the login then.
///
/// Capability: [`DirectoryFind`](crate::Capability::DirectoryFind).
///
/// # Errors
/// As for [`find_by_login`].
pub fn find_by_email(email: &str, tenant: Option<&str>) -> Result<Found, DirectoryError> {
    host::find_by_email(email, tenant)
}

/// The users whose login name or email address fits the pattern, in which `*` stands for any text and case does not count: at most `most`, by login
/// name. `tenant` (an id or a domain) narrows the search.
///
/// Capability: [`DirectoryList`](crate::Capability::DirectoryList).
///
/// # Errors
/// As for [`find_by_login`].
///
/// ```
/// # use keyway_sdk::{*, testing::MockHost};
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde")]
/// # struct Local {}
/// # impl Backend for Local {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!().wants([Capability::DirectoryList]) }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// #     fn verify(&self, _: &Context, _: &Login) -> Result<Outcome, Fault> { Ok(Refusal::WrongCredential.into()) }
/// # }
/// impl Browse for Local {
///     fn list(&self, context: &Context, query: &Query) -> Result<Listing, Fault> {
///         let users = directory::list_users(query.pattern("login").unwrap_or("*"), context.tenant.as_deref(), query.most)?;
///         let complete = users.len() < query.most as usize;
///         let principals = users.iter().map(Principal::directory).filter(|user| query.fits(user)).collect();
///         Ok(Listing { principals, complete })
///     }
/// }
/// # let host = MockHost::new().user("alice", "s3cre7").user("bob", "s3cre7");
/// let listing = host.browse::<Local>(Query::most(10).with("login", "AL*")).unwrap();
/// assert_eq!((listing.principals.len(), listing.complete), (1, true));
/// ```
pub fn list_users(pattern: &str, tenant: Option<&str>, most: u32) -> Result<Vec<User>, DirectoryError> {
    host::list_directory_users(pattern, tenant, most)
}

/// Is this the password of the user with this id? Runs in the host.
///
/// With `None`, with the id of nobody, or for a user who has no password, the host does the same work and answers `false`. A `true`
/// is also what lets this call's outcome be [`Principal::directory`](crate::Principal::directory) of that user.
///
/// Capability: [`DirectoryVerify`](crate::Capability::DirectoryVerify).
///
/// # Errors
/// [`DirectoryError`]; as a [`Fault`] through `?`.
pub fn verify_password(user_id: Option<&str>, password: &Secret) -> Result<bool, DirectoryError> {
    host::verify_password(user_id, password.handle())
}

/// Whose digest is this? Some clients send a hash over `login:password` in the place of both (Kazoo's do): [`Credential::Digest`](crate::Credential::Digest),
/// with an empty identifier. Runs in the host.
///
/// `tenant` (an id or a domain) says among whose users. Without one, with one that does not exist, and for a digest that is nobody's, the host does the work
/// of a comparison and answers `None`: call it once, whatever it will be. A user is also what lets this call's outcome be
/// [`Principal::directory`](crate::Principal::directory) of that user. Whether the user may log in is not looked at; the backend must.
///
/// Capability: [`DirectoryVerify`](crate::Capability::DirectoryVerify).
///
/// # Errors
/// [`DirectoryError`]; as a [`Fault`] through `?`.
///
/// ```
/// # use keyway_sdk::{*, testing::{MockCredential, MockHost}};
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde")]
/// # struct Local {}
/// # impl Backend for Local {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!().wants([Capability::DirectoryVerify]) }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
///     let Credential::Digest { algorithm, value } = &login.credential else {
///         return Ok(Refusal::UnsupportedCredential.into());
///     };
///     Ok(match directory::find_by_digest(*algorithm, value, context.tenant.as_deref())? {
///         Some(user) if user.enabled => Principal::directory(&user).into(),
///         Some(_) => Refusal::Disabled.into(),
///         None => Refusal::WrongCredential.into(),
///     })
/// }
/// # }
/// # let host = MockHost::new().user("Alice", "s3cre7").context(|context| context.tenant = Some("master".to_owned()));
/// let digest = MockCredential::digest(DigestAlgorithm::Md5, "alice", "s3cre7");
/// assert!(matches!(host.present::<Local>("", digest), Ok(Outcome::Verified(_))));
/// ```
pub fn find_by_digest(
    algorithm: DigestAlgorithm,
    digest: &Secret,
    tenant: Option<&str>,
) -> Result<Option<User>, DirectoryError> {
    host::find_by_digest(algorithm, digest.handle(), tenant)
}

/// Why the directory gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The value is the capability to ask for.
    #[error("the capability `{0}` is not granted")]
    NotGranted(String),
    /// The store did not answer, or the pool for password hashing is saturated.
    #[error("the host's directory did not answer")]
    Unavailable,
    /// This call has used up the look-ups or comparisons that it is allowed.
    #[error("this call has used up its look-ups or comparisons")]
    LimitReached,
}

impl From<DirectoryError> for Fault {
    fn from(error: DirectoryError) -> Self {
        let message = error.to_string();
        match error {
            DirectoryError::NotGranted(_) => Self::Misconfigured(message),
            DirectoryError::Unavailable => Self::Unavailable(message),
            DirectoryError::LimitReached => Self::Internal(message),
        }
    }
}
