//! What a plugin says about itself.

use std::borrow::Cow;
use std::fmt;

/// Something of the host's that a plugin may ask for. What it gets is what it asks for and the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Capability {
    /// Lines in the host's log. Allowed unless the operator writes `grants.log = false`.
    Log,
    /// Look-ups in the host's directory. Allowed unless `grants.directory` leaves `"find"` out.
    DirectoryFind,
    /// Comparing passwords of users of the host's directory. Allowed unless `grants.directory` leaves `"verify"` out.
    DirectoryVerify,
    /// Naming users of the host's directory whom a look-up found, where their password is kept elsewhere. Only with `"link"` in `grants.directory`.
    DirectoryLink,
    /// Listing the users of the host's directory. Allowed unless `grants.directory` leaves `"list"` out.
    DirectoryList,
    /// Seeing the bytes of a secret. Only with `grants.credential = ["expose"]`.
    CredentialExpose,
    /// Connections to the endpoint of this name. Only with `grants.net.<name>`. Here and in the next three, `"*"` stands for all that the operator
    /// grants, which may be none.
    Net(&'static str),
    /// Reading the file of this name. Only with `grants.file.<name>`.
    File(&'static str),
    /// Asking the database of this name. Only with `grants.sql.<name>`.
    Sql(&'static str),
    /// Asking the backend of this name. Only where `grants.delegate` names it.
    Delegate(&'static str),
}

impl Capability {
    /// Its name in the contract, `directory.find` for example.
    ///
    /// ```
    /// assert_eq!(keyway_sdk::Capability::DirectoryFind.name(), "directory.find");
    /// assert_eq!(keyway_sdk::Capability::File("*").name(), "file.*");
    /// ```
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Log => "log".into(),
            Self::DirectoryFind => "directory.find".into(),
            Self::DirectoryVerify => "directory.verify".into(),
            Self::DirectoryLink => "directory.link".into(),
            Self::DirectoryList => "directory.list".into(),
            Self::CredentialExpose => "credential.expose".into(),
            Self::Net(endpoint) => format!("net.{endpoint}").into(),
            Self::File(file) => format!("file.{file}").into(),
            Self::Sql(database) => format!("sql.{database}").into(),
            Self::Delegate(backend) => format!("delegate.{backend}").into(),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// A plugin's name, version, summary and the capabilities that it wants. Made by [`description!`](crate::description!).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    name: String,
    version: String,
    summary: String,
    wants: Vec<Capability>,
    may_use: Vec<Capability>,
}

impl Description {
    /// Every part by hand; [`description!`](crate::description!) takes them from the plugin's `Cargo.toml`.
    ///
    /// `name` is 1 to 64 characters of `a-z`, `0-9`, `_` and `-`, `version` a semantic version, `summary` one sentence.
    ///
    /// ```
    /// use keyway_sdk::{Capability, Description};
    ///
    /// let description = Description::new("partner", "1.4.0", "Users of the partner's service").wants([Capability::Log]);
    /// assert_eq!(description.wanted(), [Capability::Log]);
    /// ```
    pub fn new(name: impl Into<String>, version: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            wants: Vec::new(),
            may_use: Vec::new(),
        }
    }

    /// Adds capabilities that the plugin wants. Ask for as little as possible: an operator has to agree to each new one.
    #[must_use]
    pub fn wants(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        for capability in capabilities {
            if !self.wants.contains(&capability) {
                self.wants.push(capability);
            }
        }
        self
    }

    /// Adds capabilities that the plugin uses where they are granted and does without where they are not.
    ///
    /// ```
    /// use keyway_sdk::{Capability, Description};
    ///
    /// let description = Description::new("partner", "1.4.0", "Users of the partner's service").may_use([Capability::DirectoryLink]);
    /// assert_eq!(description.usable(), [Capability::DirectoryLink]);
    /// ```
    #[must_use]
    pub fn may_use(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        for capability in capabilities {
            if !self.may_use.contains(&capability) && !self.wants.contains(&capability) {
                self.may_use.push(capability);
            }
        }
        self
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The plugin's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// One sentence about it.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The capabilities that it wants.
    pub fn wanted(&self) -> &[Capability] {
        &self.wants
    }

    /// The capabilities that it can do without.
    pub fn usable(&self) -> &[Capability] {
        &self.may_use
    }
}
