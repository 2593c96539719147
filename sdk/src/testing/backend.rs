//! Other backends that a plugin may ask on the mock host.

use super::host::{Handle, State, covers, with};
use crate::delegate::DelegateError;
use crate::{Capability, Challenge, ChallengeKind, Found, Key, Outcome, Principal, Query, Refusal, Subject};

/// Another backend, for [`MockHost::backend`](super::MockHost::backend): it has users, and does what it is told about them.
///
/// ```
/// use keyway_sdk::testing::MockBackend;
/// use keyway_sdk::{Principal, Refusal};
///
/// let corp = MockBackend::new()
///     .user("alice", "s3cre7", Principal::own("4711").login("alice"))
///     .challenges("alice", "123456")
///     .refuses("mallory", Refusal::Disabled);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MockBackend {
    users: Vec<User>,
    refused: Vec<(String, Refusal)>,
    cannot_tell: bool,
    cannot_list: bool,
    unavailable: bool,
}

#[derive(Clone)]
struct User {
    login: String,
    password: String,
    response: Option<String>,
    principal: Principal,
}

/// Without the password and the response.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("login", &self.login)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

impl MockBackend {
    /// One that knows nobody, and could look up and list those whom it knew.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user. The host makes a subject of the backend's own a [`Subject::Delegated`]; for a [`Subject::Directory`] it has matched the password itself.
    #[must_use]
    pub fn user(mut self, login: &str, password: &str, principal: Principal) -> Self {
        self.users.push(User {
            login: login.to_owned(),
            password: password.to_owned(),
            response: None,
            principal,
        });
        self
    }

    /// Asks this user, who must have been added, for a response once the password was right.
    #[must_use]
    pub fn challenges(mut self, login: &str, response: &str) -> Self {
        for user in self.users.iter_mut().filter(|user| user.login == login) {
            user.response = Some(response.to_owned());
        }
        self
    }

    /// Refuses whoever says to be this one, whatever the password is.
    #[must_use]
    pub fn refuses(mut self, login: &str, refusal: Refusal) -> Self {
        self.refused.push((login.to_owned(), refusal));
        self
    }

    /// Takes the ability away to look somebody up without a password.
    #[must_use]
    pub fn cannot_tell(mut self) -> Self {
        self.cannot_tell = true;
        self
    }

    /// Takes the ability away to list users.
    #[must_use]
    pub fn cannot_list(mut self) -> Self {
        self.cannot_list = true;
        self
    }

    /// Makes it fail at everything.
    #[must_use]
    pub fn unavailable(mut self) -> Self {
        self.unavailable = true;
        self
    }

    fn refusal(&self, login: &str) -> Refusal {
        let told = self.refused.iter().find(|(refused, _)| refused == login);
        told.map_or(Refusal::UnknownIdentifier, |(_, refusal)| *refusal)
    }
}

pub(crate) fn delegate_verify(backend: &str, identifier: &str, password: &Handle) -> Result<Outcome, DelegateError> {
    ask(backend, always, |double, state| {
        state.comparisons += 1;
        let Some(user) = double.users.iter().find(|user| user.login == identifier) else {
            return double.refusal(identifier).into();
        };
        if !password.is(&user.password) {
            return Refusal::WrongCredential.into();
        }
        match &user.response {
            Some(_) => Challenge::new(ChallengeKind::Otp, "code").state(identifier).into(),
            None => state.verified(backend, &user.principal).into(),
        }
    })
}

pub(crate) fn delegate_answer(backend: &str, challenge: &[u8], response: &Handle) -> Result<Outcome, DelegateError> {
    ask(backend, always, |double, state| {
        let user = double.users.iter().find(|user| user.login.as_bytes() == challenge);
        let user = user.filter(|user| user.response.as_ref().is_some_and(|right| response.is(right)));
        match user {
            Some(user) => state.verified(backend, &user.principal).into(),
            None => Refusal::WrongCredential.into(),
        }
    })
}

pub(crate) fn delegate_find(backend: &str, key: &Key) -> Result<Found, DelegateError> {
    ask(
        backend,
        |double| !double.cannot_tell,
        |double, state| {
            if double.cannot_tell {
                return Found::CannotTell;
            }
            let user = double.users.iter().find(|user| match key {
                Key::Identifier(login) => user.login == *login,
                Key::Subject(wanted) => matches!(&user.principal.subject, Subject::Own(own) if own == wanted),
            });
            match (user, key) {
                (Some(user), _) => state.named(backend, &user.principal).into(),
                (None, Key::Identifier(login)) => double.refusal(login).into(),
                (None, Key::Subject(_)) => Refusal::UnknownIdentifier.into(),
            }
        },
    )
}

pub(crate) fn delegate_list(backend: &str, login: &str, most: u32) -> Result<Option<Vec<Principal>>, DelegateError> {
    ask(
        backend,
        |double| !double.cannot_list,
        |double, state| {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let fitting = double.users.iter().filter(|user| Query::matches(login, &user.login));
            let listed = fitting.take(most).map(|user| state.named(backend, &user.principal));
            (!double.cannot_list).then(|| listed.collect())
        },
    )
}

fn always(_: &MockBackend) -> bool {
    true
}

/// What a backend lacks the ability for the host answers itself.
fn ask<T>(
    backend: &str,
    is_able: fn(&MockBackend) -> bool,
    answer: impl FnOnce(&MockBackend, &mut State) -> T,
) -> Result<T, DelegateError> {
    with(|state| {
        let is_wanted = state.wants(|wanted| matches!(wanted, Capability::Delegate(name) if covers(name, backend)));
        let double = state.backends.get(backend).cloned().filter(|_| is_wanted);
        let double = double.ok_or_else(|| DelegateError::NotGranted(format!("grants.delegate = [\"{backend}\"]")))?;
        if is_able(&double) {
            state.delegations += 1;
            if double.unavailable || state.unavailable {
                return Err(DelegateError::Unavailable);
            }
        }
        Ok(answer(&double, state))
    })
}

impl State {
    /// Somebody whom another backend verified, as the plugin is told.
    fn verified(&mut self, backend: &str, principal: &Principal) -> Principal {
        if let Subject::Directory(id) = &principal.subject {
            self.matched.insert(id.clone());
        }
        let told = told(backend, principal);
        if let Subject::Delegated { backend, subject } = &told.subject {
            self.verified.insert((backend.clone(), subject.clone()));
        }
        told
    }

    /// Somebody whom another backend named without a credential, as the plugin is told.
    fn named(&mut self, backend: &str, principal: &Principal) -> Principal {
        let told = told(backend, principal);
        match &told.subject {
            Subject::Directory(id) => self.found.insert(id.clone()),
            Subject::Delegated { backend, subject } => self.named.insert((backend.clone(), subject.clone())),
            Subject::Own(_) => false,
        };
        told
    }
}

fn told(backend: &str, principal: &Principal) -> Principal {
    let mut told = principal.clone();
    if let Subject::Own(subject) = &principal.subject {
        told.subject = Subject::Delegated {
            backend: backend.to_owned(),
            subject: subject.clone(),
        };
    }
    told
}
