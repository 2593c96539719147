//! What the black-box tests stand on: the real binary in a folder of its own, one client per dialect, and real peers.
//!
//! Nothing here knows a host crate: a test sees what an operator, a caller and a plugin author see.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this is test code: a broken expectation ends the test"
)]

pub mod browser;
mod client;
mod host;
pub mod kazoo;
pub mod kazoo_clients;
mod log;
pub mod mariadb;
pub mod peer;
mod plugin;
pub mod postgres;
pub mod privacyidea;
pub mod privacyidea_database;
pub mod rabbitmq;
pub mod slapd;
pub mod smtp;
pub mod wazo;
pub mod wazo_database;
pub mod webitel;

pub use host::{Finished, TestHost, TestHostBuilder};
pub use log::ServerLog;
pub use plugin::{artefact, keyway_binary, variant};
