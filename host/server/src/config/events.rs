//! `[events]`: how long events are kept, who may follow them, and to whom they are delivered.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use keyway_core::Secret;
use keyway_core::event::EventSettings;
use keyway_core::model::EventKind;
use keyway_http::EventStreamSettings;
use lapin::uri::AMQPUri;
use reqwest::Url;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::http::positive_time;
use super::password::within;
use super::quantity::Span;
use super::secret::{RawSecret, RawSecretFile};
use super::source::Source;

/// The exchange that wazo's services listen to.
const DEFAULT_EXCHANGE: &str = "xivo";

/// The longest name of an exchange, in bytes, and of a receiver.
const MAX_NAME: usize = 255;

/// `[events]` as typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawEvents {
    retention: Option<Spanned<Span>>,
    max_events: Option<Spanned<u32>>,
    max_streams: Option<Spanned<u32>>,
    webhook: Vec<Spanned<RawWebhook>>,
    amqp: Option<RawAmqp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhook {
    name: Option<Spanned<String>>,
    url: Spanned<String>,
    secret: RawSecretFile,
    events: Option<Vec<Spanned<String>>>,
    ca: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAmqp {
    uri: Spanned<RawSecret>,
    password: Option<Spanned<RawSecret>>,
    exchange: Option<Spanned<String>>,
    exchange_type: Option<ExchangeType>,
    events: Option<Vec<Spanned<String>>>,
    ca: Option<Spanned<String>>,
}

/// `[events]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventsConfig {
    /// How long they are kept.
    pub(crate) settings: EventSettings,
    /// Who may follow them.
    pub(crate) streams: EventStreamSettings,
    /// Where they are posted to.
    pub(crate) webhooks: Vec<WebhookConfig>,
    /// The broker that they are published to.
    pub(crate) amqp: Option<AmqpConfig>,
}

/// One `[[events.webhook]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookConfig {
    /// Under which the store keeps how far it has come; unique.
    pub(crate) name: String,
    /// Where to post to. It may hold a secret of its own.
    pub(crate) url: Secret<String>,
    /// What bodies are signed with.
    pub(crate) secret: Secret<Vec<u8>>,
    /// Of what it hears.
    pub(crate) events: Wanted,
    /// Authorities besides the machine's own, PEM.
    pub(crate) ca: Option<Authorities>,
}

/// `[events.amqp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AmqpConfig {
    /// The broker, `amqp:` or `amqps:`.
    pub(crate) uri: Secret<String>,
    /// In place of the URI's.
    pub(crate) password: Option<Secret<String>>,
    /// The exchange's name.
    pub(crate) exchange: String,
    /// Its type.
    pub(crate) exchange_type: ExchangeType,
    /// What is published.
    pub(crate) events: Wanted,
    /// Authorities besides the machine's own, PEM.
    pub(crate) ca: Option<Authorities>,
}

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExchangeType {
    /// By the words of a routing key.
    #[default]
    Topic,
    /// By headers.
    Headers,
    /// To everybody.
    Fanout,
    /// By the whole routing key.
    Direct,
}

/// Certificates in PEM.
pub(crate) type Authorities = String;

/// The kinds of events that a receiver hears of; `None` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted(pub(crate) Option<Vec<EventKind>>);

