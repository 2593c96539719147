//! Certificates and what is negotiated with them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::super::tls::News;
use super::super::{Stop, Tls, TlsFiles, self_signed};
use super::{SOON, quick, serve, status_line, talk};

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
fn files_that_cannot_be_read_are_told_once_for_each_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = put_certificate(folder.path());
    let tls = Tls::load(files.clone()).expect("TLS");
    let mut seen = tls.seen();
    assert!(tls.look(&mut seen).is_none(), "nothing changed");

    let away = folder.path().join("away");
    std::fs::rename(&files.key, &away).expect("a rename");
    let Some(News::Unreadable(reason)) = tls.look(&mut seen) else {
        panic!("the key is gone");
    };
    assert!(reason.contains("key.pem`: No such file"), "{reason}");
    assert!(tls.look(&mut seen).is_none(), "it is known");
    std::fs::create_dir(&files.key).expect("a folder");
    let Some(News::Unreadable(reason)) = tls.look(&mut seen) else {
        panic!("another reason");
    };
    assert!(reason.contains("key.pem`: Is a directory"), "{reason}");

    std::fs::remove_dir(&files.key).expect("an empty folder");
    std::fs::rename(&away, &files.key).expect("a rename");
    assert!(matches!(tls.look(&mut seen), Some(News::Back)));
    assert!(tls.look(&mut seen).is_none(), "it is known");
    std::fs::rename(&files.cert, &away).expect("a rename");
    assert!(
        matches!(tls.look(&mut seen), Some(News::Unreadable(_))),
        "the other file"
    );
    put_certificate(folder.path());
    assert!(matches!(tls.look(&mut seen), Some(News::Replaced)));
    assert!(tls.look(&mut seen).is_none(), "it is known");
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
