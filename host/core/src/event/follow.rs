//! Following what happens.

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::EventService;
use crate::model::{Event, EventCursor, TenantId};
use crate::port::StoreError;

/// Some events, and how far they go.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBatch {
    /// Those that were asked for.
    pub events: Vec<Event>,
    /// Where to go on: what lies between the last of the events and this is not for the reader.
    pub reached: EventCursor,
}

/// Waits for things to happen.
#[derive(Debug)]
pub struct Follower {
    head: watch::Receiver<EventCursor>,
    closed: watch::Receiver<bool>,
}

impl Follower {
    /// Waits until there is something behind this place. `false` when the server is about to stop.
    pub async fn wait_beyond(&mut self, place: EventCursor) -> bool {
        // An error means that the service is gone, which is an end as well.
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => false,
            found = self.head.wait_for(|head| *head > place) => found.is_ok(),
        }
    }

    /// Returns when the server is about to stop.
    pub async fn closed(&mut self) {
        let _ = self.closed.wait_for(|closed| *closed).await;
    }
}

impl EventService {
    /// Somebody who follows from now on. While there is any, the store is asked for news.
    pub fn follow(&self) -> Follower {
        Follower {
            head: self.head.subscribe(),
            closed: self.closed.subscribe(),
        }
    }

    /// Where somebody begins who was at this place last, or nowhere. A place that the store has not come to was another store's: what is
    /// there now may all be new.
    ///
    /// # Errors
    /// As [`crate::port::EventStore::last_event`].
    pub async fn place(&self, last: Option<EventCursor>) -> Result<EventCursor, StoreError> {
        let head = self.store.last_event().await?;
        Ok(match last {
            None => head,
            Some(last) if last > head => EventCursor::START,
            Some(last) => last,
        })
    }

    /// What happened behind this place and concerns this tenant or one below it: of the next `limit` events, those. What concerned a tenant
    /// that is gone is seen by the top tenant alone, as is what concerns none.
    ///
    /// # Errors
    /// As [`crate::port::EventStore::read_events`] and [`crate::tenants::TenantDirectory::tree`].
    pub async fn read(&self, after: EventCursor, tenant: TenantId, limit: u32) -> Result<EventBatch, StoreError> {
        let mut events = self.store.read_events(after, limit).await?;
        let reached = events.last().map_or(after, |event| event.cursor);
        let tree = self.tenants.tree().await?;
        if tree.master() != Some(tenant) {
            events.retain(|event| event.event.tenant.is_some_and(|of| tree.is_within(of, tenant)));
        }
        Ok(EventBatch { events, reached })
    }

    /// Asks the store for news while anybody follows. A notice with each event would be quicker, and would make every login wait for the
    /// one lock that PostgreSQL has for notices.
    pub(super) async fn keep_looking(&self) {
        let mut ticks = interval(self.settings.poll_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.head.receiver_count() == 0 {
                continue;
            }
            match self.store.last_event().await {
                Ok(head) => {
                    self.head
                        .send_if_modified(|known| std::mem::replace(known, head) != head);
                }
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "cannot look for events");
                }
            }
        }
    }
}
