//! Events on an AMQP 0-9-1 exchange, as wazo's services publish them. The broker confirms each one before it counts as delivered.

use std::time::Duration;

use async_trait::async_trait;
use keyway_core::model::{Event, EventKind};
use keyway_core::port::{EventSink, Undelivered};
use keyway_http::WazoSettings;
use keyway_http::dialect::wazo::Envelope;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::config::{AmqpConfig, ExchangeType};

/// Seconds without a word after which a connection counts as lost, unless the URI says otherwise.
const HEARTBEAT: u16 = 30;

/// How long the broker may take to accept a connection, and to confirm what was published.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// Messages survive a restart of the broker.
const PERSISTENT: u8 = 2;

/// The broker that takes events.
pub(super) struct AmqpSink {
    config: AmqpConfig,
    wazo: WazoSettings,
    /// `None` until something is to be delivered, and after any failure.
    line: Mutex<Option<Line>>,
}

/// An open connection.
struct Line {
    channel: Channel,
    _connection: Connection,
}

/// Why the broker did not take an event. No message holds the password.
#[derive(Debug, thiserror::Error)]
enum AmqpError {
    /// The URI names no broker, which the configuration has looked at already.
    #[error("the broker's URI cannot be read")]
    Uri,
    /// It cannot be reached, does not let us in, or has another exchange of that name.
    #[error("cannot connect to the broker")]
    Connect(#[source] lapin::Error),
    /// It went away.
    #[error("the broker did not take an event")]
    Publish(#[source] lapin::Error),
    /// It says so.
    #[error("the broker refused an event")]
    Refused,
    /// It says nothing.
    #[error("the broker takes too long")]
    TooSlow,
}

impl AmqpSink {
    pub(super) fn new(config: AmqpConfig, wazo: WazoSettings) -> Self {
        Self {
            config,
            wazo,
            line: Mutex::new(None),
        }
    }

    fn uri(&self) -> Result<AMQPUri, AmqpError> {
        let mut uri: AMQPUri = self.config.uri.expose().parse().map_err(|_| AmqpError::Uri)?;
        if let Some(password) = &self.config.password {
            uri.authority.userinfo.password.clone_from(password.expose());
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        Ok(uri)
    }

    async fn connect(&self) -> Result<Line, AmqpError> {
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: self.config.ca.clone(),
        };
        let properties = ConnectionProperties::default().with_connection_name("keyway".into());
        let runtime = lapin::runtime::default_runtime().map_err(AmqpError::Connect)?;
        let connection = Connection::connect_uri_with_config(self.uri()?, properties, tls, runtime).await;
        let connection = connection.map_err(AmqpError::Connect)?;
        let channel = connection.create_channel().await.map_err(AmqpError::Connect)?;
        let kind = match self.config.exchange_type {
            ExchangeType::Topic => ExchangeKind::Topic,
            ExchangeType::Headers => ExchangeKind::Headers,
            ExchangeType::Fanout => ExchangeKind::Fanout,
            ExchangeType::Direct => ExchangeKind::Direct,
        };
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let exchange = self.config.exchange.as_str().into();
        let declared = channel.exchange_declare(exchange, kind, durable, FieldTable::default());
        declared.await.map_err(AmqpError::Connect)?;
        let confirm = channel.confirm_select(ConfirmSelectOptions::default());
        confirm.await.map_err(AmqpError::Connect)?;
        Ok(Line {
            channel,
            _connection: connection,
        })
    }

    /// Publishes all, then waits for the confirmations in their order; counts those that came.
    async fn publish(&self, channel: &Channel, events: &[Event], confirmed: &mut usize) -> Result<(), AmqpError> {
        let mut pending = Vec::with_capacity(events.len());
        for event in events {
            let envelope = Envelope::of(event, &self.wazo);
            let body = envelope.body.to_string();
            let sent = channel.basic_publish(
                self.config.exchange.as_str().into(),
                envelope.routing_key.as_str().into(),
                BasicPublishOptions::default(),
                body.as_bytes(),
                properties(event, &envelope),
            );
            pending.push(sent.await.map_err(AmqpError::Publish)?);
        }
        for confirmation in pending {
            if !confirmation.await.map_err(AmqpError::Publish)?.is_ack() {
                return Err(AmqpError::Refused);
            }
            *confirmed += 1;
        }
        Ok(())
    }

    async fn try_deliver(&self, events: &[Event], confirmed: &mut usize) -> Result<(), AmqpError> {
        let mut line = self.line.lock().await;
        // Taken out, so that whatever goes wrong, the next attempt connects anew.
        let open = match line.take() {
            Some(open) if open.channel.status().connected() => open,
            _ => {
                let connected = timeout(CONNECT_TIMEOUT, self.connect()).await;
                connected.unwrap_or(Err(AmqpError::TooSlow))?
            }
        };
        let published = timeout(CONFIRM_TIMEOUT, self.publish(&open.channel, events, confirmed)).await;
        published.unwrap_or(Err(AmqpError::TooSlow))?;
        *line = Some(open);
        Ok(())
    }
}

#[async_trait]
impl EventSink for AmqpSink {
    fn name(&self) -> &'static str {
        "amqp"
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.config.events.contains(kind)
    }

    async fn deliver(&self, events: &[Event]) -> Result<(), Undelivered> {
        let mut delivered = 0;
        let outcome = self.try_deliver(events, &mut delivered).await;
        outcome.map_err(|error| Undelivered {
            delivered,
            reason: error.into(),
        })
    }
}

fn properties(event: &Event, envelope: &Envelope) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &envelope.headers {
        let value = match value {
            Value::Bool(value) => AMQPValue::Boolean(*value),
            Value::String(text) => AMQPValue::LongString(text.as_str().into()),
            other => AMQPValue::LongString(other.to_string().into()),
        };
        headers.insert(name.as_str().into(), value);
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(event.cursor.to_string().into())
        .with_headers(headers)
}
