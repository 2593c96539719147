//! The host's own users, tenants and policies: what an operator and the `directory` import do with them.

use std::sync::Arc;

use crate::Secret;
use crate::model::{Page, Paged, Policy, Tenant, TenantId, User, UserId};
use crate::password::{PasswordError, PasswordPool};
use crate::port::{Clock, Random, Store, StoreError};
use crate::token::TokenCache;

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
        /// `user`, `tenant` or `policy`.
        what: &'static str,
        /// What was asked for.
        name: String,
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

/// A user to be made.
#[derive(Debug, Clone, Default)]
pub struct AddUser {
    /// 1 to 256 characters.
    pub login: String,
    /// At least one byte; `None` for a user who cannot log in with a password.
    pub password: Option<Secret<Vec<u8>>>,
    /// Becomes the main address, confirmed.
    pub email: Option<String>,
    /// A name for people to read.
    pub display_name: Option<String>,
    /// Id, domain, realm or name; the top tenant if absent.
    pub tenant: Option<String>,
    /// Attaches the policy `admin`, which holds `#`.
    pub admin: bool,
}

/// Users, tenants and policies. The stores below it are never called by a dialect directly.
pub struct DirectoryService {}

impl DirectoryService {
    /// Over this store. Revocations that follow from removing a user or changing a password reach `cache` at once.
    pub fn new(
        _store: Arc<dyn Store>,
        _passwords: Arc<PasswordPool>,
        _cache: Arc<TokenCache>,
        _clock: Arc<dyn Clock>,
        _random: Arc<dyn Random>,
    ) -> Self {
        todo!()
    }

    /// The user with this login. `tenant` is an id, a domain, a realm or a name; an unknown one finds nobody.
    ///
    /// # Errors
    /// [`DirectoryError::Ambiguous`], [`DirectoryError::Store`].
    pub async fn find_by_login(&self, _login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        todo!()
    }

    /// The user with this confirmed email address.
    ///
    /// # Errors
    /// As [`DirectoryService::find_by_login`].
    pub async fn find_by_email(&self, _email: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        todo!()
    }

    /// Whether this is the user's password. `None`, nobody's id and a user without a password cost the same and answer `false`. Renews an
    /// outdated verifier.
    ///
    /// # Errors
    /// [`DirectoryError::Password`], [`DirectoryError::Store`].
    pub async fn verify_password(
        &self,
        _user: Option<UserId>,
        _password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        todo!()
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_user(&self, _user: AddUser) -> Result<User, DirectoryError> {
        todo!()
    }

    /// The user of this uuid or login.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Ambiguous`], [`DirectoryError::Store`].
    pub async fn get_user(&self, _selector: &str) -> Result<User, DirectoryError> {
        todo!()
    }

    /// Users, in the order of their logins.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_users(&self, _tenant: Option<TenantId>, _page: Page) -> Result<Paged<User>, DirectoryError> {
        todo!()
    }

    /// Removes a user and ends its sessions.
    ///
    /// # Errors
    /// As [`DirectoryService::get_user`].
    pub async fn remove_user(&self, _selector: &str) -> Result<User, DirectoryError> {
        todo!()
    }

    /// Sets a password and ends the user's sessions.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_password(&self, _selector: &str, _password: &Secret<Vec<u8>>) -> Result<User, DirectoryError> {
        todo!()
    }

    /// Adds a tenant below `parent` (id, domain, realm or name; the top tenant if absent).
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_tenant(
        &self,
        _name: &str,
        _parent: Option<&str>,
        _realm: Option<&str>,
        _domains: &[String],
    ) -> Result<Tenant, DirectoryError> {
        todo!()
    }

    /// All tenants.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, DirectoryError> {
        todo!()
    }

    /// Removes a tenant that owns nothing.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove_tenant(&self, _selector: &str) -> Result<Tenant, DirectoryError> {
        todo!()
    }

    /// Adds a policy to the top tenant.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_policy(&self, _name: &str, _accesses: Vec<String>) -> Result<Policy, DirectoryError> {
        todo!()
    }

    /// All policies.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_policies(&self) -> Result<Vec<Policy>, DirectoryError> {
        todo!()
    }

    /// Removes a policy.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove_policy(&self, _name: &str) -> Result<Policy, DirectoryError> {
        todo!()
    }

    /// Attaches a policy to a user (uuid or login) or to any identity (uuid). Tokens that were issued before keep their accesses.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn attach_policy(&self, _policy: &str, _to: &str) -> Result<Policy, DirectoryError> {
        todo!()
    }

    /// Detaches a policy.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn detach_policy(&self, _policy: &str, _from: &str) -> Result<Policy, DirectoryError> {
        todo!()
    }
}
