//! An endpoint, as calls use it: which server is asked, what its name stands for, and which did not answer of late.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::pool::Pool;
use super::resolve::Resolver;
use super::standing::{Standing, Standings};
use super::{Balance, Connection, EndpointSpec, NetError, Protection, Server};
use crate::trace::Trace;

/// The most addresses of one name that are tried.
const ADDRESSES: usize = 8;

/// A connection that is older is not kept for a later call: the server that is asked first may be back, and an account that was taken away must end.
const OLDEST: Duration = Duration::from_mins(5);

/// An endpoint of one generation.
#[derive(Debug)]
pub(crate) struct Endpoint {
    spec: EndpointSpec,
    turn: AtomicUsize,
    standings: Arc<Standings>,
    resolver: Resolver,
    pool: Pool,
}

impl Endpoint {
    pub(crate) fn new(spec: EndpointSpec) -> Self {
        Self {
            turn: AtomicUsize::new(0),
            standings: Arc::new(Standings::new(spec.servers.len(), spec.dead_for)),
            resolver: Resolver::new(spec.policy.is_operators()),
            pool: Pool::new(spec.idle, spec.idle_timeout, OLDEST),
            spec,
        }
    }

    /// What the operator set.
    pub(crate) fn spec(&self) -> &EndpointSpec {
        &self.spec
    }

    /// Leaves a connection to a later call.
    pub(crate) fn keep(&self, state: String, connection: Connection) {
        self.pool.keep(state, connection);
    }

    /// One that an earlier call left in this state.
    pub(crate) fn resume(&self, state: &str) -> Option<Connection> {
        self.pool.take(state)
    }

    /// Connects to the first server that answers. Those that did not of late are tried last.
    ///
    /// # Errors
    /// Why the last one that was tried did not answer.
    pub(crate) async fn connect(&self, trace: &Trace) -> Result<Connection, NetError> {
        let mut last = NetError::Limit("servers");
        for index in self.order() {
            let Some(server) = self.spec.servers.get(index) else {
                continue;
            };
            let standing = Standing {
                of: Arc::clone(&self.standings),
                index,
            };
            let wait = standing.wait(self.spec.connect_timeout);
            let connecting = self.connect_to(server, standing.clone(), trace);
            let connected = timeout(self.spec.connect_timeout, connecting).await;
            wait.end();
            match connected.unwrap_or_else(|_| Err(NetError::TimedOut(server.to_string()))) {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    trace.tell("failed", || error.to_string());
                    standing.fail();
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn connect_to(&self, server: &Server, standing: Standing, trace: &Trace) -> Result<Connection, NetError> {
        let stream = self.dial(server, trace).await?;
        // Questions and answers: a packet that waits for more to come costs a login its time.
        stream
            .set_nodelay(true)
            .map_err(|error| NetError::of_io(server, &error))?;
        let times = (self.spec.connect_timeout, self.spec.io_timeout);
        let offered = match &self.spec.protection {
            Protection::None => None,
            Protection::StartTls(tls) | Protection::Implicit(tls) => Some(Arc::clone(tls)),
        };
        let mut connection = Connection::plain(server.clone(), standing, stream, times, offered);
        if matches!(self.spec.protection, Protection::Implicit(_)) {
            connection.start_tls(trace).await?;
        }
        Ok(connection)
    }

    async fn dial(&self, server: &Server, trace: &Trace) -> Result<TcpStream, NetError> {
        let until = Instant::now() + self.spec.connect_timeout;
        let found = self.resolver.resolve(server).await?;
        trace.tell("resolved", || {
            let addresses: Vec<_> = found.iter().map(|address| address.ip().to_string()).collect();
            format!("`{server}` stands for {}", addresses.join(", "))
        });
        self.dial_any(server, &found, until, trace).await
    }

    /// Connects to the first address that the policy admits and that answers: the very address that was checked. Each has its part of the time that is
    /// left, so that one that swallows everything does not keep the others from being tried.
    pub(super) async fn dial_any(
        &self,
        server: &Server,
        found: &[SocketAddr],
        until: Instant,
        trace: &Trace,
    ) -> Result<TcpStream, NetError> {
        let mut last = NetError::Unresolved(server.to_string());
        let mut admitted = Vec::new();
        for address in found.iter().take(ADDRESSES) {
            if self.spec.policy.admits(server, address.ip()) {
                admitted.push(*address);
            } else {
                last = refused(server, address.ip());
            }
        }
        for (address, left) in admitted.iter().zip((1..=admitted.len()).rev()) {
            let part = until.saturating_duration_since(Instant::now()) / u32::try_from(left).unwrap_or(1);
            match timeout(part, TcpStream::connect(address)).await {
                Ok(Ok(stream)) if self.is_to_itself(&stream) => last = refused(server, address.ip()),
                Ok(Ok(stream)) => {
                    trace.tell("connected", || address.to_string());
                    return Ok(stream);
                }
                Ok(Err(error)) => last = NetError::of_io(server, &error),
                Err(_) => last = NetError::TimedOut(server.to_string()),
            }
        }
        Err(last)
    }

    /// Whether it leads back to this machine, which has public addresses perhaps, and may not.
    fn is_to_itself(&self, stream: &TcpStream) -> bool {
        let (Ok(own), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else {
            return false;
        };
        !self.spec.policy.admits_pair(own.ip(), peer.ip())
    }

    /// The servers' places, in the order in which they are tried.
    pub(super) fn order(&self) -> Vec<usize> {
        let count = self.spec.servers.len();
        let first = match self.spec.balance {
            Balance::Order => 0,
            Balance::RoundRobin => self.turn.fetch_add(1, Ordering::Relaxed),
        };
        let mut order: Vec<usize> = (0..count).map(|step| (first.wrapping_add(step)) % count).collect();
        // A stable sort: the answering ones keep their order, and so do the others.
        order.sort_by_key(|index| self.standings.is_dead(*index));
        order
    }
}

fn refused(server: &Server, address: IpAddr) -> NetError {
    NetError::Refused {
        server: server.to_string(),
        address,
    }
}
