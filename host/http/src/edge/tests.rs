//! Listeners under good and bad clients, over real sockets on free ports.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::{
    Call, Drained, EdgeSettings, ListenError, Listener, Payload, PayloadError, Stop, Tls, TlsFiles, self_signed,
};
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

fn router(gate: Arc<Gate>) -> Router {
    Router::new()
        .route(
            "/",
            get(|call: Call| async move { call.client().map(|client| client.to_string()).unwrap_or_default() }),
        )
        .route(
            "/echo",
            post(|payload: Result<Payload, PayloadError>| async move { payload.map(|payload| payload.0) }),
        )
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
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), tls).expect("a free port");
    let address = listener.address().expect("a TCP address");
    let stop = Stop::new();
    let state = TestState::new().await.state;
    let ended = tokio::spawn(listener.serve(router(gate), state, settings, stop.clone()));
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
    tokio::spawn(listener.serve(Router::new(), house.state.clone(), quick(), Stop::new()));
    house.store.set_down(true);
    let answer = talk(address, "HEAD /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status_line(&answer), "HTTP/1.1 503 Service Unavailable");
    let answer = talk(address, "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
}

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

fn connector(files: &TlsFiles, alpn: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(&files.cert).expect("a certificate");
    roots
        .add(CertificateDer::from_pem_slice(&pem).expect("PEM"))
        .expect("an anchor");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("defaults")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

async fn connect(address: SocketAddr, files: &TlsFiles, alpn: &[&str]) -> std::io::Result<TlsStream> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    connector(files, alpn).connect(name, stream).await
}

#[tokio::test]
async fn tls_speaks_http1_and_http2_by_negotiation() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = self_signed(folder.path()).expect("a certificate");
    let served = serve(quick(), Some(Tls::load(files.clone()).expect("TLS"))).await;

    let stream = connect(served.address, &files, &["h2"]).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let request = Request::get("https://localhost/")
        .body(Empty::<bytes::Bytes>::new())
        .expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, http::Version::HTTP_2)
    );
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(body, "127.0.0.1");

    let mut stream = connect(served.address, &files, &["http/1.1"])
        .await
        .expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = self_signed(folder.path()).expect("a certificate");
    let served = serve(quick(), Some(Tls::load(files).expect("TLS"))).await;
    assert_eq!(talk(served.address, "").await, "");
    // Plain HTTP gets an alert at the most, and certainly no answer.
    let answer = talk(served.address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!answer.contains("HTTP/1.1"), "{answer:?}");
}

fn put_certificate(folder: &Path) -> TlsFiles {
    let fresh = tempfile::tempdir().expect("a folder");
    let made = self_signed(fresh.path()).expect("a certificate");
    let files = TlsFiles {
        cert: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::copy(made.cert, &files.cert).expect("a copy");
    std::fs::copy(made.key, &files.key).expect("a copy");
    files
}

#[tokio::test]
async fn certificates_are_replaced_without_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = put_certificate(folder.path());
    let tls = Tls::load(files.clone()).expect("TLS");
    let served = serve(quick(), Some(tls.clone())).await;
    let mut old = connect(served.address, &files, &[])
        .await
        .expect("the first certificate");
    assert!(!tls.reload().expect("nothing new"), "nothing new");

    put_certificate(folder.path());
    assert!(
        connect(served.address, &files, &[]).await.is_err(),
        "the first certificate is still served"
    );
    assert!(tls.reload().expect("a new certificate"));
    connect(served.address, &files, &[])
        .await
        .expect("the second certificate");

    old.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("still open");
    let mut answer = String::new();
    old.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(
        status_line(&answer),
        "HTTP/1.1 200 OK",
        "connections outlive their certificate"
    );
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_its_key_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = put_certificate(folder.path());
    let tls = Tls::load(files.clone()).expect("TLS");
    let served = serve(quick(), Some(tls.clone())).await;
    let trusted = tempfile::tempdir().expect("a folder");
    let first = TlsFiles {
        cert: trusted.path().join("cert.pem"),
        key: files.key.clone(),
    };
    std::fs::copy(&files.cert, &first.cert).expect("a copy");

    let other = tempfile::tempdir().expect("a folder");
    std::fs::copy(put_certificate(other.path()).cert, &files.cert).expect("a copy");
    let error = tls.reload().expect_err("the key is another's");
    assert!(error.to_string().contains("cert.pem"), "{error}");
    std::fs::write(&files.cert, "no certificate").expect("a file");
    let error = tls.reload().expect_err("no certificate");
    assert!(error.to_string().ends_with("cert.pem` holds no certificate"), "{error}");
    connect(served.address, &first, &[])
        .await
        .expect("the first certificate still serves");
}

#[tokio::test]
async fn certificates_are_watched() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = put_certificate(folder.path());
    let tls = Tls::load(files.clone()).expect("TLS");
    let served = serve(quick(), Some(tls.clone())).await;
    let watching = tls.clone();
    let stop = Stop::new();
    let watched = tokio::spawn({
        let stop = stop.clone();
        async move { watching.watch(Duration::from_millis(20), stop).await }
    });
    put_certificate(folder.path());
    let begun = Instant::now();
    while connect(served.address, &files, &[]).await.is_err() {
        assert!(begun.elapsed() < SOON, "the new certificate is never served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.trigger();
    watched.await.expect("no panic");
}

#[test]
fn the_self_signed_key_is_private_and_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let files = self_signed(folder.path()).expect("a certificate");
    let mode = std::fs::metadata(&files.key).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&files.cert).expect("a file");
    assert_eq!(self_signed(folder.path()).expect("the same"), files);
    assert_eq!(std::fs::read(&files.cert).expect("a file"), before);
    let nowhere = self_signed(&folder.path().join("nowhere")).expect_err("no folder");
    assert!(nowhere.to_string().starts_with("cannot write `"), "{nowhere}");
}

#[tokio::test]
async fn the_admin_socket_is_private_and_replaces_only_what_is_dead() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    assert!(path.exists(), "a dead socket file is left");

    let listener = Listener::unix(&path).expect("a dead socket is replaced");
    let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stop = Stop::new();
    let state = TestState::new().await.state;
    let ended = tokio::spawn(listener.serve(Router::new(), state, quick(), stop.clone()));
    let mut stream = UnixStream::connect(&path).await.expect("a listener");
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
    assert!(matches!(Listener::unix(&path), Err(ListenError::InUse(_))));

    stop.trigger();
    assert_eq!(ended.await.expect("no panic"), Drained::Whole);
    assert!(!path.exists(), "the file goes with the listener");
    std::fs::write(&path, "precious").expect("a file");
    assert!(
        matches!(Listener::unix(&path), Err(ListenError::Bind { .. })),
        "what is no socket is left alone"
    );
}
