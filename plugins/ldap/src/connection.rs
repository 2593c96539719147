//! Where sessions come from: the endpoint that the operator grants, or in a test whatever plays its part.

use std::io::{Read, Write};

use keyway_sdk::Fault;
use keyway_sdk::net::{self, NetError, Protection};

use crate::session::Session;

/// The endpoint that the operator grants as `grants.net.directory`.
pub(crate) const ENDPOINT: &str = "directory";

/// A connection's bytes.
pub(crate) trait Stream: Read + Write {
    /// Begins TLS.
    fn start_tls(&mut self) -> Result<(), NetError>;
    /// Leaves the connection to a later call.
    fn keep(self, state: &str);
}

/// What connects to the directory.
pub(crate) trait Network {
    /// What its connections are.
    type Stream: Stream;

    /// How its connections are protected.
    fn protection(&self) -> Result<Protection, NetError>;
    /// A new connection.
    fn connect(&self) -> Result<Self::Stream, NetError>;
    /// A connection that was kept in this state.
    fn resume(&self, state: &str) -> Result<Option<Self::Stream>, NetError>;

    /// A new session, on which nobody is bound, protected as the operator says.
    fn open(&self) -> Result<Session<Self::Stream>, Fault> {
        let protection = self.protection()?;
        let mut session = Session::new(self.connect()?);
        if protection == Protection::StartTls {
            session.agree_on_tls()?;
            session.stream_mut().start_tls()?;
        }
        Ok(session)
    }
}

/// The host's endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint;

impl Network for Endpoint {
    type Stream = net::Connection;

    fn protection(&self) -> Result<Protection, NetError> {
        net::protection(ENDPOINT)
    }

    fn connect(&self) -> Result<net::Connection, NetError> {
        net::connect(ENDPOINT)
    }

    fn resume(&self, state: &str) -> Result<Option<net::Connection>, NetError> {
        net::resume(ENDPOINT, state)
    }
}

impl Stream for net::Connection {
    fn start_tls(&mut self) -> Result<(), NetError> {
        net::Connection::start_tls(self)
    }

    fn keep(self, state: &str) {
        net::Connection::keep(self, state);
    }
}
