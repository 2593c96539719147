//! Listeners under good and bad clients, over real sockets on free ports.

mod budget;
mod limits;
mod shutdown;
mod tls;
mod unix;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{Call, Drained, Edge, EdgeSettings, Listener, Payload, PayloadError, Stop, Tls};
use crate::testing::TestState;

/// How long a test waits for what must come at once.
const SOON: Duration = Duration::from_secs(10);

struct Served {
    address: SocketAddr,
    stop: Stop,
    ended: JoinHandle<Drained>,
}

/// A route that tells when it is reached, and answers when it is told.
#[derive(Default)]
struct Gate {
    arrived: Notify,
    open: Notify,
}

fn quick() -> EdgeSettings {
    EdgeSettings {
        handshake_timeout: Duration::from_millis(300),
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        request_timeout: Duration::from_millis(600),
        idle_timeout: Duration::from_millis(600),
        shutdown_grace: Duration::from_secs(5),
        ..EdgeSettings::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the routes are a test's")]
fn router(gate: Arc<Gate>) -> Router {
    Router::new()
        .route(
            "/",
            get(|call: Call| async move { call.client().map(|client| client.to_string()).unwrap_or_default() }),
        )
        .route(
            "/echo",
            post(|payload: Result<Payload, PayloadError>| async move { payload.map(|payload| payload.to_vec()) }),
        )
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route("/panic", get(on_purpose))
        .route("/never", get(|| async { std::future::pending::<()>().await }))
        .route(
            "/gate",
            get(move || async move {
                gate.arrived.notify_one();
                gate.open.notified().await;
                "passed"
            }),
        )
}

async fn on_purpose() -> StatusCode {
    panic!("on purpose")
}

async fn serve(settings: EdgeSettings, tls: Option<Tls>) -> Served {
    serve_gated(settings, tls, Arc::default()).await
}

async fn serve_gated(settings: EdgeSettings, tls: Option<Tls>, gate: Arc<Gate>) -> Served {
    serve_at(Edge::new(settings), tls, gate).await
}

async fn serve_at(edge: Edge, tls: Option<Tls>, gate: Arc<Gate>) -> Served {
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), tls).expect("a free port");
    let address = listener.address().expect("a TCP address");
    let stop = Stop::new();
    let state = TestState::new().await.state;
    let ended = tokio::spawn(listener.serve(router(gate), state, edge, stop.clone()));
    Served { address, stop, ended }
}

/// Sends text and reads until the server closes.
async fn talk(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    // The server may close while a flood is still under way.
    let _ = stream.write_all(text.as_bytes()).await;
    read_all(&mut stream).await
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status_line(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default()
}

#[tokio::test]
async fn every_answer_carries_the_request_id() {
    let served = serve(quick(), None).await;
    let get = |extra: &str| format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{extra}\r\n");
    let answer = talk(served.address, &get("X-Request-ID: mine-1\r\n")).await;
    assert!(answer.contains("x-request-id: mine-1\r\n"), "{answer}");
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
    let answer = talk(served.address, &get("X-Request-ID: not mine\r\n")).await;
    assert!(answer.contains("x-request-id: "), "{answer}");
    assert!(!answer.contains("not mine"), "{answer}");
}

#[tokio::test]
async fn forwarded_for_is_believed_from_trusted_proxies_only() {
    let text = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n";
    let suspicious = serve(quick(), None).await;
    assert!(talk(suspicious.address, text).await.ends_with("\r\n127.0.0.1"));
    let settings = EdgeSettings {
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        ..quick()
    };
    let trusting = serve(settings, None).await;
    assert!(talk(trusting.address, text).await.ends_with("\r\n198.51.100.7"));
}

#[tokio::test]
async fn liveness_and_readiness_are_answered_on_every_listener() {
    let served = serve(quick(), None).await;
    for (path, ending) in [("/livez", "live\n"), ("/readyz", "ready\n")] {
        let answer = talk(
            served.address,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
        assert!(answer.ends_with(ending), "{answer}");
    }
    let answer = talk(
        served.address,
        "POST /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(status_line(&answer), "HTTP/1.1 405 Method Not Allowed");
}

#[tokio::test]
async fn readiness_ends_with_the_store() {
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), None).expect("a free port");
    let address = listener.address().expect("a TCP address");
    let house = TestState::new().await;
    tokio::spawn(listener.serve(Router::new(), house.state.clone(), Edge::new(quick()), Stop::new()));
    house.store.set_down(true);
    let answer = talk(address, "HEAD /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status_line(&answer), "HTTP/1.1 503 Service Unavailable");
    let answer = talk(address, "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_panic_is_500_and_the_server_goes_on() {
    let served = serve(quick(), None).await;
    let answer = talk(
        served.address,
        "GET /panic HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(status_line(&answer), "HTTP/1.1 500 Internal Server Error");
    assert!(answer.ends_with(r#"{"message":"Internal Server Error"}"#), "{answer}");
    let answer = talk(served.address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn no_content_has_no_length() {
    let served = serve(quick(), None).await;
    for method in ["GET", "HEAD"] {
        let answer = talk(
            served.address,
            &format!("{method} /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert_eq!(status_line(&answer), "HTTP/1.1 204 No Content");
        assert!(!answer.contains("content-length"), "{answer}");
    }
}
