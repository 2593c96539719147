//! The way to the mail server.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::{Encryption, MailServer, SettingsError};

/// How long a connection without a mail is kept.
const IDLE: Duration = Duration::from_secs(15);

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// The server cannot be reached, or spoken with: no mail can be sent now.
    Unreachable(String),
    /// The server does not take this mail now (4yz).
    Deferred(String),
    /// The server never takes this mail (5yz).
    Refused(String),
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(reason) => f.write_str(reason),
            Self::Deferred(code) | Self::Refused(code) => write!(f, "the mail server answers {code}"),
        }
    }
}

/// Hands mails over. A trait, so that the queue's rules can be tested without a network.
#[async_trait]
pub(crate) trait Carrier: Send + Sync {
    async fn carry(&self, mail: Message) -> Result<(), Undelivered>;
}

/// SMTP, over a pool of connections.
pub(crate) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    timeout: Duration,
}

impl Smtp {
    /// Connects to nothing yet.
    pub(crate) fn new(server: &MailServer) -> Result<Self, SettingsError> {
        let pool = PoolConfig::new().max_size(server.connections).idle_timeout(IDLE);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls(server)?)
            .hello_name(hello(&server.hello))
            .timeout(Some(server.timeout))
            .pool_config(pool);
        if let Some(account) = &server.account {
            let password = account.password.expose().clone();
            builder = builder.credentials(Credentials::new(account.user.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            timeout: server.timeout,
        })
    }
}

#[async_trait]
impl Carrier for Smtp {
    async fn carry(&self, mail: Message) -> Result<(), Undelivered> {
        let plain = mail.envelope().to().iter().all(|to| to.to_string().is_ascii());
        match tokio::time::timeout(self.timeout, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            // The library finds out by itself that the server lacks SMTPUTF8. That is about this mail, and no reason to hold others back.
            Ok(Err(error)) if error.is_client() && !plain => Err(Undelivered::Refused("no to SMTPUTF8".to_owned())),
            Ok(Err(error)) => Err(undelivered(&error)),
            Err(_) => Err(Undelivered::Unreachable("it took too long".to_owned())),
        }
    }
}

/// Of what a server answers, its code alone: its words may repeat the mail.
fn undelivered(error: &Error) -> Undelivered {
    match error.status().map(|code| code.to_string()) {
        // 421 is the server's end, and 53z is about the account (RFC 4954): neither is about this mail.
        Some(code) if code == "421" || code.starts_with("53") => {
            Undelivered::Unreachable(format!("the mail server answers {code}"))
        }
        Some(code) if error.is_permanent() => Undelivered::Refused(code),
        Some(code) => Undelivered::Deferred(code),
        None if error.is_response() => Undelivered::Unreachable("its answer is no SMTP".to_owned()),
        None => Undelivered::Unreachable(error.to_string()),
    }
}

fn tls(server: &MailServer) -> Result<Tls, SettingsError> {
    if server.encryption == Encryption::None {
        return Ok(Tls::None);
    }
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(pem) = &server.authorities {
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authorities(pem)?);
    }
    let parameters = builder.build_rustls().map_err(|_| SettingsError::Authorities)?;
    Ok(match server.encryption {
        Encryption::Implicit => Tls::Wrapper(parameters),
        Encryption::None | Encryption::StartTls => Tls::Required(parameters),
    })
}

/// The certificates of a PEM file, at least one.
pub(crate) fn authorities(pem: &[u8]) -> Result<Certificate, SettingsError> {
    const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";
    if !pem.windows(MARK.len()).any(|window| window == MARK) {
        return Err(SettingsError::Authorities);
    }
    Certificate::from_pem(pem).map_err(|_| SettingsError::Authorities)
}

fn hello(name: &str) -> ClientId {
    match name.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(name.to_owned()),
    }
}
