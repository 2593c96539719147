//! Users of the host's own directory.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{EmailId, TenantId, Timestamp, UserId};

/// An email address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// Its id.
    pub id: EmailId,
    /// The address as it was given.
    pub address: String,
    /// Whether it is the one to write to.
    pub main: bool,
    /// Whether its owner confirmed it; only confirmed addresses are good for a login.
    pub confirmed: bool,
}

/// What a user is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A person.
    #[default]
    User,
    /// A service of the same installation. Its sessions are not counted.
    Internal,
    /// A program of somebody else's.
    ExternalApi,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::User, Self::Internal, Self::ExternalApi];

    /// As stores and dialects write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Internal => "internal",
            Self::ExternalApi => "external_api",
        }
    }

    /// From what stores and dialects write.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// How somebody proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// As the tenant says.
    #[default]
    Default,
    /// With a password in the host's own directory.
    Native,
    /// With a password in the tenant's LDAP directory.
    Ldap,
    /// At the tenant's SAML identity provider.
    Saml,
}

impl AuthenticationMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Saml, Self::Native, Self::Ldap];

    /// As stores and dialects write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Native => "native",
            Self::Ldap => "ldap",
            Self::Saml => "saml",
        }
    }

    /// From what stores and dialects write.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// What a user's method comes to in a tenant of this method: never [`AuthenticationMethod::Default`].
    #[must_use]
    pub fn resolve(self, tenant: Self) -> Self {
        match (self, tenant) {
            (Self::Default, Self::Default) => Self::Native,
            (Self::Default, tenant) => tenant,
            (own, _) => own,
        }
    }
}

/// A user of the host's own directory. Its password verifier is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The owner.
    pub tenant: TenantId,
    /// The login name as it was created; `None` for a user who logs in by email address only.
    pub login: Option<String>,
    /// Its given name.
    pub firstname: Option<String>,
    /// Its family name.
    pub lastname: Option<String>,
    /// What it is there for.
    pub purpose: Purpose,
    /// How it proves who it is.
    pub authentication_method: AuthenticationMethod,
    /// Its email addresses.
    pub emails: Vec<Email>,
    /// Whether it may log in.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl User {
    /// An enabled user with a login and nothing else.
    pub fn new(id: UserId, tenant: TenantId, login: &str, created_at: Timestamp) -> Self {
        Self {
            id,
            tenant,
            login: Some(login.to_owned()),
            firstname: None,
            lastname: None,
            purpose: Purpose::default(),
            authentication_method: AuthenticationMethod::default(),
            emails: Vec::new(),
            enabled: true,
            created_at,
        }
    }

    /// The main email address.
    pub fn main_email(&self) -> Option<&str> {
        self.emails
            .iter()
            .find(|email| email.main)
            .map(|email| email.address.as_str())
    }

    /// What to call it where a login name is wanted: its login, else its main address, else its id.
    pub fn name(&self) -> Cow<'_, str> {
        match self.login.as_deref().or_else(|| self.main_email()) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.id.to_string()),
        }
    }

    /// Given and family name, as far as it has them.
    pub fn display_name(&self) -> Option<String> {
        let names: Vec<_> = self
            .firstname
            .iter()
            .chain(&self.lastname)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
            .collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// The form in which logins, email addresses, policy and tenant names are compared: lower case by Unicode's rules.
pub fn login_key(text: &str) -> String {
    text.to_lowercase()
}
