//! Many clients that each stay within the limits, and send what they announced never.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::select_all;
use futures::stream::BoxStream;
use http::{Request, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::{Edge, EdgeSettings};
use super::{SOON, quick, serve, serve_at, status_line, talk};

/// The largest body, of which three and no fourth fit into the budget.
const BODY: usize = 64 * 1024;

/// A budget for three stalled bodies, and limits in time that play no part.
fn narrow() -> EdgeSettings {
    EdgeSettings {
        max_body: BODY,
        max_buffered: 4 * BODY,
        max_head: 8 * 1024,
        body_timeout: 3 * SOON,
        request_timeout: 3 * SOON,
        ..quick()
    }
}

/// An HTTP/2 client; its bodies begin, and never end.
struct Stalling(SendRequest<StreamBody<Stalled>>);

type Stalled = BoxStream<'static, Result<Frame<Bytes>, Infallible>>;

impl Stalling {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a listener");
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Posts all but the last byte of a body.
    async fn post(&self) -> Response<Incoming> {
        let most = futures::stream::iter([Ok(Frame::data(Bytes::from(vec![b'x'; BODY - 1])))]);
        let body: Stalled = most.chain(futures::stream::pending()).boxed();
        let request = Request::post("http://localhost/echo")
            .body(StreamBody::new(body))
            .expect("a request");
        self.0.clone().send_request(request).await.expect("an answer")
    }
}

fn post(length: usize, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_503_until_others_are_gone() {
    let edge = Edge::new(narrow());
    let (served, other) = (
        serve_at(edge.clone(), None, Arc::default()).await,
        serve_at(edge, None, Arc::default()).await,
    );
    let clients = [
        Stalling::connect(served.address).await,
        Stalling::connect(other.address).await,
    ];
    let mut posts: Vec<_> = clients
        .iter()
        .chain(&clients)
        .map(|client| Box::pin(client.post()))
        .collect();
    let one_too_many = tokio::time::timeout(SOON, select_all(posts.iter_mut())).await;
    let (answer, index, _) = one_too_many.expect("the budget is that of all listeners");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    drop(posts.remove(index));

    let part = "x".repeat(BODY / 2 + BODY / 4);
    let answer = talk(served.address, &post(BODY, &part)).await;
    assert_eq!(
        status_line(&answer),
        "HTTP/1.1 503 Service Unavailable",
        "the rest is not waited for"
    );
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    let answer = talk(served.address, &post(5, "small")).await;
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK", "what fits is taken");

    drop(posts);
    let whole = post(BODY, &"x".repeat(BODY));
    tokio::time::timeout(SOON, async {
        // The server hears of it a moment later.
        while status_line(&talk(served.address, &whole).await) != "HTTP/1.1 200 OK" {}
    })
    .await
    .expect("what went away leaves its place to others");
}

/// An HTTP/2 frame: its type and its payload.
async fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.expect("a frame");
    let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut payload).await.expect("a whole frame");
    (head[3], payload)
}

#[tokio::test]
async fn an_http2_client_may_send_little_that_nobody_has_asked_for() {
    let served = serve(quick(), None).await;
    let mut stream = TcpStream::connect(served.address).await.expect("a listener");
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .expect("open");
    // The types of RFC 9113, 6.
    let (kind, settings) = frame(&mut stream).await;
    assert_eq!(kind, 4);
    let window = loop {
        if let (8, window) = frame(&mut stream).await {
            break window;
        }
    };
    let wanted = |id: u8| {
        let entry = settings
            .chunks(6)
            .find(|entry| entry[..2] == [0, id])
            .expect("it is set");
        u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]])
    };
    let limits = quick();
    assert_eq!(wanted(3), limits.max_streams, "streams");
    assert_eq!(wanted(4), 64 * 1024, "bytes of one stream");
    assert_eq!(Ok(wanted(6)), u32::try_from(limits.max_head), "bytes of a header list");
    let more = u32::from_be_bytes(window.try_into().expect("four bytes"));
    assert_eq!(more + 65_535, 256 * 1024, "bytes of all streams of a connection");
}
