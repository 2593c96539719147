//! Write a Keyway authentication backend in Rust.
//!
//! A backend is a type that implements [`Backend`], and one line that makes a component of it, [`register!`]. It answers one
//! question: whom does this credential belong to? It sees no socket, no file, no environment variable, and, unless the operator
//! grants it, no password: it asks the host whether a [`Secret`] matches.
//!
//! ```
//! use keyway_sdk::{Backend, Context, Description, Fault, Login, Outcome, Principal, Problem, Refusal};
//! use keyway_sdk::{Deserialize, JsonSchema, schemars};
//!
//! /// One user, whose password verifier stands in the configuration.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
//! struct OneUser {
//!     login: String,
//!     verifier: String,
//! }
//!
//! impl Backend for OneUser {
//!     type Config = Self;
//!
//!     fn describe() -> Description {
//!         keyway_sdk::description!()
//!     }
//!
//!     fn configure(config: Self) -> Result<Self, Vec<Problem>> {
//!         Ok(config)
//!     }
//!
//!     fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
//!         let verifier = (login.identifier == self.login).then_some(self.verifier.as_str());
//!         if login.password_matches(verifier)? {
//!             return Ok(Principal::own(&self.login).into());
//!         }
//!         Ok(Refusal::WrongCredential.into())
//!     }
//! }
//!
//! keyway_sdk::register!(OneUser);
//!
//! // In the plugin's own tests, which run natively:
//! use keyway_sdk::testing::{MockHost, verifier};
//! use keyway_sdk::json;
//!
//! let host = MockHost::new().config(json!({ "login": "alice", "verifier": verifier("s3cre7") }));
//! assert!(matches!(host.login::<OneUser>("alice", "s3cre7"), Ok(Outcome::Verified(_))));
//! assert_eq!(host.login::<OneUser>("alice", "wrong"), Ok(Refusal::WrongCredential.into()));
//! ```
//!
//! # Where to look
//! - [`Backend`] is what you write, [`Health`], [`Lookup`], [`ChangePassword`] and [`Browse`] what you may add, [`register!`] and [`description!`] the lines
//!   around it.
//! - [`Login`] and [`Context`] are what you are asked; [`Outcome`] and [`Fault`] are how you answer.
//! - [`Secret`], [`directory`], [`net`], [`file`](mod@file), [`database`], [`delegate`], [`config`] and [`log`](mod@log) are what you may ask of the host.
//! - [`testing::MockHost`] is the host in your tests.

mod browse;
mod change_password;
mod component;
mod description;
mod login;
mod lookup;
mod outcome;
mod registration;
mod secret;

pub mod config;
pub mod database;
pub mod delegate;
pub mod directory;
pub mod file;
pub mod log;
pub mod net;

#[cfg(not(target_family = "wasm"))]
pub mod testing;
#[cfg(target_family = "wasm")]
mod wit;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use browse::{Browse, Listing, Query};
pub use change_password::{ChangePassword, Changed, PasswordChange, Rejection};
pub use config::Problem;
pub use description::{Capability, Description};
pub use login::{Answer, Context, Credential, DigestAlgorithm, Login};
pub use lookup::{Found, Key, Lookup};
pub use outcome::{Challenge, ChallengeKind, Fault, Outcome, Principal, Refusal, Subject};
pub use secret::{ExposedSecret, Secret, SecretError};

// What the derives of a configuration need, so that a plugin's manifest may name the SDK alone.
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize};
pub use serde_json::json;

/// The host on the other side: the real one in a component, a `MockHost` everywhere else. Both offer the same functions.
mod host {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) use crate::testing::host::{
        Handle, Socket, config_json, connect, delegate_answer, delegate_find, delegate_list, delegate_verify, emit,
        find_by_digest, find_by_email, find_by_login, find_lines, get_secret, list_directory_users, list_lines,
        protection_of, query_database, resume, verify_password,
    };
    #[cfg(target_family = "wasm")]
    pub(crate) use crate::wit::host::{
        Handle, Socket, config_json, connect, delegate_answer, delegate_find, delegate_list, delegate_verify, emit,
        find_by_digest, find_by_email, find_by_login, find_lines, get_secret, list_directory_users, list_lines,
        protection_of, query_database, resume, verify_password,
    };
}

