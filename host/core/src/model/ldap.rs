//! Where a tenant's users are in LDAP.

use serde::{Deserialize, Serialize};

/// Where a tenant's users are in LDAP, without the password of the service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LdapSettings {
    /// The server's name or address, at most 512 characters.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The version of the protocol: 2 or 3.
    pub protocol_version: u8,
    /// How the connection is protected; `None` for not at all.
    pub protocol_security: Option<LdapSecurity>,
    /// The account that looks users up, at most 256 characters; without one, users are looked up by nobody but themselves.
    pub bind_dn: Option<String>,
    /// The entry below which users are, at most 256 characters.
    pub user_base_dn: String,
    /// The attribute that holds a user's login, at most 64 characters.
    pub user_login_attribute: String,
    /// The attribute that holds a user's email address, at most 64 characters.
    pub user_email_attribute: String,
    /// A filter that finds users in place of `{user_login_attribute}={username}`, with the same two words in braces, and
    /// `{user_email_attribute}`.
    pub search_filters: Option<String>,
}

/// How a connection to LDAP is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LdapSecurity {
    /// TLS from the first byte.
    Ldaps,
    /// `StartTLS`.
    Tls,
}

impl LdapSecurity {
    /// As stores and dialects write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ldaps => "ldaps",
            Self::Tls => "tls",
        }
    }
}
