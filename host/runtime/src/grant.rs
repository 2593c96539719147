//! Capabilities: what a plugin wants, what the operator grants, and what follows.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use keyway_core::port::{NamedDatabase, NamedDatabaseSpec, NamedDatabases};

use crate::file::{FileSpec, NamedFile};
use crate::net::{Endpoint, EndpointSpec};

/// What the operator allows one backend. What a plugin may really do is what it wants *and* is granted.
#[derive(Debug, Clone)]
pub struct Grants {
    /// `log`: `grants.log`, allowed unless the operator says `false`. A plugin without it still loads; its lines are dropped.
    pub log: bool,
    /// `directory.find`: `"find"` in `grants.directory`, allowed where the operator says nothing.
    pub directory_find: bool,
    /// `directory.verify`: `"verify"` in `grants.directory`, allowed where the operator says nothing.
    pub directory_verify: bool,
    /// `directory.list`: `"list"` in `grants.directory`, allowed where the operator says nothing.
    pub directory_list: bool,
    /// `directory.link`: `"link"` in `grants.directory`, never allowed by default. The backend may then let in users of the host's directory whose
    /// password is kept elsewhere.
    pub directory_link: bool,
    /// `credential.expose`: `"expose"` in `grants.credential`, never allowed by default.
    pub credential_expose: bool,
    /// `net.<name>`: `grants.net.<name>`, none by default.
    pub net: BTreeMap<String, EndpointSpec>,
    /// `file.<name>`: `grants.file.<name>`, none by default.
    pub file: BTreeMap<String, FileSpec>,
    /// `sql.<name>`: `grants.sql.<name>`, none by default.
    pub sql: BTreeMap<String, NamedDatabaseSpec>,
    /// `delegate.<backend>`: the backends, by each name that the plugin may use, in `grants.delegate`. None by default.
    pub delegate: BTreeSet<String>,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            log: true,
            directory_find: true,
            directory_verify: true,
            directory_list: true,
            directory_link: false,
            credential_expose: false,
            net: BTreeMap::new(),
            file: BTreeMap::new(),
            sql: BTreeMap::new(),
            delegate: BTreeSet::new(),
        }
    }
}

/// What stands for all that is granted of a kind.
const ALL: &str = "*";
/// What ends the name of a capability that a plugin can do without.
const OPTIONAL: char = '?';

/// One host ability that a plugin may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    Log,
    DirectoryFind,
    DirectoryVerify,
    DirectoryList,
    DirectoryLink,
    CredentialExpose,
}

impl Capability {
    const ALL: [Self; 6] = [
        Self::Log,
        Self::DirectoryFind,
        Self::DirectoryVerify,
        Self::DirectoryList,
        Self::DirectoryLink,
        Self::CredentialExpose,
    ];

    /// As plugins and operators write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::DirectoryFind => "directory.find",
            Self::DirectoryVerify => "directory.verify",
            Self::DirectoryList => "directory.list",
            Self::DirectoryLink => "directory.link",
            Self::CredentialExpose => "credential.expose",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }

    /// The line that grants it.
    fn grant_line(self) -> &'static str {
        match self {
            Self::Log => "grants.log = true",
            Self::DirectoryFind | Self::DirectoryVerify => "grants.directory = [\"find\", \"verify\"]",
            Self::DirectoryList => "grants.directory = [\"find\", \"verify\", \"list\"]",
            Self::DirectoryLink => "grants.directory = [\"find\", \"link\"]",
            Self::CredentialExpose => "grants.credential = [\"expose\"]",
        }
    }
}

/// Host abilities of which there may be several, each with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Endpoint,
    File,
    Database,
    Backend,
}

impl Named {
    const ALL: [Self; 4] = [Self::Endpoint, Self::File, Self::Database, Self::Backend];

    /// The kind and the name of a wanted one.
    fn parse(wanted: &str) -> Option<(Self, &str)> {
        let (prefix, name) = wanted.split_once('.')?;
        let kind = Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
        Some((kind, name))
    }

    /// What its capabilities begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Endpoint => "net",
            Self::File => "file",
            Self::Database => "sql",
            Self::Backend => "delegate",
        }
    }

    /// What it is, for people.
    fn word(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::File => "file",
            Self::Database => "database",
            Self::Backend => "backend",
        }
    }

    /// The line that grants it.
    fn grant_line(self, name: &str) -> String {
        match self {
            Self::Endpoint => format!("grants.net.{name} = {{ address = \"HOST:PORT\", tls = \"implicit\" }}"),
            Self::File => format!("grants.file.{name} = {{ path = \"FILE\" }}"),
            Self::Database => format!("grants.sql.{name} = {{ url = \"postgres://USER@HOST/DATABASE\" }}"),
            Self::Backend => format!("grants.delegate = [\"{name}\"]"),
        }
    }
}

/// Why a plugin's wishes cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantError {
    #[error("it wants the capability `{0}`, which this host does not know; a newer Keyway may")]
    Unknown(String),
    #[error("it wants the capability `{}`, which is not granted; to allow it, write `{}` in its [[backend]] table", .0.name(), .0.grant_line())]
    NotGranted(Capability),
    #[error(
        "it wants the {} `{name}`, which is not granted; to allow it, write `{}` in its [[backend]] table",
        .kind.word(), .kind.grant_line(.name)
    )]
    NotNamed { kind: Named, name: String },
    #[error("the database `{name}`: the url {reason}")]
    Database { name: String, reason: String },
}

