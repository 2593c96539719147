//! The host in a plugin's own tests, which run natively: `cargo test` in the plugin's crate, no component and no server.
//!
//! ```
//! use keyway_sdk::testing::{MockHost, MockUser};
//! use keyway_sdk::{Capability, Outcome, Refusal, json};
//! # use keyway_sdk::*;
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
//! # struct MyBackend { #[serde(default)] greeting: String }
//! # impl Backend for MyBackend {
//! #     type Config = Self;
//! #     fn describe() -> Description {
//! #         description!().wants([Capability::Log, Capability::DirectoryFind, Capability::DirectoryVerify])
//! #     }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! #     fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
//! #         let directory::Found::One(user) = directory::find_by_login(&login.identifier, None)? else {
//! #             directory::verify_password(None, login.credential.secret())?;
//! #             log::info!("nobody", identifier = login.identifier);
//! #             return Ok(Refusal::WrongCredential.into());
//! #         };
//! #         if directory::verify_password(Some(&user.id), login.credential.secret())? {
//! #             return Ok(Principal::directory(&user).into());
//! #         }
//! #         Ok(Refusal::WrongCredential.into())
//! #     }
//! # }
//!
//! let host = MockHost::new()
//!     .config(json!({ "greeting": "hello" }))
//!     .user("alice", "s3cre7")
//!     .add_user(MockUser::new("bob").password("hunter2").email("bob@example.org").disabled());
//!
//! assert!(matches!(host.login::<MyBackend>("alice", "s3cre7"), Ok(Outcome::Verified(_))));
//! assert_eq!(host.login::<MyBackend>("carol", "s3cre7"), Ok(Refusal::WrongCredential.into()));
//! // Somebody unknown cost one comparison, as a wrong password does.
//! assert_eq!(host.comparisons(), 1);
//! assert_eq!(host.lines()[0].message, "nobody");
//!
//! let problems = host.check_config::<MyBackend>(&json!({ "greetin": "hi" })).unwrap_err();
//! assert_eq!(problems[0].pointer, "/greetin");
//! ```

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use crate::component::{self, Step};
use crate::database::{DatabaseError, Row};
use crate::log::Level;
use crate::{
    Answer, Backend, Browse, Capability, Challenge, Context, Credential, Description, Fault, Health, Login, Outcome,
};
use crate::{
    ChangePassword, Changed, DigestAlgorithm, Found, Key, Listing, Lookup, PasswordChange, Problem, Query, Secret,
};

mod accept;
mod backend;
mod database;
mod file;
pub(crate) mod host;
mod socket;
mod user;
mod verifier;

pub use backend::MockBackend;
pub use user::MockUser;
pub use verifier::verifier;

use host::{Handle, State};

/// A host with users, secrets, a configuration and grants of your choosing. It keeps the rules of the real one: a capability works if
/// the plugin wants it and the host grants it, and an outcome that the real host would not believe is a [`Fault::Internal`].
///
/// As with the real one, everything but [`Capability::CredentialExpose`] is granted until it is [`deny`](MockHost::deny)-ed.
#[derive(Debug, Clone)]
pub struct MockHost {
    state: Rc<RefCell<State>>,
    context: Context,
}

/// What a caller presents to a [`MockHost`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MockCredential {
    /// A password.
    Password(String),
    /// A digest.
    Digest(DigestAlgorithm, String),
    /// A one-time password.
    Otp(String),
    /// An API key.
    ApiKey(String),
}

impl MockCredential {
    /// The digest that stands for this login and this password. Clients present it without an identifier: `present::<MyBackend>("", ..)`.
    pub fn digest(algorithm: DigestAlgorithm, login: &str, password: &str) -> Self {
        Self::Digest(algorithm, host::digest(algorithm, login, password.as_bytes()))
    }
}

/// One line that a backend logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its level.
    pub level: Level,
    /// Its message.
    pub message: String,
    /// Its fields, in the order in which they were given.
    pub fields: Vec<(String, String)>,
}

impl Line {
    /// The value of the first field with this key.
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

impl Default for MockHost {
    fn default() -> Self {
        Self::new()
    }
}

impl MockHost {
    /// A host with no users and no secrets, whose backend has no `config` table.
    pub fn new() -> Self {
        let granted = BTreeSet::from([
            Capability::Log,
            Capability::DirectoryFind,
            Capability::DirectoryVerify,
            Capability::DirectoryList,
        ]);
        Self {
            state: Rc::new(RefCell::new(State::new(granted))),
            context: Context {
                request_id: "test".to_owned(),
                dialect: "wazo".to_owned(),
                client_address: Some("127.0.0.1".to_owned()),
                tenant: None,
                budget_ms: 5_000,
                attributes: std::collections::BTreeMap::new(),
            },
        }
    }

