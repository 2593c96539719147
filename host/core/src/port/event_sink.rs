//! Where events are delivered.

use async_trait::async_trait;

use crate::model::{Event, EventKind};

/// Somebody who is told what happened. To add one: an implementation in `host/server/src/app/events/`, its table in
/// `host/server/src/config/events.rs`.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// The receiver's name, under which the store keeps how far it has come.
    fn name(&self) -> &str;

    /// Whether it is to hear of this kind.
    fn wants(&self, kind: EventKind) -> bool;

    /// Tells it of these, in this order, in bounded time. It may be told of one twice: where that matters, it goes by the event's cursor.
    ///
    /// # Errors
    /// [`Undelivered`]: they are delivered again, from the first that did not arrive.
    async fn deliver(&self, events: &[Event]) -> Result<(), Undelivered>;
}

/// Not all events arrived.
#[derive(Debug, thiserror::Error)]
#[error("{delivered} of the events arrived")]
pub struct Undelivered {
    /// How many did for sure, from the first on.
    pub delivered: usize,
    /// Why the next did not.
    #[source]
    pub reason: Box<dyn std::error::Error + Send + Sync>,
}
