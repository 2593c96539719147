//! The directory of another system, to be brought in.

use async_trait::async_trait;

use super::StoreError;
use crate::Secret;
use crate::model::{PostalAddress, Timestamp};

/// How many rows there are of each kind, for whoever shows progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForeignCounts {
    /// Tenants.
    pub tenants: u64,
    /// Policies.
    pub policies: u64,
    /// Groups.
    pub groups: u64,
    /// Users.
    pub users: u64,
    /// Refresh tokens.
    pub refresh_tokens: u64,
    /// Tenants with an LDAP directory.
    pub ldap_settings: u64,
}

/// A tenant as the other system has it. Ids are texts: what is no UUID is for the importer to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignTenant {
    /// Its id.
    pub id: String,
    /// The tenant above it; its own id for the top one.
    pub parent: String,
    /// Its name.
    pub name: Option<String>,
    /// Its short name.
    pub slug: String,
    /// Its phone number.
    pub phone: Option<String>,
    /// A user's id.
    pub contact: Option<String>,
    /// Where it is.
    pub address: PostalAddress,
    /// How its users prove who they are.
    pub authentication_method: String,
    /// Its domains.
    pub domains: Vec<String>,
    /// The id of its group of all users.
    pub all_users: Option<String>,
}

/// A policy as the other system has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignPolicy {
    /// Its id.
    pub id: String,
    /// The owner's id.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Its short name.
    pub slug: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its accesses.
    pub accesses: Vec<String>,
    /// Whether tenants below may use it.
    pub shared: bool,
    /// Whether a configuration defines it.
    pub managed: bool,
}

/// A group as the other system has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignGroup {
    /// Its id.
    pub id: String,
    /// The owner's id.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Its short name.
    pub slug: String,
    /// Whether the system made it: of all users of the tenant, or because a configuration says so.
    pub system: bool,
    /// The ids of its policies.
    pub policies: Vec<String>,
}

/// An email address as the other system has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignEmail {
    /// Its id.
    pub id: String,
    /// The address.
    pub address: String,
    /// Whether it is the one to write to.
    pub main: bool,
    /// Whether its owner confirmed it.
    pub confirmed: bool,
}

/// A user as the other system has it.
#[derive(Debug, Clone)]
pub struct ForeignUser {
    /// Its id.
    pub id: String,
    /// The owner's id.
    pub tenant: String,
    /// Its login.
    pub login: Option<String>,
    /// Its given name.
    pub firstname: Option<String>,
    /// Its family name.
    pub lastname: Option<String>,
    /// What it is there for.
    pub purpose: String,
    /// How it proves who it is.
    pub authentication_method: String,
    /// Whether it may log in.
    pub enabled: bool,
    /// The verifier of its password as a PHC string; a reason if there is one that cannot be taken over.
    pub verifier: Result<Option<Secret<String>>, &'static str>,
    /// Its addresses.
    pub emails: Vec<ForeignEmail>,
    /// The ids of its own policies.
    pub policies: Vec<String>,
    /// The ids of its groups, the one of all users left out.
    pub groups: Vec<String>,
}

/// A refresh token as the other system has it: in clear.
#[derive(Debug, Clone)]
pub struct ForeignRefreshToken {
    /// The token.
    pub value: Secret<String>,
    /// Whose it is.
    pub user: String,
    /// The client's name for itself.
    pub client_id: String,
    /// The backend that let its owner in.
    pub backend: Option<String>,
    /// The login at that time.
    pub login: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// When.
    pub created_at: Option<Timestamp>,
    /// Whether the client is a mobile one.
    pub mobile: bool,
    /// What was kept with it.
    pub attributes: Vec<(String, String)>,
}

/// Where a tenant's users are in LDAP, as the other system has it.
#[derive(Debug, Clone)]
pub struct ForeignLdap {
    /// The tenant's id.
    pub tenant: String,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// The version of the protocol.
    pub protocol_version: Option<i16>,
    /// `ldaps` or `tls`.
    pub protocol_security: Option<String>,
    /// The service account.
    pub bind_dn: Option<String>,
    /// Its password.
    pub bind_password: Option<Secret<String>>,
    /// Where users are.
    pub user_base_dn: String,
    /// The attribute with the login.
    pub user_login_attribute: Option<String>,
    /// The attribute with the email address.
    pub user_email_attribute: Option<String>,
    /// The filter that finds users.
    pub search_filters: Option<String>,
}

/// The directory of another system, as it was at one moment. To add one: a file in `host/store/src/foreign`.
///
/// Lists that can be long come in some order of their ids: at most `limit` rows of those that come after `after`, which is empty at first.
#[async_trait]
pub trait ForeignDirectory: Send + Sync {
    /// How many rows there are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn counts(&self) -> Result<ForeignCounts, StoreError>;

    /// All tenants, in no particular order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn tenants(&self) -> Result<Vec<ForeignTenant>, StoreError>;

    /// Policies.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn policies(&self, after: &str, limit: u32) -> Result<Vec<ForeignPolicy>, StoreError>;

    /// Groups.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn groups(&self, after: &str, limit: u32) -> Result<Vec<ForeignGroup>, StoreError>;

    /// Users.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn users(&self, after: &str, limit: u32) -> Result<Vec<ForeignUser>, StoreError>;

    /// Refresh tokens, in the order of the tokens themselves.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn refresh_tokens(&self, after: &Secret<String>, limit: u32) -> Result<Vec<ForeignRefreshToken>, StoreError>;

    /// Where tenants' users are in LDAP, all of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn ldap_settings(&self) -> Result<Vec<ForeignLdap>, StoreError>;
}
