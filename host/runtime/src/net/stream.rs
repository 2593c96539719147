//! One connection: bytes in and out, each with a time limit, and TLS when the guest's protocol has agreed on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::error::TlsFault;
use super::standing::Standing;
use super::tls::{self, TlsSpec};
use super::{NetError, Server};
use crate::trace::Trace;

/// The most that one read hands out.
const MOST: usize = 64 << 10;

/// A connection to a server of an endpoint. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    server: Server,
    standing: Standing,
    /// Whether the server has said anything.
    has_answered: bool,
    since: Instant,
    stream: Stream,
    io_timeout: Duration,
    connect_timeout: Duration,
    /// What TLS begins with, where the guest begins it.
    offered: Option<Arc<TlsSpec>>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed, and took it along.
    Lost,
}

impl Connection {
    pub(super) fn plain(
        server: Server,
        standing: Standing,
        stream: TcpStream,
        times: (Duration, Duration),
        offered: Option<Arc<TlsSpec>>,
    ) -> Self {
        let (connect_timeout, io_timeout) = times;
        Self {
            server,
            standing,
            has_answered: false,
            since: Instant::now(),
            stream: Stream::Plain(stream),
            io_timeout,
            connect_timeout,
            offered,
        }
    }

    /// Does the TLS that was offered.
    ///
    /// # Errors
    /// [`NetError::Tls`], also where none was offered or it is done already; [`NetError::TimedOut`].
    pub(crate) async fn start_tls(&mut self, trace: &Trace) -> Result<(), NetError> {
        let failed = |server: &Server| NetError::Tls {
            server: server.to_string(),
            fault: TlsFault::Handshake,
        };
        let (Some(spec), Stream::Plain(_)) = (self.offered.take(), &self.stream) else {
            return Err(failed(&self.server));
        };
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Lost) else {
            return Err(failed(&self.server));
        };
        let wait = self.standing.wait(self.connect_timeout);
        let shaken = timeout(self.connect_timeout, spec.connect(&self.server, stream)).await;
        wait.end();
        let shaken = shaken.unwrap_or_else(|_| Err(NetError::TimedOut(self.server.to_string())));
        let stream = shaken.inspect_err(|_| self.standing.fail())?;
        trace.tell("TLS", || {
            let version = stream.get_ref().1.protocol_version();
            let version = version.map_or("TLS".to_owned(), |version| format!("{version:?}"));
            format!("{version}, and the certificate is good")
        });
        self.stream = Stream::Tls(Box::new(stream));
        Ok(())
    }

    /// Up to `most` bytes, at least one but at the stream's end.
    ///
    /// # Errors
    /// [`NetError::TimedOut`], [`NetError::Closed`], [`NetError::Tls`].
    pub(crate) async fn read(&mut self, most: usize) -> Result<Vec<u8>, NetError> {
        let mut bytes = vec![0; most.clamp(1, MOST)];
        let wait = self.standing.wait(self.io_timeout);
        let read = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut bytes).await,
                Stream::Tls(stream) => stream.read(&mut bytes).await,
                Stream::Lost => Err(std::io::ErrorKind::ConnectionReset.into()),
            }
        };
        let read = timeout(self.io_timeout, read).await;
        wait.end();
        let count = self.told(read)?;
        if !self.has_answered {
            self.has_answered = count > 0;
            if self.has_answered {
                self.standing.answer();
            } else {
                self.standing.fail();
            }
        }
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Writes all of them.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let wait = self.standing.wait(self.io_timeout);
        let write = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(bytes).await,
                Stream::Tls(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
                Stream::Lost => Err(std::io::ErrorKind::ConnectionReset.into()),
            }
        };
        let written = timeout(self.io_timeout, write).await;
        wait.end();
        self.told(written)
    }

    /// When it was connected.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether its server is in good standing and it is open, and nothing has come that nobody asked for.
    pub(super) fn is_good(&mut self) -> bool {
        if self.standing.is_dead() {
            return false;
        }
        let mut byte = [0];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut byte).now_or_never(),
            Stream::Tls(stream) => stream.read(&mut byte).now_or_never(),
            Stream::Lost => return false,
        };
        read.is_none()
    }

    fn told<T>(&self, done: Result<std::io::Result<T>, tokio::time::error::Elapsed>) -> Result<T, NetError> {
        let error = match done {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => self.failed(&error),
            Err(_) => NetError::TimedOut(self.server.to_string()),
        };
        // That a server ends a connection on which it has answered is its right.
        if !self.has_answered || matches!(error, NetError::TimedOut(_) | NetError::Tls { .. }) {
            self.standing.fail();
        }
        Err(error)
    }

    fn failed(&self, error: &std::io::Error) -> NetError {
        match error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
            // With TLS 1.3 a refused client certificate shows only now.
            Some(cause) => NetError::Tls {
                server: self.server.to_string(),
                fault: tls::fault(cause),
            },
            None => NetError::of_io(&self.server, error),
        }
    }
}
