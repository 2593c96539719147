//! The host's side of the imports, behind a thread-local: each test has its own thread, so tests do not meet.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use md5::Md5;
use sha1::Sha1;
use sha2::Digest as _;

use super::backend::MockBackend;
use super::database::Answerer;
use super::socket::Kept;
use super::{Line, MockUser, verifier};
use crate::directory::{DirectoryError, Found, User};
use crate::log::Level;
use crate::{Capability, Description, DigestAlgorithm, Query, SecretError};

thread_local! {
    static INSTALLED: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

/// What the host knows, and what the last call did.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(super) config: String,
    pub(super) secrets: BTreeMap<String, Clear>,
    pub(super) users: Vec<MockUser>,
    pub(super) granted: BTreeSet<Capability>,
    pub(super) endpoints: BTreeMap<String, SocketAddr>,
    pub(super) kept: Kept,
    pub(super) files: BTreeMap<String, Option<String>>,
    pub(super) databases: BTreeMap<String, Answerer>,
    pub(super) backends: BTreeMap<String, MockBackend>,
    pub(super) unavailable: bool,
    effective: BTreeSet<Capability>,
    pub(super) lines: Vec<Line>,
    pub(super) comparisons: usize,
    pub(super) exposed: Vec<Clear>,
    pub(super) matched: BTreeSet<String>,
    pub(super) linkable: BTreeSet<String>,
    pub(super) found: BTreeSet<String>,
    pub(super) verified: BTreeSet<(String, String)>,
    pub(super) named: BTreeSet<(String, String)>,
    pub(super) delegations: usize,
}

impl State {
    pub(super) fn new(granted: BTreeSet<Capability>) -> Self {
        Self {
            config: "{}".to_owned(),
            secrets: BTreeMap::new(),
            users: Vec::new(),
            granted,
            endpoints: BTreeMap::new(),
            kept: Kept::default(),
            files: BTreeMap::new(),
            databases: BTreeMap::new(),
            backends: BTreeMap::new(),
            unavailable: false,
            effective: BTreeSet::new(),
            lines: Vec::new(),
            comparisons: 0,
            exposed: Vec::new(),
            matched: BTreeSet::new(),
            linkable: BTreeSet::new(),
            found: BTreeSet::new(),
            verified: BTreeSet::new(),
            named: BTreeSet::new(),
            delegations: 0,
        }
    }

    /// Whether the plugin wants such a capability and is granted it.
    pub(super) fn wants(&self, is_it: impl Fn(&Capability) -> bool) -> bool {
        self.effective.iter().any(is_it)
    }

    /// Forgets the last call. In the next one a capability works if it is wanted and granted.
    pub(super) fn begin(&mut self, description: &Description) {
        self.effective = description
            .wanted()
            .iter()
            .chain(description.usable())
            .copied()
            .filter(|wanted| match wanted {
                Capability::Net(name) => grants(&self.endpoints, name),
                Capability::File(name) => grants(&self.files, name),
                Capability::Sql(name) => grants(&self.databases, name),
                Capability::Delegate(name) => grants(&self.backends, name),
                wanted => self.granted.contains(wanted),
            })
            .collect();
        self.lines.clear();
        self.comparisons = 0;
        self.exposed.clear();
        self.matched.clear();
        self.linkable.clear();
        self.found.clear();
        self.verified.clear();
        self.named.clear();
        self.delegations = 0;
    }

    fn require(&self, capability: Capability) -> Result<(), DirectoryError> {
        if !self.effective.contains(&capability) {
            return Err(DirectoryError::NotGranted(capability.to_string()));
        }
        if self.unavailable {
            Err(DirectoryError::Unavailable)
        } else {
            Ok(())
        }
    }

    fn find(&mut self, tenant: Option<&str>, fits: impl Fn(&MockUser) -> bool) -> Found {
        let mut found = self
            .users
            .iter()
            .filter(|user| tenant.is_none_or(|tenant| user.user.tenant == tenant) && fits(user));
        match (found.next(), found.next()) {
            (None, _) => Found::Nobody,
            (Some(user), None) => {
                let user = user.user.clone();
                self.found.insert(user.id.clone());
                if self.effective.contains(&Capability::DirectoryLink) {
                    self.linkable.insert(user.id.clone());
                }
                Found::One(user)
            }
            (Some(_), Some(_)) => Found::Several,
        }
    }

    fn redact(&self, text: &str) -> String {
        self.exposed
            .iter()
            .filter_map(|bytes| std::str::from_utf8(&bytes.0).ok())
            .filter(|value| !value.is_empty())
            .fold(text.to_owned(), |text, value| text.replace(value, "[secret]"))
    }
}

/// A password in clear, which no `Debug` shows.
#[derive(Clone)]
pub(crate) struct Clear(Vec<u8>);

impl From<&[u8]> for Clear {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Debug for Clear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

fn grants<T>(granted: &BTreeMap<String, T>, name: &str) -> bool {
    name == "*" || granted.contains_key(name)
}

/// Whether a capability that is wanted under this name, which may be `*`, is good for that one.
pub(super) fn covers(wanted: &str, name: &str) -> bool {
    wanted == "*" || wanted == name
}

pub(crate) use super::backend::{delegate_answer, delegate_find, delegate_list, delegate_verify};
pub(crate) use super::database::query_database;
pub(crate) use super::file::{find_lines, list_lines};
pub(crate) use super::socket::{Socket, connect, protection_of, resume};

/// A secret of the mock host.
pub(crate) struct Handle(Vec<u8>);

impl Handle {
    pub(super) fn new(value: Vec<u8>) -> Self {
        Self(value)
    }

