//! Endpoints against real sockets on the loopback, with certificates made for the run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::pool::Pool;
use super::{AddressPolicy, Balance, Endpoint, EndpointSpec, NetError, Protection, Server, TlsFault, TlsSpec};
use crate::trace::Trace;

fn server(port: u16) -> Server {
    Server {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn plain(servers: Vec<Server>) -> EndpointSpec {
    EndpointSpec {
        connect_timeout: Duration::from_secs(5),
        ..EndpointSpec::new(servers, Protection::None)
    }
}

/// A server that says its name, then repeats what it hears.
async fn echo(name: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.write_all(name.as_bytes()).await;
                let mut bytes = [0; 64];
                while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                    let _ = stream.write_all(&bytes[..count]).await;
                }
            });
        }
    });
    port
}

/// A port on which nobody listens.
async fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

async fn greeting(endpoint: &Endpoint) -> String {
    let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
    String::from_utf8(connection.read(64).await.unwrap()).unwrap()
}

#[tokio::test]
async fn bytes_go_both_ways() {
    let endpoint = Endpoint::new(plain(vec![server(echo("a").await)]));
    let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
    assert_eq!(connection.read(64).await.unwrap(), b"a");
    connection.write(b"hello").await.unwrap();
    assert_eq!(connection.read(64).await.unwrap(), b"hello");
}

#[tokio::test]
async fn servers_are_asked_in_order_or_in_turn_and_a_dead_one_last() {
    let (a, b, dead) = (echo("a").await, echo("b").await, nobody().await);
    let endpoint = Endpoint::new(plain(vec![server(dead), server(a), server(b)]));
    for _ in 0..3 {
        assert_eq!(greeting(&endpoint).await, "a");
    }
    assert_eq!(endpoint.order(), [1, 2, 0]);
    let endpoint = Endpoint::new(EndpointSpec {
        balance: Balance::RoundRobin,
        ..plain(vec![server(a), server(b)])
    });
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(greeting(&endpoint).await);
    }
    assert_eq!(heard, ["a", "b", "a", "b"]);
}

#[tokio::test]
async fn each_failure_says_what_it_is() {
    let dead = nobody().await;
    let error = Endpoint::new(plain(vec![server(dead)]))
        .connect(&Trace::default())
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Unreachable { .. }), "{error}");
    let nowhere = Server {
        host: "nobody.invalid".to_owned(),
        port: 1,
    };
    let error = Endpoint::new(plain(vec![nowhere]))
        .connect(&Trace::default())
        .await
        .unwrap_err();
    assert_eq!(error, NetError::Unresolved("nobody.invalid:1".to_owned()));
    let elsewhere = EndpointSpec {
        policy: AddressPolicy::allowing(["10.0.0.0/8"]).unwrap(),
        ..plain(vec![server(echo("a").await)])
    };
    let error = Endpoint::new(elsewhere).connect(&Trace::default()).await.unwrap_err();
    assert!(matches!(error, NetError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = Endpoint::new(EndpointSpec {
        io_timeout: Duration::from_millis(50),
        ..plain(vec![server(port)])
    });
    let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
    let error = connection.read(1).await.unwrap_err();
    assert_eq!(error, NetError::TimedOut(format!("127.0.0.1:{port}")));
}

/// A server that accepts, and then says nothing.
async fn mute() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_accepts_and_does_not_answer_is_asked_last_until_it_does() {
    let (silent, a) = (mute().await, echo("a").await);
    let spec = EndpointSpec {
        io_timeout: Duration::from_millis(400),
        ..plain(vec![server(silent), server(a)])
    };
    let endpoint = Endpoint::new(spec.clone());
    let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
    assert_eq!(endpoint.order(), [0, 1], "that it accepts says nothing yet");
    connection.read(1).await.unwrap_err();
    assert_eq!(endpoint.order(), [1, 0]);
    assert_eq!(greeting(&endpoint).await, "a");
    // A call whose time is up before the server's is.
    let endpoint = Endpoint::new(spec);
    let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
    let cut = tokio::time::timeout(Duration::from_millis(200), connection.read(1)).await;
    assert!(cut.is_err());
    assert_eq!(endpoint.order(), [1, 0]);
    // Accepting again is no answer.
    let endpoint = Endpoint::new(plain(vec![server(nobody().await), server(silent)]));
    endpoint.connect(&Trace::default()).await.unwrap();
    assert_eq!(endpoint.order(), [1, 0]);
}

#[tokio::test]
async fn a_connection_of_a_server_that_failed_is_not_taken_again() {
    let endpoint = Endpoint::new(EndpointSpec {
        io_timeout: Duration::from_millis(400),
        ..plain(vec![server(echo("a").await)])
    });
    for _ in 0..2 {
        let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
        connection.read(64).await.unwrap();
        endpoint.keep("bound".to_owned(), connection);
    }
    let mut connection = endpoint.resume("bound").unwrap();
    connection.read(1).await.unwrap_err();
    assert!(endpoint.resume("bound").is_none());
}

#[tokio::test]
async fn an_address_that_swallows_everything_leaves_time_for_the_next() {
    // A listener whose queue is full: what comes then is dropped.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(0).unwrap();
    let hole = full.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(hole)).await {
        held.push(stream);
    }
    let a = server(echo("a").await);
    let good = format!("127.0.0.1:{}", a.port).parse().unwrap();
    let endpoint = Endpoint::new(plain(vec![a.clone()]));
    let until = Instant::now() + Duration::from_secs(1);
    let dialled = endpoint.dial_any(&a, &[hole, good], until, &Trace::default()).await;
    assert_eq!(dialled.unwrap().peer_addr().unwrap(), good);
    assert!(Instant::now() < until);
}

