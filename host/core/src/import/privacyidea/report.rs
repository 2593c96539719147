//! What became of what privacyIDEA had, and what is left to the operator.

use serde::Serialize;

use super::super::report::{ImportKind, ImportTally, Outcome, Skipped, count};

/// Something to know of a row that was brought in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportNote {
    /// Of which kind.
    pub kind: ImportKind,
    /// Its id.
    pub id: String,
    /// What.
    pub text: String,
}

/// What the operator has to write into the configuration before a resolver can be used. Passwords are not in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Wanted {
    /// A file to grant.
    File {
        /// The resolver.
        resolver: String,
        /// The name to grant it under.
        grant: String,
        /// Where the file was.
        path: String,
    },
    /// A database to grant.
    Database {
        /// The resolver.
        resolver: String,
        /// The name to grant it under.
        grant: String,
        /// The database's URL, without a password.
        url: String,
        /// Whether there is a password.
        has_password: bool,
    },
    /// A backend for an LDAP directory, and the resolver that leads to it.
    Ldap(Box<WantedLdap>),
    /// An endpoint to grant, and the resolver that asks it.
    Http {
        /// The resolver.
        resolver: String,
        /// The name to grant it under.
        grant: String,
        /// Where it was.
        url: String,
    },
}

/// An LDAP directory, as privacyIDEA knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WantedLdap {
    /// The resolver.
    pub resolver: String,
    /// A name for the backend.
    pub backend: String,
    /// Its servers, as URIs.
    pub servers: Vec<String>,
    /// Whether connections begin in clear and become encrypted.
    pub start_tls: bool,
    /// Users are below this entry.
    pub base_dn: String,
    /// The account that searches.
    pub bind_dn: String,
    /// Whether it has a password.
    pub has_password: bool,
    /// The attributes that hold the login name.
    pub login_attributes: Vec<String>,
    /// A filter that users fit.
    pub filter: String,
    /// The attribute that names a user for ever; `DN` for the entry's name.
    pub uid_attribute: String,
    /// Attributes by the names that privacyIDEA gives them.
    pub attributes: Vec<(String, String)>,
}

impl Wanted {
    /// The resolver that it is for.
    pub fn resolver(&self) -> &str {
        match self {
            Self::File { resolver, .. } | Self::Database { resolver, .. } | Self::Http { resolver, .. } => resolver,
            Self::Ldap(ldap) => &ldap.resolver,
        }
    }
}

/// What an import did, or a dry run would have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivacyideaReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How many rows of each kind.
    pub tallies: Vec<ImportTally>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// What was brought in and is not quite as it was.
    pub notes: Vec<ImportNote>,
    /// What the configuration lacks.
    pub wanted: Vec<Wanted>,
}

impl PrivacyideaReport {
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            tallies: ImportKind::PRIVACYIDEA.map(ImportTally::none).to_vec(),
            skipped: Vec::new(),
            notes: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// Whether anything was added, or would be.
    pub fn changes(&self) -> bool {
        self.tallies.iter().any(|tally| tally.added > 0)
    }

    /// How many rows of this kind went which way.
    pub fn of(&self, kind: ImportKind) -> ImportTally {
        let found = self.tallies.iter().find(|tally| tally.kind == kind).copied();
        found.unwrap_or(ImportTally::none(kind))
    }

    pub(super) fn count(&mut self, kind: ImportKind, id: &str, outcome: Outcome) {
        count(&mut self.tallies, &mut self.skipped, (kind, id), outcome);
    }

    pub(super) fn note(&mut self, kind: ImportKind, id: &str, text: impl Into<String>) {
        self.notes.push(ImportNote {
            kind,
            id: id.to_owned(),
            text: text.into(),
        });
    }
}
