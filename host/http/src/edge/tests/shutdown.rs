//! The end of a listener.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::{Drained, EdgeSettings};
use super::{Gate, SOON, quick, read_all, serve_gated, status_line, talk};

#[tokio::test]
async fn shutdown_finishes_what_was_accepted() {
    let gate = Arc::<Gate>::default();
    let settings = EdgeSettings {
        request_timeout: SOON,
        ..quick()
    };
    let served = serve_gated(settings, None, Arc::clone(&gate)).await;
    let address = served.address;
    let mut resting = TcpStream::connect(address).await.expect("a listener");
    resting
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("open");
    let mut seen = [0; 4096];
    assert!(resting.read(&mut seen).await.expect("an answer") > 0);
    let mut fresh = TcpStream::connect(address).await.expect("a listener");
    let waiting = tokio::spawn(async move { talk(address, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n").await });
    gate.arrived.notified().await;
    served.stop.trigger();
    assert_eq!(read_all(&mut resting).await, "", "a resting connection ends at once");
    assert!(TcpStream::connect(address).await.is_err(), "nobody else is let in");
    fresh
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("accepted before");
    assert_eq!(
        status_line(&read_all(&mut fresh).await),
        "HTTP/1.1 200 OK",
        "accepted before"
    );
    gate.open.notify_one();
    assert!(waiting.await.expect("no panic").ends_with("passed"));
    assert_eq!(served.ended.await.expect("no panic"), Drained::Whole);
}

#[tokio::test]
async fn shutdown_is_bounded() {
    let settings = EdgeSettings {
        request_timeout: SOON,
        shutdown_grace: Duration::from_millis(200),
        ..quick()
    };
    let gate = Arc::<Gate>::default();
    let served = serve_gated(settings, None, Arc::clone(&gate)).await;
    let mut stream = TcpStream::connect(served.address).await.expect("a listener");
    stream
        .write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("open");
    gate.arrived.notified().await;
    served.stop.trigger();
    assert_eq!(served.ended.await.expect("no panic"), Drained::Cut(1));
    assert_eq!(read_all(&mut stream).await, "");
}