impl Wanted {
    /// Whether this kind is one of them.
    pub(crate) fn contains(&self, kind: EventKind) -> bool {
        self.0.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

impl RawEvents {
    /// `expire_soon` is how often the sweep of tokens runs.
    pub(super) fn check(&self, expire_soon: Duration, source: &Source) -> Result<EventsConfig, ConfigError> {
        let settings = EventSettings::default();
        let streams = EventStreamSettings::default();
        let max_events = within(self.max_events.as_ref(), 1..=u32::MAX, source)?;
        let max_streams = within(self.max_streams.as_ref(), 0..=100_000, source)?;
        let webhooks = self.webhook.iter().map(|raw| raw.get_ref().check(source));
        let webhooks = webhooks.collect::<Result<Vec<_>, _>>()?;
        let mut names = HashSet::new();
        for (raw, webhook) in self.webhook.iter().zip(&webhooks) {
            if !names.insert(&webhook.name) {
                let span = raw.get_ref().name.as_ref().map_or_else(|| raw.span(), Spanned::span);
                let problem = "another webhook has this name; give each a `name` of its own";
                return Err(source.refuse(span, problem));
            }
        }
        Ok(EventsConfig {
            settings: EventSettings {
                retention: positive_time(self.retention.as_ref(), settings.retention, source)?,
                max_events: max_events.map_or(settings.max_events, u64::from),
                expire_soon,
                ..settings
            },
            streams: EventStreamSettings {
                max_streams: max_streams
                    .and_then(|most| usize::try_from(most).ok())
                    .unwrap_or(streams.max_streams),
                ..streams
            },
            webhooks,
            amqp: self.amqp.as_ref().map(|raw| raw.check(source)).transpose()?,
        })
    }
}

impl RawWebhook {
    fn check(&self, source: &Source) -> Result<WebhookConfig, ConfigError> {
        // The address itself stays out of the message: many hold a token.
        let refuse = |problem| source.refuse(self.url.span(), problem);
        let url = Url::parse(self.url.get_ref()).map_err(|_| refuse("is no URL"))?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or_else(|| refuse("write `https://HOST/PATH`"))?;
        let name = match &self.name {
            Some(name) => check_name(name, source)?,
            None => host.to_owned(),
        };
        Ok(WebhookConfig {
            name,
            url: Secret::new(url.to_string()),
            secret: self.secret.check(source)?,
            events: wanted(self.events.as_ref(), source)?,
            ca: authorities(self.ca.as_ref(), source)?,
        })
    }
}

impl RawAmqp {
    fn check(&self, source: &Source) -> Result<AmqpConfig, ConfigError> {
        let uri = RawSecret::check(&self.uri, source)?;
        if uri.expose().parse::<AMQPUri>().is_err() {
            let problem = "is no URI of a broker; write `amqp://USER@HOST:5672/VHOST` or `amqps://...`";
            return Err(source.refuse(self.uri.span(), problem));
        }
        let password = self.password.as_ref().map(|raw| RawSecret::check(raw, source));
        let exchange = self.exchange.as_ref().map(|raw| check_name(raw, source)).transpose()?;
        Ok(AmqpConfig {
            uri,
            password: password.transpose()?,
            exchange: exchange.unwrap_or_else(|| DEFAULT_EXCHANGE.to_owned()),
            exchange_type: self.exchange_type.unwrap_or_default(),
            events: wanted(self.events.as_ref(), source)?,
            ca: authorities(self.ca.as_ref(), source)?,
        })
    }
}

fn check_name(raw: &Spanned<String>, source: &Source) -> Result<String, ConfigError> {
    let name = raw.get_ref();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(source.refuse(raw.span(), "must be 1 to 255 characters without line breaks"));
    }
    Ok(name.clone())
}

fn wanted(raw: Option<&Vec<Spanned<String>>>, source: &Source) -> Result<Wanted, ConfigError> {
    let parse = |raw: &Spanned<String>| {
        EventKind::parse(raw.get_ref()).ok_or_else(|| {
            let known = EventKind::ALL.map(|kind| format!("`{kind}`"));
            let problem = format!("`{}` is no event; there are {}", raw.get_ref(), known.join(", "));
            source.refuse(raw.span(), problem)
        })
    };
    let kinds = raw.map(|raw| raw.iter().map(parse).collect()).transpose()?;
    Ok(Wanted(kinds))
}

fn authorities(raw: Option<&Spanned<String>>, source: &Source) -> Result<Option<Authorities>, ConfigError> {
    let read = |raw: &Spanned<String>| {
        let path: PathBuf = source.file(raw.get_ref());
        let refuse = |problem: String| source.refuse(raw.span(), problem);
        let pem = std::fs::read_to_string(&path)
            .map_err(|error| refuse(format!("cannot read `{}`: {error}", path.display())))?;
        if crate::app::events::tls::parse(&pem).is_none() {
            return Err(refuse(format!("`{}` holds no certificate in PEM", path.display())));
        }
        Ok(pem)
    };
    raw.map(read).transpose()
}
