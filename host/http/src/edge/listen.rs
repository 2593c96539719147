//! Listeners: accept, hand over to a connection task, drain on shutdown.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;

use super::{EdgeSettings, Stop, Tls};
use crate::AppState;

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address or path.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another live server answers on the socket.
    #[error("another server answers on `{0}`")]
    InUse(PathBuf),
}

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Everything that was accepted was finished.
    Whole,
    /// This many connections were cut when the grace period ended.
    Cut(usize),
}

/// A bound socket. Binding and serving are two steps, so that privileges can be dropped in between.
pub struct Listener {}

impl Listener {
    /// Listens on a TCP address. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError::Bind`].
    pub fn tcp(_address: SocketAddr, _tls: Option<Tls>) -> Result<Self, ListenError> {
        todo!()
    }

    /// Listens on a unix socket that only this user can open. A socket file that nobody answers on is replaced.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn unix(_path: &Path) -> Result<Self, ListenError> {
        todo!()
    }

    /// Where it listens: the real port where 0 was asked for. `None` for a unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        todo!()
    }

    /// Serves until `stop`, then finishes what was accepted, for at most the settings' grace period.
    pub async fn serve(self, _router: Router, _state: AppState, _settings: EdgeSettings, _stop: Stop) -> Drained {
        todo!()
    }
}