/// The capabilities that calls run with.
#[derive(Clone, Default)]
pub(crate) struct Capabilities {
    plain: BTreeSet<Capability>,
    endpoints: BTreeMap<String, Arc<Endpoint>>,
    files: BTreeMap<String, Arc<NamedFile>>,
    databases: BTreeMap<String, Arc<dyn NamedDatabase>>,
    backends: BTreeSet<String>,
}

impl Capabilities {
    /// What a plugin that wants `wants` may do under `grants`.
    pub(crate) fn settle(
        wants: &[String],
        grants: &Grants,
        databases: &dyn NamedDatabases,
    ) -> Result<Self, GrantError> {
        let mut effective = Self::default();
        for wanted in wants {
            let name = wanted.strip_suffix(OPTIONAL);
            let (name, is_optional) = (name.unwrap_or(wanted), name.is_some());
            match Named::parse(name) {
                Some((kind, ALL)) => {
                    for name in grants.names(kind) {
                        effective.take(kind, name, grants, databases)?;
                    }
                }
                Some((kind, name)) => {
                    if !effective.take(kind, name, grants, databases)? && !is_optional {
                        let name = name.to_owned();
                        return Err(GrantError::NotNamed { kind, name });
                    }
                }
                None => effective.take_plain(name, is_optional, grants)?,
            }
        }
        Ok(effective)
    }

    fn take_plain(&mut self, name: &str, is_optional: bool, grants: &Grants) -> Result<(), GrantError> {
        match Capability::parse(name) {
            Some(want) if grants.allow(want) => {
                self.plain.insert(want);
                Ok(())
            }
            Some(Capability::Log) => Ok(()),
            // A newer host's, perhaps.
            Some(_) | None if is_optional => Ok(()),
            Some(want) => Err(GrantError::NotGranted(want)),
            None => Err(GrantError::Unknown(name.to_owned())),
        }
    }

    /// Takes one that has a name, if it is granted.
    fn take(
        &mut self,
        kind: Named,
        name: &str,
        grants: &Grants,
        databases: &dyn NamedDatabases,
    ) -> Result<bool, GrantError> {
        let owned = || name.to_owned();
        match kind {
            Named::Endpoint => {
                let Some(spec) = grants.net.get(name) else {
                    return Ok(false);
                };
                self.endpoints.insert(owned(), Arc::new(Endpoint::new(spec.clone())));
            }
            Named::File => {
                let Some(spec) = grants.file.get(name) else {
                    return Ok(false);
                };
                self.files.insert(owned(), NamedFile::new(name, spec.clone()));
            }
            Named::Database => {
                let Some(spec) = grants.sql.get(name) else {
                    return Ok(false);
                };
                let opened = databases
                    .open(spec)
                    .map_err(|reason| GrantError::Database { name: owned(), reason })?;
                self.databases.insert(owned(), opened);
            }
            Named::Backend => {
                if !grants.delegate.contains(name) {
                    return Ok(false);
                }
                self.backends.insert(owned());
            }
        }
        Ok(true)
    }

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.plain.contains(&capability)
    }

    /// The endpoint of this name, if it is wanted and granted.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(name)
    }

    /// The file of this name, likewise.
    pub(crate) fn file(&self, name: &str) -> Option<&Arc<NamedFile>> {
        self.files.get(name)
    }

    /// The database of this name, likewise.
    pub(crate) fn database(&self, name: &str) -> Option<&Arc<dyn NamedDatabase>> {
        self.databases.get(name)
    }

    /// Whether the backend of this name may be asked.
    pub(crate) fn may_ask(&self, backend: &str) -> bool {
        self.backends.contains(backend)
    }
}

impl Grants {
    fn allow(&self, capability: Capability) -> bool {
        match capability {
            Capability::Log => self.log,
            Capability::DirectoryFind => self.directory_find,
            Capability::DirectoryVerify => self.directory_verify,
            Capability::DirectoryList => self.directory_list,
            Capability::DirectoryLink => self.directory_link,
            Capability::CredentialExpose => self.credential_expose,
        }
    }

    /// All that is granted of a kind.
    fn names(&self, kind: Named) -> Vec<&str> {
        fn keys<T>(granted: &BTreeMap<String, T>) -> Vec<&str> {
            granted.keys().map(String::as_str).collect()
        }
        match kind {
            Named::Endpoint => keys(&self.net),
            Named::File => keys(&self.file),
            Named::Database => keys(&self.sql),
            Named::Backend => self.delegate.iter().map(String::as_str).collect(),
        }
    }

    /// What tells these from other grants of the same `Debug`: contents that it does not show.
    pub(crate) fn hidden(&self) -> Vec<Vec<u8>> {
        let mut hidden: Vec<Vec<u8>> = Vec::new();
        for endpoint in self.net.values() {
            hidden.push(endpoint.protection.digest().to_vec());
        }
        for database in self.sql.values() {
            for secret in [&database.password, &database.ca] {
                hidden.push(secret.as_ref().map_or_else(Vec::new, |secret| secret.expose().clone()));
            }
        }
        hidden
    }
}