#[tokio::test]
async fn a_kept_connection_is_taken_by_its_state_while_it_is_open_and_quiet() {
    let endpoint = Endpoint::new(plain(vec![server(echo("a").await)]));
    let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
    assert_eq!(connection.read(64).await.unwrap(), b"a");
    endpoint.keep("bound".to_owned(), connection);
    assert!(endpoint.resume("other").is_none());
    let mut connection = endpoint.resume("bound").unwrap();
    connection.write(b"x").await.unwrap();
    assert_eq!(connection.read(64).await.unwrap(), b"x");
    assert!(endpoint.resume("bound").is_none());
    // What was sent before it was kept comes back while it waits: it is not quiet.
    connection.write(b"late").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    endpoint.keep("bound".to_owned(), connection);
    assert!(endpoint.resume("bound").is_none());
}

#[tokio::test]
async fn a_connection_that_waits_is_closed_in_time_though_nobody_calls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = Endpoint::new(EndpointSpec {
        idle_timeout: Duration::from_millis(50),
        ..plain(vec![server(port)])
    });
    for _ in 0..2 {
        let connection = endpoint.connect(&Trace::default()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        endpoint.keep("bound".to_owned(), connection);
        let ended = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut [0])).await;
        assert_eq!(ended.unwrap().unwrap(), 0);
    }
}

#[tokio::test]
async fn a_connection_that_has_lived_for_long_is_not_taken_again() {
    let endpoint = Endpoint::new(plain(vec![server(mute().await)]));
    let minute = Duration::from_mins(1);
    for (oldest, is_taken) in [(minute, true), (Duration::ZERO, false)] {
        let pool = Pool::new(1, minute, oldest);
        pool.keep("bound".to_owned(), endpoint.connect(&Trace::default()).await.unwrap());
        assert_eq!(pool.take("bound").is_some(), is_taken);
    }
}

/// An authority and a server with a certificate of it.
struct House {
    ca: String,
    port: u16,
}

async fn tls_house(names: &[&str], ends: i32) -> House {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_after = rcgen::date_time_ymd(ends, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"a").await;
            }
        }
    });
    House { ca: issuer.pem(), port }
}

async fn tls_error(house: &House, ca: &str) -> NetError {
    let tls = Arc::new(TlsSpec::new(Some(ca.as_bytes()), None, None).unwrap());
    let spec = EndpointSpec {
        protection: Protection::Implicit(tls),
        ..plain(vec![server(house.port)])
    };
    Endpoint::new(spec).connect(&Trace::default()).await.unwrap_err()
}

fn is_fault(error: &NetError, expected: TlsFault) -> bool {
    matches!(error, NetError::Tls { fault, .. } if *fault == expected)
}

#[tokio::test]
async fn tls_is_done_with_who_is_trusted_and_nobody_else() {
    let house = tls_house(&["127.0.0.1"], 4000).await;
    let tls = Arc::new(TlsSpec::new(Some(house.ca.as_bytes()), None, None).unwrap());
    for protection in [Protection::Implicit(Arc::clone(&tls)), Protection::StartTls(tls)] {
        let begins = matches!(protection, Protection::StartTls(_));
        let endpoint = Endpoint::new(EndpointSpec {
            protection,
            ..plain(vec![server(house.port)])
        });
        let mut connection = endpoint.connect(&Trace::default()).await.unwrap();
        if begins {
            connection.start_tls(&Trace::default()).await.unwrap();
        }
        assert_eq!(connection.read(64).await.unwrap(), b"a");
        connection.start_tls(&Trace::default()).await.unwrap_err();
    }
    let other = tls_house(&["127.0.0.1"], 4000).await;
    let error = tls_error(&house, &other.ca).await;
    assert!(is_fault(&error, TlsFault::UnknownIssuer), "{error}");
    let house = tls_house(&["ldap.example.org"], 4000).await;
    let error = tls_error(&house, &house.ca).await;
    assert!(is_fault(&error, TlsFault::WrongName), "{error}");
    let house = tls_house(&["127.0.0.1"], 2001).await;
    let error = tls_error(&house, &house.ca).await;
    assert!(is_fault(&error, TlsFault::Expired), "{error}");
    let speaks_none = House {
        ca: house.ca,
        port: echo("a").await,
    };
    let error = tls_error(&speaks_none, &speaks_none.ca).await;
    assert!(is_fault(&error, TlsFault::Handshake), "{error}");
}

#[test]
fn what_is_no_certificate_is_refused() {
    for (ca, client) in [
        (Some(b"nothing".as_slice()), None),
        (Some(b"".as_slice()), None),
        (None, Some((b"x".as_slice(), b"y".as_slice()))),
    ] {
        TlsSpec::new(ca, client, None).unwrap_err();
    }
}
