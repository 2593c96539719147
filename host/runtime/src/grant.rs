//! Capabilities: what a plugin wants, what the operator grants, and what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// `directory.link`: `"link"` in `grants.directory`, never allowed by default. The backend may then let in users of the host's directory whose
    /// password is kept elsewhere.
    pub directory_link: bool,
    /// `credential.expose`: `"expose"` in `grants.credential`, never allowed by default.
    pub credential_expose: bool,
    /// `net.<name>`: `grants.net.<name>`, none by default.
    pub net: BTreeMap<String, EndpointSpec>,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            log: true,
            directory_find: true,
            directory_verify: true,
            directory_link: false,
            credential_expose: false,
            net: BTreeMap::new(),
        }
    }
}

/// What the name of a wanted endpoint begins with.
const NET: &str = "net.";
/// What ends the name of a capability that a plugin can do without.
const OPTIONAL: char = '?';

/// One host ability that a plugin may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    Log,
    DirectoryFind,
    DirectoryVerify,
    DirectoryLink,
    CredentialExpose,
}

impl Capability {
    const ALL: [Self; 5] = [
        Self::Log,
        Self::DirectoryFind,
        Self::DirectoryVerify,
        Self::DirectoryLink,
        Self::CredentialExpose,
    ];

    /// As plugins and operators write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::DirectoryFind => "directory.find",
            Self::DirectoryVerify => "directory.verify",
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
            Self::DirectoryLink => "grants.directory = [\"find\", \"link\"]",
            Self::CredentialExpose => "grants.credential = [\"expose\"]",
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
        "it wants the endpoint `{0}`, which is not granted; to allow it, write `grants.net.{0} = {{ address = \"HOST:PORT\", tls = \"implicit\" }}` in its \
         [[backend]] table"
    )]
    NoEndpoint(String),
}

/// The capabilities that calls run with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Capabilities {
    plain: BTreeSet<Capability>,
    endpoints: BTreeMap<String, Arc<Endpoint>>,
}

impl Capabilities {
    /// What a plugin that wants `wants` may do under `grants`.
    pub(crate) fn settle(wants: &[String], grants: &Grants) -> Result<Self, GrantError> {
        let mut effective = Self::default();
        for wanted in wants {
            let name = wanted.strip_suffix(OPTIONAL);
            let (name, is_optional) = (name.unwrap_or(wanted), name.is_some());
            if let Some(endpoint) = name.strip_prefix(NET) {
                match grants.net.get(endpoint) {
                    Some(spec) => {
                        let opened = Arc::new(Endpoint::new(spec.clone()));
                        effective.endpoints.insert(endpoint.to_owned(), opened);
                    }
                    None if is_optional => {}
                    None => return Err(GrantError::NoEndpoint(endpoint.to_owned())),
                }
                continue;
            }
            match Capability::parse(name) {
                Some(want) if grants.allow(want) => {
                    effective.plain.insert(want);
                }
                Some(Capability::Log) => {}
                // A newer host's, perhaps.
                Some(_) | None if is_optional => {}
                Some(want) => return Err(GrantError::NotGranted(want)),
                None => return Err(GrantError::Unknown(name.to_owned())),
            }
        }
        Ok(effective)
    }

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.plain.contains(&capability)
    }

    /// The endpoint of this name, if it is wanted and granted.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(name)
    }
}

impl Grants {
    fn allow(&self, capability: Capability) -> bool {
        match capability {
            Capability::Log => self.log,
            Capability::DirectoryFind => self.directory_find,
            Capability::DirectoryVerify => self.directory_verify,
            Capability::DirectoryLink => self.directory_link,
            Capability::CredentialExpose => self.credential_expose,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(wants: &[&str], grants: &Grants) -> Result<Capabilities, GrantError> {
        let wants: Vec<String> = wants.iter().map(ToString::to_string).collect();
        Capabilities::settle(&wants, grants)
    }

    #[test]
    fn only_what_is_wanted_and_granted_is_effective() {
        let effective = settle(&["directory.find"], &Grants::default()).unwrap();
        assert!(effective.has(Capability::DirectoryFind));
        assert!(!effective.has(Capability::DirectoryVerify));
        assert!(!effective.has(Capability::Log));
    }

    #[test]
    fn a_want_that_is_not_granted_names_the_line_to_write() {
        let error = settle(&["credential.expose"], &Grants::default()).unwrap_err();
        assert!(error.to_string().contains(r#"grants.credential = ["expose"]"#));
    }

    #[test]
    fn an_unknown_want_is_refused_by_its_name() {
        let error = settle(&["teleport"], &Grants::default()).unwrap_err();
        assert!(error.to_string().contains("`teleport`"));
    }

    #[test]
    fn what_a_plugin_can_do_without_is_effective_only_where_it_is_granted() {
        let wants = ["directory.link?", "net.directory?", "teleport?"];
        assert!(
            !settle(&wants, &Grants::default())
                .unwrap()
                .has(Capability::DirectoryLink)
        );
        let grants = Grants {
            directory_link: true,
            ..Grants::default()
        };
        assert!(settle(&wants, &grants).unwrap().has(Capability::DirectoryLink));
        let error = settle(&["net.directory"], &grants).unwrap_err();
        assert!(error.to_string().contains("grants.net.directory"), "{error}");
    }

    #[test]
    fn a_plugin_whose_log_is_switched_off_still_loads() {
        let grants = Grants {
            log: false,
            ..Grants::default()
        };
        assert!(!settle(&["log"], &grants).unwrap().has(Capability::Log));
    }
}
