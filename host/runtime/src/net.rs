//! Connections to the endpoints that an operator names: resolve, check the address, connect, protect, count. Nothing here knows of wasm; the
//! import `net` hands what comes out of it to a guest.

mod connect;
mod error;
mod policy;
mod pool;
mod resolve;
mod standing;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use connect::Endpoint;
pub(crate) use error::{NetError, TlsFault};
pub use policy::{AddressPolicy, InvalidNetwork};
pub(crate) use stream::Connection;
pub use tls::{InvalidTls, TlsSpec};

/// One server of an endpoint: a name or an address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A DNS name, or an IP address without brackets.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// Which of several servers is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// The first one that answers.
    #[default]
    Order,
    /// Each in its turn.
    RoundRobin,
}

/// What protects an endpoint's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    None,
    /// TLS when the guest's protocol has agreed on it.
    StartTls(Arc<TlsSpec>),
    /// TLS from the first byte.
    Implicit(Arc<TlsSpec>),
}

impl Protection {
    /// Stands for the certificates and keys in it, which no `Debug` shows.
    pub(crate) fn digest(&self) -> [u8; 32] {
        match self {
            Self::None => [0; 32],
            Self::StartTls(tls) | Self::Implicit(tls) => tls.digest(),
        }
    }
}

/// One `grants.net.<name>` of a backend, checked and with its files read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSpec {
    /// At least one, in the operator's order.
    pub servers: Vec<Server>,
    /// Which of them is asked.
    pub balance: Balance,
    /// How they are protected.
    pub protection: Protection,
    /// Which addresses their names may stand for.
    pub policy: AddressPolicy,
    /// How long one server may take to accept a connection, looking its name up and TLS included. The addresses of its name share it.
    pub connect_timeout: Duration,
    /// How long one read or one write may take.
    pub io_timeout: Duration,
    /// For how long a server that did not answer is tried last.
    pub dead_for: Duration,
    /// Connections of one call.
    pub connections: u32,
    /// Bytes of one call in both directions.
    pub bytes: u64,
    /// Connections that wait for later calls; 0 for none.
    pub idle: usize,
    /// How long one of these waits. None is kept for longer than five minutes after it was connected.
    pub idle_timeout: Duration,
}

impl EndpointSpec {
    /// An endpoint with defaults for everything else.
    #[must_use]
    pub fn new(servers: Vec<Server>, protection: Protection) -> Self {
        Self {
            servers,
            balance: Balance::default(),
            protection,
            policy: AddressPolicy::default(),
            connect_timeout: Duration::from_secs(2),
            io_timeout: Duration::from_secs(5),
            dead_for: Duration::from_secs(30),
            connections: 8,
            bytes: 4 << 20,
            idle: 4,
            idle_timeout: Duration::from_mins(1),
        }
    }
}
