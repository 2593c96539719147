//! Lines in the host's log, under the request's id and the backend's name.
//!
//! A macro for each level takes a message, which may capture variables, and then fields, whose values are anything that implements
//! `Display`. Capability: [`Log`](crate::Capability::Log); without it lines are dropped. The host limits how many lines a call may
//! write, and how long they are.
//!
//! ```
//! use keyway_sdk::log;
//! # use keyway_sdk::{*, testing::MockHost};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde")]
//! # struct Chatty {}
//! # impl Backend for Chatty {
//! #     type Config = Self;
//! #     fn describe() -> Description { description!().wants([Capability::Log]) }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
//!     log::info!("nobody gets in here", identifier = login.identifier, dialect = context.dialect);
//!     Ok(Refusal::UnknownIdentifier.into())
//! }
//! # }
//! # let host = MockHost::new();
//! # let _ = host.login::<Chatty>("alice", "s3cre7");
//! # assert_eq!(host.lines()[0].field("identifier"), Some("alice"));
//! ```

use crate::host;

pub use crate::{__debug as debug, __error as error, __info as info, __warn as warn};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Of interest to the plugin's author.
    Debug,
    /// Something happened that an operator may want to know.
    Info,
    /// Something is wrong, and the login went on.
    Warn,
    /// Something is wrong, and the login did not go on.
    Error,
}

/// Writes one line. The macros of this module are shorter.
pub fn emit(level: Level, message: &str, fields: &[(String, String)]) {
    host::emit(level, message, fields);
}

/// Writes a line at [`Level::Debug`].
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($line:tt)*) => { $crate::__log!(Debug, $($line)*) };
}

/// Writes a line at [`Level::Info`].
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($line:tt)*) => { $crate::__log!(Info, $($line)*) };
}

/// Writes a line at [`Level::Warn`].
#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($line:tt)*) => { $crate::__log!(Warn, $($line)*) };
}

/// Writes a line at [`Level::Error`].
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($line:tt)*) => { $crate::__log!(Error, $($line)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $message:literal $(, $key:ident = $value:expr)* $(,)?) => {
        $crate::log::emit(
            $crate::log::Level::$level,
            &::std::format!($message),
            &[$((::std::string::String::from(stringify!($key)), ::std::string::ToString::to_string(&$value))),*],
        )
    };
}
