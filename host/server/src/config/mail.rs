//! `[mail]`: the server that takes mails, from whom they are, where their links lead, and the operator's own templates.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use http::Uri;
use keyway_core::notice::MailLimit;
use keyway_http::dialect::wazo::mail_links;
use keyway_mail::{Account, Encryption, MailServer, MailSettings, Retry, SenderAddress, TemplateError, Templates};
use serde::Deserialize;
use toml::Spanned;

use super::error::{ConfigError, Location};
use super::password::within;
use super::quantity::Span;
use super::secret::RawSecret;
use super::source::Source;

const TIMEOUT: Duration = Duration::from_secs(30);

/// `[mail]` as typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    base_url: Spanned<String>,
    host: Spanned<String>,
    port: Option<Spanned<u16>>,
    #[serde(default)]
    tls: RawTls,
    ca: Option<Spanned<String>>,
    user: Option<Spanned<String>>,
    password: Option<Spanned<RawSecret>>,
    from: Spanned<RawSender>,
    password_reset_from: Option<Spanned<RawSender>>,
    email_confirmation_from: Option<Spanned<RawSender>>,
    templates: Option<Spanned<String>>,
    timeout: Option<Spanned<Span>>,
    connections: Option<Spanned<u32>>,
    queue: Option<Spanned<u32>>,
    #[serde(default)]
    retry: RawRetry,
    #[serde(default)]
    limit: RawLimit,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawTls {
    None,
    #[default]
    StartTls,
    Implicit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSender {
    #[serde(default)]
    name: String,
    address: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRetry {
    first: Option<Spanned<Span>>,
    longest: Option<Spanned<Span>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimit {
    burst: Option<Spanned<u32>>,
    interval: Option<Span>,
}

/// Mails, and the pages that their links lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailConfig {
    /// How mails leave; `None` where none do.
    pub(crate) settings: Option<MailSettings>,
    /// How many go to one user, and to one address.
    pub(crate) limit: MailLimit,
    /// What they say, and what the pages say.
    pub(crate) templates: Templates,
}

impl RawMail {
    pub(super) fn check(raw: Option<&Self>, source: &Source) -> Result<MailConfig, ConfigError> {
        let Some(raw) = raw else {
            return Ok(MailConfig {
                settings: None,
                limit: MailLimit::default(),
                templates: Templates::built_in().map_err(|error| template_error(error, 0..0, source))?,
            });
        };
        Ok(MailConfig {
            settings: Some(raw.settings(source)?),
            limit: raw.limit.check(source)?,
            templates: raw.templates(source)?,
        })
    }

    fn settings(&self, source: &Source) -> Result<MailSettings, ConfigError> {
        let (base_url, host) = check_base_url(&self.base_url, source)?;
        let sender = |raw: &Option<Spanned<RawSender>>| check_sender(raw.as_ref().unwrap_or(&self.from), source);
        let capacity = within(self.queue.as_ref(), 1..=100_000, source)?.unwrap_or(1000);
        Ok(MailSettings {
            server: self.server(host, source)?,
            password_reset_from: sender(&self.password_reset_from)?,
            email_confirmation_from: sender(&self.email_confirmation_from)?,
            links: mail_links(&base_url),
            base_url,
            capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
            retry: self.retry.check(source)?,
        })
    }

    /// `hello` is what this host calls itself.
    fn server(&self, hello: String, source: &Source) -> Result<MailServer, ConfigError> {
        let host = self.host.get_ref();
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
            return Err(source.refuse(self.host.span(), "name a host, `mail.example.org` for example"));
        }
        let timeout = self.timeout.as_ref();
        if let Some(raw) = timeout.filter(|raw| raw.get_ref().0 < Duration::from_secs(1)) {
            return Err(source.refuse(raw.span(), "must be at least `1s`"));
        }
        let (encryption, usual_port) = match self.tls {
            RawTls::None => (Encryption::None, 25),
            RawTls::StartTls => (Encryption::StartTls, 587),
            RawTls::Implicit => (Encryption::Implicit, 465),
        };
        Ok(MailServer {
            host: host.clone(),
            port: self.port.as_ref().map_or(usual_port, |raw| *raw.get_ref()),
            encryption,
            authorities: self.authorities(source)?,
            account: self.account(source)?,
            hello,
            timeout: timeout.map_or(TIMEOUT, |raw| raw.get_ref().0),
            connections: within(self.connections.as_ref(), 1..=100, source)?.unwrap_or(2),
        })
    }

    fn authorities(&self, source: &Source) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(raw) = &self.ca else {
            return Ok(None);
        };
        let file = source.file(raw.get_ref());
        let pem = std::fs::read(&file)
            .map_err(|error| source.refuse(raw.span(), format!("cannot read `{}`: {error}", file.display())))?;
        MailServer::check_authorities(&pem)
            .map_err(|error| source.refuse(raw.span(), format!("`{}`: {error}", file.display())))?;
        Ok(Some(pem))
    }

    fn account(&self, source: &Source) -> Result<Option<Account>, ConfigError> {
        let (user, password) = match (&self.user, &self.password) {
            (None, None) => return Ok(None),
            (Some(user), Some(password)) => (user, password),
            (Some(user), None) => return Err(source.refuse(user.span(), "there is no `mail.password` to it")),
            (None, Some(password)) => return Err(source.refuse(password.span(), "there is no `mail.user` to it")),
        };
        if self.tls == RawTls::None && !is_loopback(self.host.get_ref()) {
            let problem = "a password goes over a network only in TLS; `mail.tls` is \"none\"";
            return Err(source.refuse(password.span(), problem));
        }
        Ok(Some(Account {
            user: user.get_ref().clone(),
            password: RawSecret::check(password, source)?,
        }))
    }

    fn templates(&self, source: &Source) -> Result<Templates, ConfigError> {
        let (templates, span) = match &self.templates {
            None => (Templates::built_in(), 0..0),
            Some(raw) => (Templates::load(&source.path(raw.get_ref())), raw.span()),
        };
        let templates = templates.map_err(|error| template_error(error, span, source))?;
        for file in templates.files() {
            source.file(&file.to_string_lossy());
        }
        Ok(templates)
    }
}

