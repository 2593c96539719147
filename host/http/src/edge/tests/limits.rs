//! Clients that are slow, greedy or many.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::EdgeSettings;
use super::{SOON, quick, read_all, serve, status_line, talk};

#[tokio::test]
async fn a_client_that_never_finishes_is_closed() {
    let served = serve(quick(), None).await;
    for text in ["", "GET", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let begun = Instant::now();
        let answer = talk(served.address, text).await;
        assert_eq!(answer, "", "{text:?}");
        assert!(
            begun.elapsed() >= Duration::from_millis(250),
            "{text:?} had no time at all"
        );
    }
}

#[tokio::test]
async fn a_trickle_of_header_bytes_buys_no_time() {
    let served = serve(quick(), None).await;
    let mut stream = TcpStream::connect(served.address).await.expect("a listener");
    stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.expect("a first part");
    let begun = Instant::now();
    while stream.write_all(b"x").await.is_ok() {
        assert!(begun.elapsed() < SOON, "the connection is still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_resting_connection_is_closed_after_a_while_and_not_before() {
    let served = serve(quick(), None).await;
    let mut stream = TcpStream::connect(served.address).await.expect("a listener");
    let mut seen = [0; 4096];
    for _ in 0..2 {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("still open");
        assert!(stream.read(&mut seen).await.expect("an answer") > 0);
        tokio::time::sleep(Duration::from_millis(350)).await;
    }
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test]
async fn a_header_flood_is_refused() {
    let served = serve(quick(), None).await;
    let many = "X-A: b\r\n".repeat(200);
    let large = format!("X-A: {}\r\n", "b".repeat(64 * 1024));
    let endless = "X".repeat(256 * 1024);
    for flood in [many, large, endless] {
        let answer = talk(served.address, &format!("GET / HTTP/1.1\r\nHost: x\r\n{flood}\r\n")).await;
        // The answer is lost where the client was still sending when the connection closed.
        let line = status_line(&answer);
        assert!(
            line.is_empty() || line.starts_with("HTTP/1.1 431") || line.starts_with("HTTP/1.1 400"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_a_slow_one_408() {
    let settings = EdgeSettings {
        max_body: 1000,
        ..quick()
    };
    let served = serve(settings, None).await;
    let post =
        |head: &str, body: &str| format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n{body}");
    let fits = talk(served.address, &post("Content-Length: 1000", &"x".repeat(1000))).await;
    assert_eq!(status_line(&fits), "HTTP/1.1 200 OK");
    let declared = talk(served.address, &post("Content-Length: 1001", &"x".repeat(1001))).await;
    assert_eq!(status_line(&declared), "HTTP/1.1 413 Payload Too Large");
    let chunked = post(
        "Transfer-Encoding: chunked",
        &format!("{:x}\r\n{}\r\n0\r\n\r\n", 5000, "x".repeat(5000)),
    );
    assert_eq!(
        status_line(&talk(served.address, &chunked).await),
        "HTTP/1.1 413 Payload Too Large"
    );
    let asks = talk(
        served.address,
        &post("Expect: 100-continue\r\nContent-Length: 999999", ""),
    )
    .await;
    assert_eq!(
        status_line(&asks),
        "HTTP/1.1 413 Payload Too Large",
        "told before it sends"
    );
    let slow = talk(served.address, &post("Content-Length: 100", "only this")).await;
    assert_eq!(status_line(&slow), "HTTP/1.1 408 Request Timeout");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503() {
    let served = serve(quick(), None).await;
    let answer = talk(
        served.address,
        "GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(status_line(&answer), "HTTP/1.1 503 Service Unavailable");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let settings = EdgeSettings {
        max_connections: 1,
        ..quick()
    };
    let served = serve(settings, None).await;
    let first = TcpStream::connect(served.address).await.expect("a listener");
    let begun = Instant::now();
    let answer = talk(served.address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
    assert!(
        begun.elapsed() >= Duration::from_millis(250),
        "the first, silent one held the place"
    );
    drop(first);
}