/// An authentication backend.
///
/// The host makes a fresh instance of the component for each login, reads the operator's `config` table into
/// [`Config`](Backend::Config), hands it to [`configure`](Backend::configure) and asks [`verify`](Backend::verify).
/// The crate's front page has a complete one.
pub trait Backend: Sized {
    /// What the operator writes under `config`. It is read with serde, and its JSON Schema is shown to the operator.
    ///
    /// By convention a configuration denies unknown keys (`#[serde(deny_unknown_fields)]`), so that a misspelt key is an error
    /// that names the key and not a setting that silently does nothing.
    type Config: serde::de::DeserializeOwned + JsonSchema;

    /// What the plugin says about itself. Called with nothing granted; start from [`description!`].
    fn describe() -> Description;

    /// Makes the backend from its configuration, or says everything that is wrong with it.
    ///
    /// It runs when the operator's configuration is checked, before a generation goes live, and again before each call. So it must be
    /// cheap, and it must ask nothing of the host: during a check nothing is granted.
    ///
    /// # Errors
    /// One [`Problem`] for each thing that is wrong. A value of the wrong type or an unknown key never gets here: the SDK reports it.
    fn configure(config: Self::Config) -> Result<Self, Vec<Problem>>;

    /// Whom does this credential belong to?
    ///
    /// Someone unknown should cost what a wrong password costs, or the time of an answer tells who exists: compare with `None` then
    /// ([`Login::password_matches`], [`Secret::matches`], [`directory::verify_password`]).
    ///
    /// # Errors
    /// A [`Fault`] where the credential was not judged. That somebody is not let in is not a fault but [`Outcome::Refused`].
    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault>;

    /// The response to a challenge that [`verify`](Backend::verify) or this function gave ([`Outcome::Challenged`]).
    ///
    /// The host asks only for challenges of this backend, and a backend that gives none need not write it.
    ///
    /// # Errors
    /// As for [`verify`](Backend::verify).
    fn answer(&self, context: &Context, answer: &Answer) -> Result<Outcome, Fault> {
        let (_, _) = (context, answer);
        Err(Fault::internal(
            "this backend gives no challenges, and was handed an answer to one",
        ))
    }
}

/// A backend that can say whether what it depends on is in order. Written as `register!(MyBackend, health)`.
///
/// ```
/// # use keyway_sdk::*;
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
/// # struct Partner { api_key: String }
/// # impl Backend for Partner {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!() }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// #     fn verify(&self, _: &Context, _: &Login) -> Result<Outcome, Fault> { Ok(Refusal::WrongCredential.into()) }
/// # }
/// impl Health for Partner {
///     fn health(&self) -> Result<(), Fault> {
///         match config::find_secret(&self.api_key) {
///             Some(_) => Ok(()),
///             None => Err(Fault::misconfigured(format!("there is no `secrets.{}`", self.api_key))),
///         }
///     }
/// }
///
/// register!(Partner, health);
/// # let host = testing::MockHost::new().config(json!({ "api_key": "partner" }));
/// # assert_eq!(host.health::<Partner>(), Err(Fault::misconfigured("there is no `secrets.partner`")));
/// # assert_eq!(host.secret("partner", "k").health::<Partner>(), Ok(()));
/// ```
pub trait Health: Backend {
    /// Asks whatever the backend depends on, cheaply. Called before a generation goes live and by `keyway plugin list`, with the grants and
    /// limits of a login.
    ///
    /// # Errors
    /// The [`Fault`] that logins would meet; the operator reads its message.
    fn health(&self) -> Result<(), Fault>;
}
