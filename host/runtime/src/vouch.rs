//! Whom the host itself has got to know during a call, and for whom it vouches because of that. Without this, any plugin could let anybody in as
//! anybody else.

use std::collections::HashSet;

use keyway_core::model::{BackendName, Subject, UserId};
use uuid::Uuid;

use crate::bindings::keyway::backend::types as wit;

/// Whom the host has got to know during a call.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Users whose password was matched: by the host, or by it for another backend that was asked.
    matched: HashSet<UserId>,
    /// Users whom the host found for a guest that may link its own to them.
    linkable: HashSet<UserId>,
    /// Users whom the host found.
    found: HashSet<UserId>,
    /// Whom other backends verified, by their names for them.
    verified: HashSet<(BackendName, String)>,
    /// Users to whom other backends link somebody whom they verified.
    verified_links: HashSet<UserId>,
    /// Users to whom other backends link somebody whom they were only asked about.
    named_links: HashSet<UserId>,
    /// Whom other backends named without a credential.
    named: HashSet<(BackendName, String)>,
}

impl Witness {
    /// The host matched this user's password.
    pub(crate) fn matched(&mut self, user: UserId) {
        self.matched.insert(user);
    }

    /// The host found this user; `is_linkable` for a guest that may link its own to it.
    pub(crate) fn found(&mut self, user: UserId, is_linkable: bool) {
        self.found.insert(user);
        if is_linkable {
            self.linkable.insert(user);
        }
    }

    /// Another backend was right about this principal's credential. Its subject, as the guest is told of it.
    pub(crate) fn verified(&mut self, backend: &BackendName, subject: &Subject) -> Option<wit::Subject> {
        let _ = match subject {
            Subject::Directory(user) => self.matched.insert(*user),
            Subject::Linked(user) => self.verified_links.insert(*user),
            Subject::Own(name) => self.verified.insert((backend.clone(), name.clone())),
            Subject::Delegated { backend, subject } => self.verified.insert((backend.clone(), subject.clone())),
            Subject::Found(_) => return None,
        };
        Some(told(backend, subject))
    }

    /// Another backend named this principal without a credential. Its subject, as the guest is told of it.
    pub(crate) fn named(&mut self, backend: &BackendName, subject: &Subject) -> Option<wit::Subject> {
        let _ = match subject {
            Subject::Linked(user) => self.named_links.insert(*user),
            Subject::Found(user) => self.found.insert(*user),
            Subject::Own(name) => self.named.insert((backend.clone(), name.clone())),
            Subject::Delegated { backend, subject } => self.named.insert((backend.clone(), subject.clone())),
            Subject::Directory(_) => return None,
        };
        Some(told(backend, subject))
    }

    /// For the outcome of a call in which somebody presented a credential.
    pub(crate) fn of_login(&self) -> Vouched<'_> {
        Vouched {
            witness: self,
            is_search: false,
        }
    }

    /// For the answer to a question about somebody who presented nothing. A match with a password, of the operator's secrets say, speaks for nobody.
    pub(crate) fn of_search(&self) -> Vouched<'_> {
        Vouched {
            witness: self,
            is_search: true,
        }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// For whom the host vouches after a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vouched<'a> {
    witness: &'a Witness,
    is_search: bool,
}

impl Vouched<'_> {
    /// The user of the directory that a guest names, where it may.
    pub(crate) fn user(self, id: &str) -> Option<Subject> {
        let user = Uuid::parse_str(id).ok().map(UserId)?;
        let witness = self.witness;
        if self.is_search {
            return if witness.linkable.contains(&user) || witness.named_links.contains(&user) {
                Some(Subject::Linked(user))
            } else {
                witness.found.contains(&user).then_some(Subject::Found(user))
            };
        }
        if witness.matched.contains(&user) {
            Some(Subject::Directory(user))
        } else {
            let is_linked = witness.linkable.contains(&user) || witness.verified_links.contains(&user);
            is_linked.then_some(Subject::Linked(user))
        }
    }

    /// Somebody of another backend whom a guest names, where it may.
    pub(crate) fn delegated(self, named: &wit::DelegatedSubject) -> Option<Subject> {
        let known = (BackendName::parse(&named.backend).ok()?, named.subject.clone());
        let all = if self.is_search {
            &self.witness.named
        } else {
            &self.witness.verified
        };
        let is_known = all.contains(&known);
        let (backend, subject) = known;
        is_known.then_some(Subject::Delegated { backend, subject })
    }
}

/// How a guest is told of a subject of that backend.
fn told(backend: &BackendName, subject: &Subject) -> wit::Subject {
    let delegated = |backend: &BackendName, subject: &String| {
        wit::Subject::Delegated(wit::DelegatedSubject {
            backend: backend.to_string(),
            subject: subject.clone(),
        })
    };
    match subject {
        Subject::Directory(user) | Subject::Linked(user) | Subject::Found(user) => {
            wit::Subject::Directory(user.to_string())
        }
        Subject::Own(name) => delegated(backend, name),
        Subject::Delegated { backend, subject } => delegated(backend, subject),
    }
}
