//! Listeners: accept, hand over to a connection task, drain on shutdown.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt as _;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::answer::Desk;
use super::connection::{self, Mode};
use super::request_id::RequestIds;
use super::{Edge, Stop, Tls, unix};
use crate::AppState;

/// Connections that the kernel keeps while this process is busy.
const BACKLOG: u32 = 1024;

/// The most connections that a listener can be told to hold.
const MAX_CONNECTIONS: u32 = 1 << 20;

/// How long to wait after the kernel refused a connection, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
        source: io::Error,
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
pub struct Listener(Socket);

enum Socket {
    Tcp(TcpListener, Option<Tls>),
    /// The file goes when the listener does.
    Unix {
        listener: UnixListener,
        _file: unix::SocketFile,
    },
}

enum Stream {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Listener {
    /// Listens on a TCP address. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError::Bind`].
    pub fn tcp(address: SocketAddr, tls: Option<Tls>) -> Result<Self, ListenError> {
        let listener = bind(address).map_err(|source| ListenError::Bind {
            address: address.to_string(),
            source,
        })?;
        Ok(Self(Socket::Tcp(listener, tls)))
    }

    /// Listens on a unix socket that only this user can open. A socket file that nobody answers on is replaced; the file goes when the
    /// listener does. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn unix(path: &Path) -> Result<Self, ListenError> {
        let (listener, file) = unix::bind(path)?;
        Ok(Self(Socket::Unix { listener, _file: file }))
    }

    /// Where it listens: the real port where 0 was asked for. `None` for a unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.0 {
            Socket::Tcp(listener, _) => listener.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }

    /// Serves until `stop`, then finishes what was accepted, for at most the edge's grace period.
    pub async fn serve(self, router: Router, state: AppState, edge: Edge, stop: Stop) -> Drained {
        let mode = watch::Sender::new(Mode::Serving);
        let settings = Arc::clone(&edge.settings);
        let capacity =
            u32::try_from(settings.max_connections).map_or(MAX_CONNECTIONS, |wish| wish.clamp(1, MAX_CONNECTIONS));
        let places = Arc::new(Semaphore::new(capacity as usize));
        let house = Arc::new(House {
            protocols: connection::protocols(&settings),
            acceptor: self.acceptor(),
            mode: mode.subscribe(),
            desk: Arc::new(Desk {
                ids: RequestIds::new(&*state.random),
                router,
                state,
                edge,
                stop: stop.clone(),
            }),
        });
        tokio::select! {
            () = stop.wait() => {}
            () = self.accept_all(&house, &places) => {}
        }
        self.accept_waiting(&house, &places);
        mode.send_replace(Mode::Draining);
        drop(self);
        drain(settings.shutdown_grace, capacity, &places, &mode).await
    }

    fn acceptor(&self) -> Option<TlsAcceptor> {
        match &self.0 {
            Socket::Tcp(_, tls) => tls.as_ref().map(Tls::acceptor),
            Socket::Unix { .. } => None,
        }
    }

    async fn accept_all(&self, house: &Arc<House>, places: &Arc<Semaphore>) {
        // The semaphore is never closed.
        while let Ok(place) = Arc::clone(places).acquire_owned().await {
            match self.accept().await {
                Ok(stream) => house.receive(stream, place),
                // The client went away while it waited.
                Err(error) if is_the_clients_doing(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Takes in what the kernel has already accepted in our name: those clients hold a connection, and may have sent their request.
    fn accept_waiting(&self, house: &Arc<House>, places: &Arc<Semaphore>) {
        while let Ok(place) = Arc::clone(places).try_acquire_owned() {
            match self.accept().now_or_never() {
                Some(Ok(stream)) => house.receive(stream, place),
                Some(Err(_)) | None => break,
            }
        }
    }

    async fn accept(&self) -> io::Result<Stream> {
        match &self.0 {
            Socket::Tcp(listener, _) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Stream::Tcp(stream, peer.ip()))
            }
            Socket::Unix { listener, .. } => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

/// What all connections of a listener share.
struct House {
    protocols: auto::Builder<TokioExecutor>,
    acceptor: Option<TlsAcceptor>,
    mode: watch::Receiver<Mode>,
    desk: Arc<Desk>,
}

impl House {
    fn receive(self: &Arc<Self>, stream: Stream, place: OwnedSemaphorePermit) {
        let house = Arc::clone(self);
        tokio::spawn(async move {
            house.converse(stream).await;
            drop(place);
        });
    }

    async fn converse(&self, stream: Stream) {
        let mut mode = self.mode.clone();
        tokio::select! {
            () = self.serve(stream) => {}
            _ = mode.wait_for(|mode| *mode == Mode::Cut) => {}
        }
    }

    async fn serve(&self, stream: Stream) {
        let desk = Arc::clone(&self.desk);
        let mode = self.mode.clone();
        match (stream, &self.acceptor) {
            (Stream::Tcp(stream, peer), Some(acceptor)) => {
                let patience = self.desk.edge.settings.handshake_timeout;
                match tokio::time::timeout(patience, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => connection::serve(stream, Some(peer), &self.protocols, desk, mode).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
                }
            }
            (Stream::Tcp(stream, peer), None) => {
                connection::serve(stream, Some(peer), &self.protocols, desk, mode).await;
            }
            (Stream::Unix(stream), _) => connection::serve(stream, None, &self.protocols, desk, mode).await,
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    // Linux hands this on to each accepted connection, which spares every one of them a system call.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn is_the_clients_doing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Waits until every place is free again, or cuts what is left.
async fn drain(grace: Duration, capacity: u32, places: &Semaphore, mode: &watch::Sender<Mode>) -> Drained {
    let whole = tokio::time::timeout(grace, places.acquire_many(capacity)).await;
    if whole.is_ok() {
        return Drained::Whole;
    }
    let left = (capacity as usize).saturating_sub(places.available_permits());
    mode.send_replace(Mode::Cut);
    if left == 0 { Drained::Whole } else { Drained::Cut(left) }
}