    /// Sets the backend's `config` table.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "reads best as `config(json!({ .. }))`")]
    pub fn config(self, config: Value) -> Self {
        self.state.borrow_mut().config = config.to_string();
        self
    }

    /// Configures a secret under this name.
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.state
            .borrow_mut()
            .secrets
            .insert(name.to_owned(), value.as_bytes().into());
        self
    }

    /// Adds an enabled user with this login and password.
    #[must_use]
    pub fn user(self, login: &str, password: &str) -> Self {
        self.add_user(MockUser::new(login).password(password))
    }

    /// Adds a user of the host's directory.
    #[must_use]
    pub fn add_user(self, user: MockUser) -> Self {
        self.state.borrow_mut().users.push(user);
        self
    }

    /// Grants the endpoint of this name: connections to it go to this address, without TLS.
    #[must_use]
    pub fn endpoint(self, name: &str, address: std::net::SocketAddr) -> Self {
        self.state.borrow_mut().endpoints.insert(name.to_owned(), address);
        self
    }

    /// Grants the file of this name, with this text in it.
    #[must_use]
    pub fn file(self, name: &str, text: &str) -> Self {
        let mut state = self.state.borrow_mut();
        state.files.insert(name.to_owned(), Some(text.to_owned()));
        drop(state);
        self
    }

    /// Grants the file of this name, which cannot be read.
    #[must_use]
    pub fn missing_file(self, name: &str) -> Self {
        self.state.borrow_mut().files.insert(name.to_owned(), None);
        self
    }

    /// Grants the database of this name, which answers as the closure does when it is given the statement and its parameters.
    #[must_use]
    pub fn database(
        self,
        name: &str,
        answer: impl Fn(&str, &[&str]) -> Result<Vec<Row>, DatabaseError> + 'static,
    ) -> Self {
        let answerer = database::Answerer::new(answer);
        self.state.borrow_mut().databases.insert(name.to_owned(), answerer);
        self
    }

    /// Lets the plugin ask the backend of this name.
    #[must_use]
    pub fn backend(self, name: &str, double: MockBackend) -> Self {
        self.state.borrow_mut().backends.insert(name.to_owned(), double);
        self
    }

    /// Grants a capability. It works only if the plugin wants it too.
    #[must_use]
    pub fn grant(self, capability: Capability) -> Self {
        self.state.borrow_mut().granted.insert(capability);
        self
    }

    /// Takes a capability away.
    #[must_use]
    pub fn deny(self, capability: Capability) -> Self {
        self.state.borrow_mut().granted.remove(&capability);
        self
    }

    /// Makes the directory and the pool for password hashing answer that they are unavailable.
    #[must_use]
    pub fn unavailable(self) -> Self {
        self.state.borrow_mut().unavailable = true;
        self
    }

    /// Changes what the backend is told about the request: its dialect, client address, tenant, attributes.
    ///
    /// ```
    /// # use keyway_sdk::testing::MockHost;
    /// let host = MockHost::new().context(|context| context.tenant = Some("acme".to_owned()));
    /// ```
    #[must_use]
    pub fn context(mut self, change: impl FnOnce(&mut Context)) -> Self {
        change(&mut self.context);
        self
    }

    /// What the plugin says about itself, held to the contract's rules.
    ///
    /// # Panics
    /// If the real host would refuse the plugin because of it: a name with other characters than `a-z`, `0-9`, `_` and `-`, for example.
    pub fn describe<B: Backend>(&self) -> Description {
        let (description, _) = component::describe::<B>();
        accept::description(&description);
        description
    }

