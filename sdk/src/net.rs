//! Byte streams to endpoints that the operator named: [`connect`] takes the name, and the host resolves, checks the address, connects and does TLS.
//!
//! ```
//! use std::io::{Read as _, Write as _};
//! use keyway_sdk::net;
//! # use keyway_sdk::{*, testing::MockHost};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde")]
//! # struct Remote {}
//! # impl Backend for Remote {
//! #     type Config = Self;
//! #     fn describe() -> Description { description!().wants([Capability::Net("door")]) }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! fn verify(&self, _: &Context, login: &Login) -> Result<Outcome, Fault> {
//!     let mut door = net::connect("door")?;
//!     writeln!(door, "{}", login.identifier)?;
//!     let mut answer = [0];
//!     door.read_exact(&mut answer)?;
//!     Ok(match &answer {
//!         b"y" => Principal::own(&login.identifier).into(),
//!         _ => Refusal::UnknownIdentifier.into(),
//!     })
//! }
//! # }
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
//! # let address = listener.local_addr().unwrap();
//! # std::thread::spawn(move || for stream in listener.incoming() {
//! #     let mut stream = stream.unwrap();
//! #     let mut line = String::new();
//! #     std::io::BufRead::read_line(&mut std::io::BufReader::new(&stream), &mut line).unwrap();
//! #     stream.write_all(if line == "alice\n" { b"y" } else { b"n" }).unwrap();
//! # });
//! # let host = MockHost::new().endpoint("door", address);
//! # assert!(matches!(host.login::<Remote>("alice", "s3cre7"), Ok(Outcome::Verified(_))));
//! # assert_eq!(host.login::<Remote>("bob", "s3cre7"), Ok(Refusal::UnknownIdentifier.into()));
//! ```

use std::fmt;
use std::io::{self, Read, Write};

use crate::{Fault, host};

/// What protects an endpoint's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    None,
    /// TLS once [`Connection::start_tls`] asks for it.
    StartTls,
    /// TLS from the first byte, which the host has done.
    Tls,
}

/// Why TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsError {
    /// The certificate is of another name.
    WrongName,
    /// The certificate is not valid yet, or no longer.
    Expired,
    /// The certificate is of no authority that the operator trusts.
    UnknownIssuer,
    /// The other side asked for a client certificate, or refused the one it got.
    ClientCertificate,
    /// The other side does not speak TLS, or none that both sides know.
    Handshake,
}

/// Why there is no connection, or no more of it. The reason in full is in the host's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetError {
    /// The operator grants no endpoint of this name.
    NotGranted(String),
    /// The endpoint's name stands for an address that the operator does not allow.
    RefusedByPolicy,
    /// The endpoint's name stands for no address.
    Unresolved,
    /// No server of the endpoint answers.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// TLS failed.
    Tls(TlsError),
    /// The other side closed the connection.
    Closed,
    /// The call has used up its connections or their bytes.
    LimitReached,
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(grant) => write!(f, "`{grant}` is not granted"),
            Self::RefusedByPolicy => f.write_str("the endpoint's name stands for an address that is not allowed"),
            Self::Unresolved => f.write_str("the endpoint's name stands for no address"),
            Self::Unreachable => f.write_str("no server of the endpoint answers"),
            Self::TimedOut => f.write_str("the endpoint does not answer in time"),
            Self::Tls(error) => write!(f, "TLS with the endpoint failed: {error}"),
            Self::Closed => f.write_str("the endpoint closed the connection"),
            Self::LimitReached => f.write_str("the call's connections or bytes are used up"),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongName => "the certificate is of another name",
            Self::Expired => "the certificate is not valid yet, or has expired",
            Self::UnknownIssuer => "the certificate is of no authority that is trusted",
            Self::ClientCertificate => "it asks for another client certificate",
            Self::Handshake => "the handshake failed",
        })
    }
}

impl std::error::Error for NetError {}

impl From<NetError> for Fault {
    fn from(error: NetError) -> Self {
        match error {
            NetError::NotGranted(_) | NetError::RefusedByPolicy => Self::Misconfigured(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<NetError> for io::Error {
    fn from(error: NetError) -> Self {
        let kind = match &error {
            NetError::NotGranted(_) | NetError::RefusedByPolicy => io::ErrorKind::PermissionDenied,
            NetError::Unresolved => io::ErrorKind::NotFound,
            NetError::Unreachable => io::ErrorKind::ConnectionRefused,
            NetError::TimedOut => io::ErrorKind::TimedOut,
            NetError::Tls(_) => io::ErrorKind::InvalidData,
            NetError::Closed => io::ErrorKind::ConnectionReset,
            NetError::LimitReached => io::ErrorKind::QuotaExceeded,
        };
        Self::new(kind, error)
    }
}

/// What went wrong with a connection that was read from or written to through [`std::io`] is the endpoint's fault, and says nothing about a
/// credential.
impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.downcast::<NetError>() {
            Ok(error) => error.into(),
            Err(error) => Self::Unavailable(error.to_string()),
        }
    }
}

/// How an endpoint's connections are protected.
///
/// # Errors
/// [`NetError::NotGranted`].
pub fn protection(endpoint: &str) -> Result<Protection, NetError> {
    host::protection_of(endpoint)
}

/// Connects to the endpoint. Capability: [`Capability::Net`](crate::Capability::Net) of this name.
///
/// # Errors
/// [`NetError`].
pub fn connect(endpoint: &str) -> Result<Connection, NetError> {
    host::connect(endpoint).map(Connection)
}

/// A connection that an earlier call [kept](Connection::keep) in this state, if there is one that is still open and quiet.
///
/// # Errors
/// [`NetError::NotGranted`].
pub fn resume(endpoint: &str, state: &str) -> Result<Option<Connection>, NetError> {
    Ok(host::resume(endpoint, state)?.map(Connection))
}

/// A connection to an endpoint. Dropping it closes it.
#[must_use]
pub struct Connection(host::Socket);

impl Connection {
    /// Begins TLS, where the endpoint's protection is [`Protection::StartTls`] and the other side has agreed to it.
    ///
    /// # Errors
    /// [`NetError::Tls`], [`NetError::TimedOut`].
    pub fn start_tls(&mut self) -> Result<(), NetError> {
        self.0.start_tls()
    }

    /// Leaves the connection to a later call, which [`resume`]s it by `state`: a word of at most 256 bytes for what has been agreed on it. Never keep
    /// one that carried a caller's own credential.
    pub fn keep(self, state: &str) {
        self.0.keep(state);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let bytes = self.0.read(u32::try_from(buffer.len()).unwrap_or(u32::MAX))?;
        let count = bytes.len().min(buffer.len());
        let (Some(place), Some(read)) = (buffer.get_mut(..count), bytes.get(..count)) else {
            return Ok(0);
        };
        place.copy_from_slice(read);
        Ok(count)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
