//! Users of the host's own directory.

use serde::{Deserialize, Serialize};

use super::{TenantId, Timestamp, UserId};

/// An email address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// The address as it was given.
    pub address: String,
    /// Whether it is the one to write to.
    pub main: bool,
    /// Whether its owner confirmed it; only confirmed addresses are good for a login.
    pub confirmed: bool,
}

/// A user of the host's own directory. Its password verifier is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The owner.
    pub tenant: TenantId,
    /// The login name as it was created.
    pub login: String,
    /// A name for people to read.
    pub display_name: Option<String>,
    /// Its email addresses.
    pub emails: Vec<Email>,
    /// Whether it may log in.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl User {
    /// The main email address.
    pub fn main_email(&self) -> Option<&str> {
        self.emails
            .iter()
            .find(|email| email.main)
            .map(|email| email.address.as_str())
    }
}

/// The form in which logins, email addresses, policy and tenant names are compared: lower case by Unicode's rules.
pub fn login_key(text: &str) -> String {
    text.to_lowercase()
}