    /// Checks a configuration, as `keyway config check` and a reload do: with nothing granted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_config<B: Backend>(&self, config: &Value) -> Result<(), Vec<Problem>> {
        self.call(&Description::new("check", "0.0.0", ""), || {
            component::check_config::<B>(&config.to_string())
        })
    }

    /// A login with a password.
    ///
    /// # Errors
    /// The backend's fault, or [`Fault::Internal`] where the real host would not accept the outcome.
    pub fn login<B: Backend>(&self, identifier: &str, password: &str) -> Result<Outcome, Fault> {
        self.present::<B>(identifier, MockCredential::Password(password.to_owned()))
    }

    /// A login with a credential of any kind.
    ///
    /// # Errors
    /// As for [`login`](MockHost::login).
    pub fn present<B: Backend>(&self, identifier: &str, credential: MockCredential) -> Result<Outcome, Fault> {
        let secret = |value: String| Secret::new(Handle::new(value.into_bytes()));
        let credential = match credential {
            MockCredential::Password(value) => Credential::Password(secret(value)),
            MockCredential::Digest(algorithm, value) => Credential::Digest {
                algorithm,
                value: secret(value),
            },
            MockCredential::Otp(value) => Credential::Otp(secret(value)),
            MockCredential::ApiKey(value) => Credential::ApiKey(secret(value)),
        };
        self.step::<B>(&Step::Login(Login {
            identifier: identifier.to_owned(),
            credential,
        }))
    }

    /// The response to a challenge that the backend gave.
    ///
    /// # Errors
    /// As for [`login`](MockHost::login).
    pub fn answer<B: Backend>(&self, challenge: &Challenge, response: &str) -> Result<Outcome, Fault> {
        let response = Secret::new(Handle::new(response.as_bytes().to_vec()));
        self.step::<B>(&Step::Answer(Answer {
            state: challenge.state.clone(),
            response,
        }))
    }

    /// Asks the backend whether it can do its work.
    ///
    /// # Errors
    /// The backend's fault.
    pub fn health<B: Health>(&self) -> Result<(), Fault> {
        self.call(&B::describe(), component::health::<B>)
    }

    /// Looks somebody up, as the host does before it renews tokens.
    ///
    /// # Errors
    /// As for [`login`](MockHost::login).
    #[expect(clippy::needless_pass_by_value, reason = "reads best as `lookup(Key::Subject(..))`")]
    pub fn lookup<B: Lookup>(&self, key: Key) -> Result<Found, Fault> {
        let found = self.call(&B::describe(), || component::find::<B>(&self.context, &key))?;
        accept::found(&found, &self.state.borrow())?;
        Ok(found)
    }

    /// Lists users, as an administrator's search does.
    ///
    /// # Errors
    /// As for [`login`](MockHost::login).
    #[expect(clippy::needless_pass_by_value, reason = "reads best as `browse(Query::most(10))`")]
    pub fn browse<B: Browse>(&self, query: Query) -> Result<Listing, Fault> {
        let listing = self.call(&B::describe(), || component::list::<B>(&self.context, &query))?;
        accept::listing(&listing, &self.state.borrow())?;
        Ok(listing)
    }

    /// Asks for another password, as somebody would who knows the present one.
    ///
    /// # Errors
    /// As for [`login`](MockHost::login).
    pub fn change_password<B: ChangePassword>(
        &self,
        identifier: &str,
        present: &str,
        new: &str,
    ) -> Result<Changed, Fault> {
        let secret = |value: &str| Secret::new(Handle::new(value.as_bytes().to_vec()));
        let change = PasswordChange {
            identifier: identifier.to_owned(),
            present: secret(present),
            new: secret(new),
        };
        let changed = self.call(&B::describe(), || {
            component::change_password::<B>(&self.context, &change)
        })?;
        accept::changed(&changed, &self.state.borrow())?;
        Ok(changed)
    }

    /// The lines that the last call logged, the values of exposed secrets blanked as the real host does.
    pub fn lines(&self) -> Vec<Line> {
        self.state.borrow().lines.clone()
    }

    /// How many comparisons of secrets the last call made: what a login costs, and what its caller can measure.
    pub fn comparisons(&self) -> usize {
        self.state.borrow().comparisons
    }

    /// How many times other backends were called because of the last call. What one has no ability for it is not asked.
    pub fn delegations(&self) -> usize {
        self.state.borrow().delegations
    }

    /// How many times the last call saw the bytes of a secret.
    pub fn exposures(&self) -> usize {
        self.state.borrow().exposed.len()
    }

    fn step<B: Backend>(&self, step: &Step) -> Result<Outcome, Fault> {
        let outcome = self.call(&B::describe(), || component::verify::<B>(&self.context, step))?;
        accept::outcome(&outcome, &self.state.borrow())?;
        Ok(outcome)
    }

    fn call<T>(&self, description: &Description, call: impl FnOnce() -> T) -> T {
        self.state.borrow_mut().begin(description);
        let _installed = host::install(&self.state);
        call()
    }
}
