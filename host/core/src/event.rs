//! Events: who follows what happens, how it is handed on, and when it is forgotten. The store records them, in the transaction in which
//! they happen; nothing here is on the way of a request that makes one.

mod delivery;
mod follow;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::model::EventCursor;
use crate::port::{Clock, Store, StoreError};
use crate::tenants::TenantDirectory;

pub use follow::{EventBatch, Follower};

/// How long events are kept, and how quickly they are handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSettings {
    /// How long an event is kept, delivered or not.
    pub retention: Duration,
    /// How many events are kept at the most.
    pub max_events: u64,
    /// How often the store is asked whether anything happened, while anybody wants to know.
    pub poll_interval: Duration,
    /// How often old events are forgotten.
    pub sweep_interval: Duration,
    /// How long before its end a session is announced to end soon, and how often that is looked at; zero for never.
    pub expire_soon: Duration,
    /// The time between two attempts to deliver: after the first failure, and after many, doubled from one to the other.
    pub retry: (Duration, Duration),
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            retention: Duration::from_hours(7 * 24),
            max_events: 1_000_000,
            poll_interval: Duration::from_millis(250),
            sweep_interval: Duration::from_mins(1),
            expire_soon: Duration::from_mins(1),
            retry: (Duration::from_millis(500), Duration::from_mins(1)),
        }
    }
}

/// What happened, for those who follow it on this node.
pub struct EventService {
    store: Arc<dyn Store>,
    tenants: Arc<TenantDirectory>,
    clock: Arc<dyn Clock>,
    settings: EventSettings,
    head: watch::Sender<EventCursor>,
    closed: watch::Sender<bool>,
}

impl EventService {
    /// Composes the service. Somebody must [`EventService::run`] it, or nobody who follows is told that anything happened.
    pub fn new(
        store: Arc<dyn Store>,
        tenants: Arc<TenantDirectory>,
        clock: Arc<dyn Clock>,
        settings: EventSettings,
    ) -> Self {
        Self {
            store,
            tenants,
            clock,
            settings,
            head: watch::Sender::new(EventCursor::START),
            closed: watch::Sender::new(false),
        }
    }

    /// Looks for new events, announces sessions that end soon and forgets old events, until it is dropped.
    pub async fn run(&self) {
        tokio::join!(self.keep_looking(), self.keep_announcing(), self.keep_sweeping());
    }

    /// Makes a place for a receiver, who begins with what happens from now on; one that was there before goes on where it was. To be called
    /// before anything can happen, so that nothing happens in between.
    ///
    /// # Errors
    /// As [`crate::port::EventStore::add_event_receiver`].
    pub async fn add_receiver(&self, name: &str) -> Result<(), StoreError> {
        self.store.add_event_receiver(name, self.clock.now()).await
    }

    /// Ends everything that follows events, once and for all.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}
