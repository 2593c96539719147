//! Events as HTTP requests, one each, in the form of Standard Webhooks: `webhook-id` is the event's id, which a receiver may see twice,
//! and `webhook-signature` is HMAC-SHA-256 over id, time and body.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::model::{Event, EventKind};
use keyway_core::port::{Clock, EventSink, Undelivered};
use keyway_http::WazoSettings;
use keyway_http::dialect::wazo::Envelope;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use sha2::Sha256;

use super::tls;
use crate::config::WebhookConfig;

/// How long the receiver may take to accept a connection, and to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a key begins with that is written as the libraries for Standard Webhooks have it: the rest is Base64.
const KEY_PREFIX: &[u8] = b"whsec_";

/// Somebody who takes events by HTTP.
pub(super) struct WebhookSink {
    name: String,
    config: WebhookConfig,
    key: Secret<Vec<u8>>,
    client: Client,
    wazo: WazoSettings,
    clock: Arc<dyn Clock>,
}

/// The receiver did not take an event.
#[derive(Debug, thiserror::Error)]
enum WebhookError {
    /// It answered something else than 2xx.
    #[error("the receiver answered {0}")]
    Answer(StatusCode),
    /// It did not answer.
    #[error("the receiver does not answer")]
    Silent(#[source] reqwest::Error),
}

impl WebhookSink {
    pub(super) fn new(
        config: WebhookConfig,
        wazo: WazoSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(config.ca.as_deref())?)
            .user_agent(concat!("keyway/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // What is signed for one place is not sent to another.
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            name: format!("webhook:{}", config.name),
            key: key(&config.secret),
            config,
            client,
            wazo,
            clock,
        })
    }

    async fn post(&self, event: &Event) -> Result<(), WebhookError> {
        let body = Envelope::of(event, &self.wazo).body.to_string();
        let id = event.cursor.to_string();
        let time = self.clock.now().to_utc().unix_timestamp().to_string();
        let signature = sign(self.key.expose(), &id, &time, &body);
        let request = self
            .client
            .post(self.config.url.expose())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signature)
            .body(body);
        // The address may hold a secret.
        let response = request
            .send()
            .await
            .map_err(|error| WebhookError::Silent(error.without_url()))?;
        if response.status().is_success() {
            Ok(())
        } else {
            Err(WebhookError::Answer(response.status()))
        }
    }
}

#[async_trait]
impl EventSink for WebhookSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.config.events.contains(kind)
    }

    async fn deliver(&self, events: &[Event]) -> Result<(), Undelivered> {
        for (delivered, event) in events.iter().enumerate() {
            self.post(event).await.map_err(|error| Undelivered {
                delivered,
                reason: error.into(),
            })?;
        }
        Ok(())
    }
}

/// A key is any bytes, or `whsec_` and Base64.
fn key(secret: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    let encoded = secret.expose().strip_prefix(KEY_PREFIX);
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    decoded.map_or_else(|| secret.clone(), Secret::new)
}

/// `v1,` and Base64 of HMAC-SHA-256 over `ID.TIME.BODY`.
fn sign(key: &[u8], id: &str, time: &str, body: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in [id, ".", time, ".", body] {
        mac.update(part.as_bytes());
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_signature_is_what_standard_webhooks_says() {
        // The example of the specification's own libraries.
        let key = key(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
        let body = r#"{"test": 2432232314}"#;
        let signature = sign(key.expose(), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_that_is_not_encoded_is_taken_as_it_is() {
        assert_eq!(key(&"whsec_%".into()).expose(), b"whsec_%");
        assert_eq!(key(&"plain".into()).expose(), b"plain");
    }
}
