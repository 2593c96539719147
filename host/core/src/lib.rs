//! Keyway's core: the model, the token service, access evaluation, and the ports that the other rooms implement.
//!
//! This crate knows no web framework, no database and no WebAssembly engine. It may use nothing to its left (see
//! `host/README.md`), which is why most of the project's tests take seconds.

pub mod access;
pub mod account;
pub mod accounts;
pub mod directory;
pub mod event;
pub mod factor;
pub mod gate;
pub mod import;
pub mod json;
pub mod key;
pub mod model;
pub mod notice;
pub mod password;
pub mod port;
mod rank;
pub mod rights;
pub mod secret;
pub mod setting;
pub mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod token;

pub use secret::Secret;
