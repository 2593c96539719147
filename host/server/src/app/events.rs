//! Delivery of events over the network. Here and not in `host/http`, which serves and calls nobody: the two clients are nobody else's.

mod amqp;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
mod webhook;

use std::sync::Arc;

use keyway_core::port::{Clock, EventSink};
use keyway_http::WazoSettings;

use self::amqp::AmqpSink;
use self::webhook::WebhookSink;
use crate::config::EventsConfig;

/// Why events cannot be delivered at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the delivery of events to `{receiver}`")]
pub(crate) struct EventsError {
    receiver: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// All receivers that are configured. Nothing is connected yet.
///
/// # Errors
/// [`EventsError`].
pub(crate) fn sinks(
    config: &EventsConfig,
    wazo: &WazoSettings,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Arc<dyn EventSink>>, EventsError> {
    let mut sinks: Vec<Arc<dyn EventSink>> = Vec::new();
    for webhook in &config.webhooks {
        let sink =
            WebhookSink::new(webhook.clone(), wazo.clone(), Arc::clone(clock)).map_err(|source| EventsError {
                receiver: webhook.name.clone(),
                source,
            })?;
        sinks.push(Arc::new(sink));
    }
    if let Some(amqp) = &config.amqp {
        sinks.push(Arc::new(AmqpSink::new(amqp.clone(), wazo.clone())));
    }
    Ok(sinks)
}
