//! One connection, from the first byte to the last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::Version;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::EdgeSettings;
use super::answer::Desk;
use super::pace::Pace;

/// How a listener stands, as its connections need to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Requests are welcome.
    Serving,
    /// What was accepted is finished, and then it ends.
    Draining,
    /// It ends now.
    Cut,
}

/// What an HTTP/2 client may send of one body, and of all bodies on its connection, before somebody reads it. Handlers read at once, so it
/// is the way to the client and back that these limit; hyper's own are for large uploads, and let each connection fill a megabyte.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// The HTTP protocols and their limits. The version shows in a connection's first bytes: what TLS negotiated, or what a client of a plain
/// listener simply speaks.
pub(super) fn protocols(settings: &EdgeSettings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // `Pace` watches over the head, the first one included, and spares each request a timer.
        .header_read_timeout(None)
        // hyper insists on 8 KiB.
        .max_buf_size(settings.max_head.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(settings.max_head).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(settings.max_streams);
    builder
}

/// Serves one connection until it ends, falls behind, or is told to end.
pub(super) async fn serve<I>(
    io: I,
    peer: Option<IpAddr>,
    protocols: &auto::Builder<TokioExecutor>,
    desk: Arc<Desk>,
    mut mode: watch::Receiver<Mode>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let settings = Arc::clone(&desk.edge.settings);
    let start = Instant::now();
    let pace = Arc::new(Pace::new(settings.head_timeout, settings.idle_timeout, start));
    let watched = TokioIo::new(Watched {
        io,
        pace: Arc::clone(&pace),
    });
    let service = service_fn(|request: http::Request<Incoming>| {
        let (desk, pace) = (Arc::clone(&desk), Arc::clone(&pace));
        async move {
            let _in_flight = pace.begin(request.version() == Version::HTTP_2);
            Ok::<_, Infallible>(desk.answer(peer, &pace, request).await)
        }
    });
    let mut connection = pin!(protocols.serve_connection(watched, service));
    let mut look = pin!(tokio::time::sleep_until((start + settings.head_timeout).into()));
    let mut draining = pin!(async {
        // An error means that the listener is gone: nobody is left to wait for.
        let _ = mode.wait_for(|mode| *mode >= Mode::Draining).await;
    });
    let mut is_draining = false;
    let mut told = false;
    poll_fn(|cx| {
        loop {
            // What goes wrong on a connection is the client's doing or the network's; requests have their own line in the log.
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                if let Err(error) = outcome {
                    tracing::trace!(%error, "connection ended");
                }
                return Poll::Ready(());
            }
            if !is_draining && draining.as_mut().poll(cx).is_ready() {
                is_draining = true;
            }
            // Not before its first request: that was accepted, and may be in the socket already.
            if is_draining && !told && pace.has_served() {
                told = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            if look.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match pace.next_look(Instant::now()) {
                Some(next) => look.as_mut().reset(next.into()),
                None => return Poll::Ready(()),
            }
        }
    })
    .await;
}

/// A stream that tells the pace when bytes arrive.
struct Watched<I> {
    io: I,
    pace: Arc<Pace>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pace.note_bytes();
        }
        outcome
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