    /// Whether it is this text, as another backend would find it out.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text.as_bytes()
    }

    pub(crate) fn matches(&self, verifier: Option<&str>) -> Result<bool, SecretError> {
        with(|state| {
            if state.unavailable {
                return Err(SecretError::Busy);
            }
            state.comparisons += 1;
            verifier.map_or(Ok(false), |verifier| verifier::matches(&self.0, verifier))
        })
    }

    pub(crate) fn expose(&self) -> Result<Vec<u8>, SecretError> {
        with(|state| {
            if !state.effective.contains(&Capability::CredentialExpose) {
                return Err(SecretError::NotGranted(Capability::CredentialExpose.to_string()));
            }
            state.exposed.push(self.0.as_slice().into());
            Ok(self.0.clone())
        })
    }
}

pub(crate) fn emit(level: Level, message: &str, fields: &[(String, String)]) {
    with(|state| {
        if state.effective.contains(&Capability::Log) {
            let message = state.redact(message);
            let fields = fields
                .iter()
                .map(|(key, value)| (state.redact(key), state.redact(value)))
                .collect();
            state.lines.push(Line { level, message, fields });
        }
    });
}

pub(crate) fn config_json() -> String {
    with(|state| state.config.clone())
}

pub(crate) fn get_secret(name: &str) -> Option<Handle> {
    with(|state| state.secrets.get(name).map(|value| Handle::new(value.0.clone())))
}

pub(crate) fn find_by_login(login: &str, tenant: Option<&str>) -> Result<Found, DirectoryError> {
    with(|state| {
        state.require(Capability::DirectoryFind)?;
        Ok(state.find(tenant, |user| same(&user.user.login, login)))
    })
}

pub(crate) fn find_by_email(email: &str, tenant: Option<&str>) -> Result<Found, DirectoryError> {
    with(|state| {
        state.require(Capability::DirectoryFind)?;
        Ok(state.find(tenant, |user| {
            user.user.email.as_deref().is_some_and(|own| same(own, email))
        }))
    })
}

pub(crate) fn verify_password(user_id: Option<&str>, password: &Handle) -> Result<bool, DirectoryError> {
    with(|state| {
        state.require(Capability::DirectoryVerify)?;
        state.comparisons += 1;
        let user = state.users.iter().find(|user| Some(user.user.id.as_str()) == user_id);
        let matched = user
            .filter(|user| user.password.as_ref().is_some_and(|own| own.0 == password.0))
            .map(|user| user.user.id.clone());
        let matches = matched.is_some();
        state.matched.extend(matched);
        Ok(matches)
    })
}

pub(crate) fn find_by_digest(
    algorithm: DigestAlgorithm,
    value: &Handle,
    tenant: Option<&str>,
) -> Result<Option<User>, DirectoryError> {
    with(|state| {
        state.require(Capability::DirectoryVerify)?;
        state.comparisons += 1;
        let fits = |user: &&MockUser| {
            tenant == Some(user.user.tenant.as_str())
                && user.password.as_ref().is_some_and(|own| {
                    let login = user.user.login.to_lowercase();
                    value.is(&digest(algorithm, &login, &own.0))
                })
        };
        let found = state.users.iter().find(fits).map(|user| user.user.clone());
        state.matched.extend(found.iter().map(|user| user.id.clone()));
        Ok(found)
    })
}

/// What clients make of a login and a password.
pub(super) fn digest(algorithm: DigestAlgorithm, login: &str, password: &[u8]) -> String {
    let clear = [login.as_bytes(), b":", password].concat();
    match algorithm {
        DigestAlgorithm::Md5 => hex::encode(Md5::digest(clear)),
        DigestAlgorithm::Sha1 => hex::encode(Sha1::digest(clear)),
    }
}

pub(crate) fn list_directory_users(
    pattern: &str,
    tenant: Option<&str>,
    most: u32,
) -> Result<Vec<User>, DirectoryError> {
    with(|state| {
        state.require(Capability::DirectoryList)?;
        let fits = |user: &User| {
            tenant.is_none_or(|tenant| user.tenant == tenant)
                && (Query::matches(pattern, &user.login)
                    || user
                        .email
                        .as_deref()
                        .is_some_and(|email| Query::matches(pattern, email)))
        };
        let mut users: Vec<User> = state.users.iter().map(|user| user.user.clone()).filter(fits).collect();
        users.sort_by(|left, right| left.login.cmp(&right.login));
        users.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        state.found.extend(users.iter().map(|user| user.id.clone()));
        Ok(users)
    })
}

/// Makes this state the host of the current thread until the guard goes.
pub(super) fn install(state: &Rc<RefCell<State>>) -> Installed {
    Installed(INSTALLED.with(|installed| installed.borrow_mut().replace(Rc::clone(state))))
}

/// Puts back what was installed before.
pub(super) struct Installed(Option<Rc<RefCell<State>>>);

impl Drop for Installed {
    fn drop(&mut self) {
        let before = self.0.take();
        INSTALLED.with(|installed| *installed.borrow_mut() = before);
    }
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

#[expect(
    clippy::panic,
    reason = "outside a component there is no host to answer, and no error that a plugin could act on"
)]
pub(super) fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    let state = INSTALLED.with(|installed| installed.borrow().clone());
    match state {
        Some(state) => work(&mut state.borrow_mut()),
        None => panic!("there is no host here: call the backend through `keyway_sdk::testing::MockHost`"),
    }
}
