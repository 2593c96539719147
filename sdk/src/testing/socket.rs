//! Endpoints of the mock host: real TCP to wherever the test says, without TLS.

use std::cell::RefCell;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

use super::host::{covers, with};
use crate::Capability;
use crate::net::{NetError, Protection, TlsError};

/// A connection of the mock host.
pub(crate) struct Socket {
    endpoint: String,
    stream: TcpStream,
}

/// Connections that wait for a later call: the endpoint, the state, the connection.
pub(super) type Kept = Rc<RefCell<Vec<(String, String, TcpStream)>>>;

impl Socket {
    pub(crate) fn read(&mut self, most: u32) -> Result<Vec<u8>, NetError> {
        let mut bytes = vec![0; usize::try_from(most).unwrap_or(usize::MAX).min(64 << 10)];
        let count = self.stream.read(&mut bytes).map_err(|error| told(error.kind()))?;
        bytes.truncate(count);
        Ok(bytes)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        self.stream.write_all(bytes).map_err(|error| told(error.kind()))
    }

    /// There is no TLS in a test of a plugin's own.
    #[expect(clippy::unused_self, reason = "the real one begins it on the connection")]
    pub(crate) fn start_tls(&mut self) -> Result<(), NetError> {
        Err(NetError::Tls(TlsError::Handshake))
    }

    pub(crate) fn keep(self, state: &str) {
        let kept = with(|host| Rc::clone(&host.kept));
        kept.borrow_mut().push((self.endpoint, state.to_owned(), self.stream));
    }
}

pub(crate) fn protection_of(endpoint: &str) -> Result<Protection, NetError> {
    address(endpoint).map(|_| Protection::None)
}

pub(crate) fn connect(endpoint: &str) -> Result<Socket, NetError> {
    let stream = TcpStream::connect(address(endpoint)?).map_err(|error| told(error.kind()))?;
    Ok(Socket {
        endpoint: endpoint.to_owned(),
        stream,
    })
}

pub(crate) fn resume(endpoint: &str, state: &str) -> Result<Option<Socket>, NetError> {
    address(endpoint)?;
    let kept = with(|host| Rc::clone(&host.kept));
    let mut kept = kept.borrow_mut();
    let place = kept.iter().rposition(|(at, word, _)| at == endpoint && word == state);
    Ok(place.map(|place| {
        let (endpoint, _, stream) = kept.remove(place);
        Socket { endpoint, stream }
    }))
}

fn address(endpoint: &str) -> Result<SocketAddr, NetError> {
    with(|host| {
        let is_wanted = host.wants(|wanted| matches!(wanted, Capability::Net(name) if covers(name, endpoint)));
        let address = host.endpoints.get(endpoint).copied().filter(|_| is_wanted);
        let address = address.ok_or_else(|| NetError::NotGranted(format!("grants.net.{endpoint}")))?;
        if host.unavailable {
            return Err(NetError::Unreachable);
        }
        Ok(address)
    })
}

fn told(kind: ErrorKind) -> NetError {
    match kind {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => NetError::TimedOut,
        ErrorKind::ConnectionRefused => NetError::Unreachable,
        _ => NetError::Closed,
    }
}
