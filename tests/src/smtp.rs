//! A mail server that keeps what it is sent.

mod mail;
mod talk;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

pub use mail::Mail;

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes every mail.
    Up,
    /// It closes every connection at once.
    Down,
    /// It answers 451 to every recipient.
    Deferring,
    /// It answers 550 to every recipient.
    Refusing,
}

/// How its connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    None,
    StartTls,
    Implicit,
}

/// What all connections share.
struct Sink {
    protection: Protection,
    tls: Option<TlsAcceptor>,
    /// Login and password that a client must have; `None` for everybody.
    account: Option<(String, String)>,
    mood: Mutex<Mood>,
    mails: mpsc::UnboundedSender<Mail>,
}

impl Sink {
    fn mood(&self) -> Mood {
        *self.mood.lock().expect("no panic while locked")
    }
}

/// A mail server on a free port of the loopback, which ends with this value.
pub struct SmtpSink {
    sink: Arc<Sink>,
    port: u16,
    certificate: String,
    mails: mpsc::UnboundedReceiver<Mail>,
    /// Its own, so that it answers a server while a test waits for that server's log.
    runtime: Option<Runtime>,
}

impl SmtpSink {
    /// Without TLS, for everybody.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start() -> Self {
        Self::with(Protection::None, None)
    }

    /// With STARTTLS, for this user alone.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start_with_starttls(login: &str, password: &str) -> Self {
        Self::with(Protection::StartTls, Some((login.to_owned(), password.to_owned())))
    }

    /// With TLS from the first byte, for this user alone.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start_with_tls(login: &str, password: &str) -> Self {
        Self::with(Protection::Implicit, Some((login.to_owned(), password.to_owned())))
    }

    fn with(protection: Protection, account: Option<(String, String)>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let port = listener.local_addr().expect("an address").port();
        let (acceptor, certificate) = acceptor();
        let (sender, mails) = mpsc::unbounded_channel();
        let sink = Arc::new(Sink {
            protection,
            tls: (protection != Protection::None).then_some(acceptor),
            account,
            mood: Mutex::new(Mood::Up),
            mails: sender,
        });
        runtime.spawn(accept(listener, Arc::clone(&sink)));
        Self {
            sink,
            port,
            certificate,
            mails,
            runtime: Some(runtime),
        }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that it shows, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Behaves otherwise from now on, with connections that are open as far as recipients are concerned.
    ///
    /// # Panics
    /// If a connection panicked.
    pub fn set_mood(&self, mood: Mood) {
        *self.sink.mood.lock().expect("no panic while locked") = mood;
    }

    /// Waits for the next mail.
    ///
    /// # Panics
    /// If none comes within 30 seconds.
    pub async fn next(&mut self) -> Mail {
        let next = tokio::time::timeout(Duration::from_secs(30), self.mails.recv());
        next.await.expect("a mail in time").expect("the sink runs")
    }

    /// What came and was not looked at.
    pub fn rest(&mut self) -> Vec<Mail> {
        std::iter::from_fn(|| self.mails.try_recv().ok()).collect()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        // A test may end within another runtime, where to wait for this one is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: std::net::TcpListener, sink: Arc<Sink>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let sink = Arc::clone(&sink);
        // A client that breaks off is no fault of the sink's.
        tokio::spawn(async move { drop(talk::serve(stream, &sink).await) });
    }
}

fn acceptor() -> (TlsAcceptor, String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("a configuration");
    (TlsAcceptor::from(Arc::new(config)), own.cert.pem())
}
