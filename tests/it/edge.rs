//! What stands between the network and the dialects: TLS, limits, slow and rude clients, liveness.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use keyway_tests::TestHost;
use keyway_tests::wazo::send;
use nix::sys::signal::Signal;
use reqwest::{Method, Version};
use serde_json::json;

const SHORT_TIMEOUTS: &str =
    "[http]\nheader_timeout = \"1s\"\nbody_timeout = \"1s\"\nrequest_timeout = \"5s\"\nidle_timeout = \"2s\"";

/// Writes to the server and reads until it closes the connection, for 15 seconds at the most.
fn converse(host: &TestHost, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(host.address()).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(15)))
        .expect("a timeout");
    // The server may close while this is being written, which is what some of these tests are about.
    let _ = stream.write_all(text);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("the connection is still open: {error}"),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_client_that_never_finishes_is_closed() {
    let host = TestHost::builder()
        .config(SHORT_TIMEOUTS)
        .user("alice", "s3cre7")
        .start();
    let silent = converse(&host, b"");
    assert!(silent.is_empty() || silent.starts_with("HTTP/1.1 408"), "{silent}");
    let half_header = converse(&host, b"POST /0.1/token HTTP/1.1\r\nHost: x\r\nX-Half: ");
    assert!(
        half_header.is_empty() || half_header.starts_with("HTTP/1.1 408"),
        "{half_header}"
    );
    let half_body = converse(
        &host,
        b"POST /0.1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    );
    assert!(
        half_body.is_empty() || half_body.starts_with("HTTP/1.1 408"),
        "{half_body}"
    );
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_flood_of_headers_is_closed() {
    let host = TestHost::builder()
        .config(SHORT_TIMEOUTS)
        .user("alice", "s3cre7")
        .start();
    let one_long = format!(
        "GET /0.1/backends HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "x".repeat(4 * 1024 * 1024)
    );
    let mut many = String::from("GET /0.1/backends HTTP/1.1\r\nHost: x\r\n");
    for n in 0..20_000 {
        many.extend(["X-", &n.to_string(), ": y\r\n"]);
    }
    many.push_str("\r\n");
    for flood in [one_long, many] {
        let answer = converse(&host, flood.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}

#[tokio::test]
async fn nonsense_is_400_or_closed() {
    let host = TestHost::builder().config(SHORT_TIMEOUTS).start();
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
    ] {
        let answer = converse(&host, nonsense);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

/// A body that is small and would be deep: each text in it is JSON again for whoever takes `serde_json`'s private key for one.
fn nested_in_texts() -> String {
    let (open, close) = ("[".repeat(120), "]".repeat(120));
    let mut body = "1".to_owned();
    for _ in 0..150 {
        let text = body.replace('\\', "\\u005c").replace('"', "\\u0022");
        body = format!("{open}{{\"$serde_json::private::RawValue\":\"{text}\"}}{close}");
    }
    format!("{{\"data\":{body}}}")
}

#[tokio::test]
async fn no_body_exhausts_the_stack() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let body = nested_in_texts();
    for (method, path) in [
        (Method::POST, "/0.1/token"),
        (Method::POST, "/0.1/users/register"),
        (Method::POST, "/keyway/v1/password"),
        (Method::POST, "/auth"),
        (Method::PUT, "/v2/user_auth"),
        (Method::GET, "/v2/nothing"),
        (Method::POST, "/login"),
    ] {
        let request = reqwest::Client::new().request(method, host.url(path));
        let request = request.header("Content-Type", "application/json").body(body.clone());
        let answer = request.send().await.expect(path);
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
    }
}

#[tokio::test]
async fn tls_speaks_both_versions_of_http() {
    let host = TestHost::builder().tls().user("alice", "s3cre7").start();
    for (build, version) in [
        (reqwest::Client::builder().http1_only(), Version::HTTP_11),
        (reqwest::Client::builder(), Version::HTTP_2),
    ] {
        let client = build
            .tls_danger_accept_invalid_certs(true)
            .no_proxy()
            .build()
            .expect("a client");
        let answer = client.get(host.url("/0.1/backends")).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    }
    let plain = converse(&host, b"GET /0.1/backends HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!plain.contains("wazo_user"), "plain HTTP on a TLS port: {plain}");
}

#[tokio::test]
async fn livez_and_readyz_answer_on_every_listener() {
    let host = TestHost::builder()
        .config("[[listen]]\naddress = \"127.0.0.1:0\"\ndialects = []")
        .start();
    let second = host.log().wait_for(0, "a second listener", |line| {
        let address = line["address"].as_str().or(line["fields"]["address"].as_str())?;
        (address != host.address() && address.starts_with("127.0.0.1")).then(|| address.to_owned())
    });
    let wazo = host.wazo();
    for address in [host.address(), second.as_str()] {
        for path in ["/livez", "/readyz"] {
            let answer = send(wazo.at(format!("http://{address}")).request(Method::GET, path)).await;
            assert_eq!(answer.status, 200, "{address}{path}");
        }
    }
    let token = send(
        wazo.at(format!("http://{second}"))
            .request(Method::GET, "/0.1/backends"),
    )
    .await;
    assert_eq!(token.status, 404, "a listener serves the dialects that it lists");
}

#[tokio::test]
async fn the_client_address_comes_from_trusted_proxies_only() {
    let trusting = TestHost::builder()
        .config("[http]\ntrusted_proxies = [\"127.0.0.0/8\"]")
        .user("alice", "s3cre7")
        .start();
    let wary = TestHost::builder().user("alice", "s3cre7").start();
    for (host, address) in [(&trusting, "192.0.2.7"), (&wary, "127.0.0.1")] {
        let post = host
            .wazo()
            .request(Method::POST, "/token")
            .basic_auth("alice", Some("s3cre7"))
            .json(&json!({}));
        let answer = send(post.header("x-forwarded-for", "203.0.113.9, 192.0.2.7")).await;
        assert_eq!(answer.body["data"]["remote_addr"], address);
    }
}

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let host = TestHost::builder().start();
    let get = || host.wazo().request(Method::GET, "/backends");
    let given = send(get().header("x-request-id", "abc-123")).await;
    assert_eq!(given.headers["x-request-id"], "abc-123");
    let rude = send(get().header("x-request-id", "x y\tz")).await;
    assert_ne!(rude.headers["x-request-id"], "x y\tz");
}

#[tokio::test]
async fn no_log_line_holds_a_token_or_a_password() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let wazo = host.wazo();
    let token = wazo.token("wazo_user", "alice", "s3cre7").await;
    wazo.check(&token, "?scope=a").await;
    wazo.get(&token, "").await;
    wazo.login("alice", "another-secret", json!({})).await;
    wazo.login("typed-into-the-wrong-field", "x", json!({})).await;
    wazo.revoke(&token).await;
    let log = host.log().text();
    for secret in [
        token.as_str(),
        "s3cre7",
        "another-secret",
        "YWxpY2U6czNjcmU3",
        "$argon2",
        "typed-into-the-wrong-field",
    ] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    assert!(log.contains("/token/{"), "routes are logged by their templates: {log}");
}

#[test]
fn a_certificate_is_replaced_without_a_restart() {
    let pair = |host: &TestHost| {
        ["crt", "key"].map(|kind| {
            std::fs::read(host.folder().join(format!("var/self-signed.{kind}"))).expect("a self-signed certificate")
        })
    };
    let (first, second) = (TestHost::bare().tls().start(), TestHost::bare().tls().start());
    let (old, new) = (pair(&first), pair(&second));
    let host = TestHost::bare()
        .tls_from("cert.pem", "key.pem")
        .file("cert.pem", &old[0])
        .file("key.pem", &old[1])
        .start();
    assert_eq!(certificate(&host), certificate(&first));
    std::fs::write(host.folder().join("cert.pem"), &new[0]).expect("a certificate");
    std::fs::write(host.folder().join("key.pem"), &new[1]).expect("a key");
    host.signal(Signal::SIGHUP);
    let deadline = Instant::now() + Duration::from_secs(20);
    while certificate(&host) != certificate(&second) {
        assert!(Instant::now() < deadline, "the new certificate is not served");
    }
}

/// The certificate that the server presents, in DER.
fn certificate(host: &TestHost) -> Vec<u8> {
    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    #[derive(Debug)]
    struct AnyCertificate;
    impl ServerCertVerifier for AnyCertificate {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            rustls::crypto::ring::default_provider()
                .signature_verification_algorithms
                .supported_schemes()
        }
    }

    let config = rustls::ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut socket = TcpStream::connect(host.address()).expect("a connection");
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).expect("a handshake");
    }
    connection.peer_certificates().expect("a certificate")[0].to_vec()
}
