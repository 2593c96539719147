//! Why a server did not start.

use std::net::SocketAddr;

use keyway_core::directory::DirectoryError;
use keyway_core::port::StoreError;
use keyway_http::edge::{ListenError, TlsError};
use keyway_runtime::RuntimeError;

use super::data_dir::DataDirError;
use super::events::EventsError;
use super::master_key::MasterKeyError;
use super::privilege::PrivilegeError;
use super::services::ServicesError;
use crate::config::ConfigError;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The configuration, read as whom the server becomes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// `-u`.
    #[error(transparent)]
    Privilege(#[from] PrivilegeError),
    /// The store and what stands on it.
    #[error(transparent)]
    Services(#[from] ServicesError),
    /// What the configuration defines of the directory.
    #[error("cannot put in place what `[directory]` defines")]
    Directory(#[from] DirectoryError),
    /// A certificate.
    #[error("cannot serve TLS on `{address}`")]
    Tls {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: Box<TlsError>,
    },
    /// A socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The plugin host.
    #[error("cannot start the plugin host")]
    Runtime(#[from] RuntimeError),
    /// The receivers of events.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The receivers of events have no place in the store.
    #[error("cannot register the receivers of events")]
    Receiver(#[source] StoreError),
    /// The machine.
    #[error("cannot {action}")]
    Machine {
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.replace('\n', " ")
}