impl RawRetry {
    fn check(&self, source: &Source) -> Result<Retry, ConfigError> {
        let usual = Retry::default();
        let read = |raw: &Option<Spanned<Span>>, usual| match raw {
            Some(raw) if raw.get_ref().0.is_zero() => Err(source.refuse(raw.span(), "must be more than zero")),
            Some(raw) => Ok(raw.get_ref().0),
            None => Ok(usual),
        };
        Ok(Retry {
            first: read(&self.first, usual.first)?,
            longest: read(&self.longest, usual.longest)?,
        })
    }
}

impl RawLimit {
    fn check(&self, source: &Source) -> Result<MailLimit, ConfigError> {
        let usual = MailLimit::default();
        Ok(MailLimit {
            burst: within(self.burst.as_ref(), 1..=1000, source)?.unwrap_or(usual.burst),
            interval: self.interval.map_or(usual.interval, |span| span.0),
        })
    }
}

/// The URL without a slash at its end, and its host.
fn check_base_url(raw: &Spanned<String>, source: &Source) -> Result<(String, String), ConfigError> {
    let text = raw.get_ref().trim_end_matches('/');
    let refuse = || {
        let problem = "write where people reach this server, `https://auth.example.org` for example, without user, query and fragment";
        source.refuse(raw.span(), problem)
    };
    let uri: Uri = text.parse().map_err(|_| refuse())?;
    let authority = uri.authority().ok_or_else(refuse)?;
    let plain = !text.contains(['?', '#', '{', '}', '@']);
    if !matches!(uri.scheme_str(), Some("http" | "https")) || authority.host().is_empty() || !plain {
        return Err(refuse());
    }
    Ok((text.to_owned(), authority.host().to_owned()))
}

fn check_sender(raw: &Spanned<RawSender>, source: &Source) -> Result<SenderAddress, ConfigError> {
    let RawSender { name, address } = raw.get_ref();
    SenderAddress::parse(name, address).map_err(|error| source.refuse(raw.span(), error.to_string()))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Where the template is wrong, if its line is known; else where it was named.
fn template_error(error: TemplateError, span: std::ops::Range<usize>, source: &Source) -> ConfigError {
    match error.line {
        Some(line) => ConfigError::Invalid {
            location: Location::Line { file: error.file, line },
            problem: error.problem,
        },
        None => source.refuse(span, format!("{}: {}", short(&error.file), error.problem)),
    }
}

fn short(file: &Path) -> String {
    format!("`{}`", file.display())
}

#[cfg(test)]
mod tests;
