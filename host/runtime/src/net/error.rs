//! Why there is no connection, or no more of it.

use crate::net::Server;

/// Why a certificate or a handshake was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TlsFault {
    /// The certificate is of another name.
    #[error("its certificate is of another name")]
    WrongName,
    /// The certificate is not valid yet, or no longer.
    #[error("its certificate is not valid yet, or has expired")]
    Expired,
    /// The certificate is of none of the trusted authorities.
    #[error("its certificate is of no authority that is trusted here; name its authority with `ca`")]
    UnknownIssuer,
    /// The other side wanted another client certificate, or any.
    #[error("it asks for another client certificate than it gets; name one with `cert` and `key`")]
    ClientCertificate,
    /// Anything else.
    #[error("the handshake failed: does it speak TLS on this port?")]
    Handshake,
}

/// Why there is no connection, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetError {
    /// What the name stands for is not allowed.
    #[error("`{server}` stands for `{address}`, which is not allowed; allow it with `allow`")]
    Refused {
        /// The server.
        server: String,
        /// What its name stands for now.
        address: std::net::IpAddr,
    },
    /// The name stands for nothing.
    #[error("`{0}` stands for no address")]
    Unresolved(String),
    /// Nobody accepts a connection there.
    #[error("`{server}` does not accept connections: {reason}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the system said.
        reason: std::io::ErrorKind,
    },
    /// It took too long.
    #[error("`{0}` does not answer in time")]
    TimedOut(String),
    /// TLS failed.
    #[error("TLS with `{server}` failed: {fault}")]
    Tls {
        /// The server.
        server: String,
        /// Why.
        fault: TlsFault,
    },
    /// The other side closed the connection.
    #[error("`{0}` closed the connection")]
    Closed(String),
    /// The call used up what it may.
    #[error("over the limit of {0}")]
    Limit(&'static str),
}

impl NetError {
    pub(super) fn of_io(server: &Server, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
        match error.kind() {
            TimedOut => Self::TimedOut(server.to_string()),
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => Self::Closed(server.to_string()),
            reason => Self::Unreachable {
                server: server.to_string(),
                reason,
            },
        }
    }
}
