//! Capabilities: what a plugin wants, what the operator grants, and what follows.

use std::collections::BTreeSet;

/// What the operator allows one backend. What a plugin may really do is what it wants *and* is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grants {
    /// `log`: `grants.log`, allowed unless the operator says `false`. A plugin without it still loads; its lines are dropped.
    pub log: bool,
    /// `directory.find`: `"find"` in `grants.directory`, allowed where the operator says nothing.
    pub directory_find: bool,
    /// `directory.verify`: `"verify"` in `grants.directory`, allowed where the operator says nothing.
    pub directory_verify: bool,
    /// `credential.expose`: `"expose"` in `grants.credential`, never allowed by default.
    pub credential_expose: bool,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            log: true,
            directory_find: true,
            directory_verify: true,
            credential_expose: false,
        }
    }
}

/// One host ability that a plugin may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    Log,
    DirectoryFind,
    DirectoryVerify,
    CredentialExpose,
}

impl Capability {
    const ALL: [Self; 4] = [
        Self::Log,
        Self::DirectoryFind,
        Self::DirectoryVerify,
        Self::CredentialExpose,
    ];

    /// As plugins and operators write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::DirectoryFind => "directory.find",
            Self::DirectoryVerify => "directory.verify",
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
}

/// The capabilities that calls run with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// What a plugin that wants `wants` may do under `grants`.
    pub(crate) fn settle(wants: &[String], grants: Grants) -> Result<Self, GrantError> {
        let mut effective = BTreeSet::new();
        for name in wants {
            let want = Capability::parse(name).ok_or_else(|| GrantError::Unknown(name.clone()))?;
            if grants.allow(want) {
                effective.insert(want);
            } else if want != Capability::Log {
                return Err(GrantError::NotGranted(want));
            }
        }
        Ok(Self(effective))
    }

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }
}

impl Grants {
    fn allow(self, capability: Capability) -> bool {
        match capability {
            Capability::Log => self.log,
            Capability::DirectoryFind => self.directory_find,
            Capability::DirectoryVerify => self.directory_verify,
            Capability::CredentialExpose => self.credential_expose,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(wants: &[&str], grants: Grants) -> Result<Capabilities, GrantError> {
        let wants: Vec<String> = wants.iter().map(ToString::to_string).collect();
        Capabilities::settle(&wants, grants)
    }

    #[test]
    fn only_what_is_wanted_and_granted_is_effective() {
        let effective = settle(&["directory.find"], Grants::default()).unwrap();
        assert!(effective.has(Capability::DirectoryFind));
        assert!(!effective.has(Capability::DirectoryVerify));
        assert!(!effective.has(Capability::Log));
    }

    #[test]
    fn a_want_that_is_not_granted_names_the_line_to_write() {
        let error = settle(&["credential.expose"], Grants::default()).unwrap_err();
        assert!(error.to_string().contains(r#"grants.credential = ["expose"]"#));
    }

    #[test]
    fn an_unknown_want_is_refused_by_its_name() {
        let error = settle(&["teleport"], Grants::default()).unwrap_err();
        assert!(error.to_string().contains("`teleport`"));
    }

    #[test]
    fn a_plugin_whose_log_is_switched_off_still_loads() {
        let grants = Grants {
            log: false,
            ..Grants::default()
        };
        assert!(!settle(&["log"], grants).unwrap().has(Capability::Log));
    }
}
