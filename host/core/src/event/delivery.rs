//! Delivery to one receiver, at least once and in order, from the place that the store keeps. A receiver that is down delays what it is to
//! hear, and nothing else.

use std::time::Duration;

use tokio::time::timeout;

use super::{EventService, Follower};
use crate::model::{Event, EventCursor};
use crate::port::{EventSink, ReceiverHold, StoreError};

/// How many events are read at once.
const BATCH: u32 = 256;

/// How often a receiver that another node delivers to is tried, and how often one that has nothing to hear is looked after.
const WATCH: Duration = Duration::from_secs(5);

/// How a stretch of delivery ended.
enum Ended {
    /// Another node delivers to this receiver.
    Elsewhere,
    /// The server is about to stop.
    Closed,
}

/// What came of a batch.
enum Attempt {
    /// There was nothing to deliver behind this place.
    Idle(EventCursor),
    /// All of it arrived.
    Delivered,
    /// Some of it did not.
    Failed,
}

/// The time between attempts.
struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl EventService {
    /// Delivers to this receiver until [`EventService::close`], while no other node does.
    pub async fn deliver(&self, sink: &dyn EventSink) {
        let mut follower = self.follow();
        let (first, longest) = self.settings.retry;
        let mut backoff = Backoff {
            first,
            longest,
            failures: 0,
        };
        loop {
            let pause = match self.deliver_while_held(sink, &mut follower, &mut backoff).await {
                Ok(Ended::Closed) => return,
                Ok(Ended::Elsewhere) => WATCH,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(receiver = sink.name(), error, "events cannot be read for delivery");
                    backoff.next()
                }
            };
            if timeout(pause, follower.closed()).await.is_ok() {
                return;
            }
        }
    }

    async fn deliver_while_held(
        &self,
        sink: &dyn EventSink,
        follower: &mut Follower,
        backoff: &mut Backoff,
    ) -> Result<Ended, StoreError> {
        let Some(mut hold) = self.store.hold_event_receiver(sink.name()).await? else {
            return Ok(Ended::Elsewhere);
        };
        loop {
            match self.attempt(sink, &mut *hold, backoff).await? {
                Attempt::Delivered => {}
                Attempt::Idle(place) => {
                    if let Ok(false) = timeout(WATCH, follower.wait_beyond(place)).await {
                        return Ok(Ended::Closed);
                    }
                }
                Attempt::Failed => {
                    if timeout(backoff.next(), follower.closed()).await.is_ok() {
                        return Ok(Ended::Closed);
                    }
                }
            }
        }
    }

    /// Delivers the next batch and notes how far that went.
    async fn attempt(
        &self,
        sink: &dyn EventSink,
        hold: &mut dyn ReceiverHold,
        backoff: &mut Backoff,
    ) -> Result<Attempt, StoreError> {
        // Asked each time, because it also tells whether this node still holds the receiver.
        let place = hold.cursor().await?;
        let events = self.store.read_events(place, BATCH).await?;
        let Some(last) = events.last().map(|event| event.cursor) else {
            return Ok(Attempt::Idle(place));
        };
        let wanted: Vec<Event> = events
            .into_iter()
            .filter(|event| sink.wants(event.event.kind))
            .collect();
        let outcome = if wanted.is_empty() {
            Ok(())
        } else {
            sink.deliver(&wanted).await
        };
        match outcome {
            Ok(()) => {
                hold.advance(last, self.clock.now()).await?;
                if backoff.reset() && !wanted.is_empty() {
                    tracing::info!(receiver = sink.name(), "events are delivered again");
                }
                Ok(Attempt::Delivered)
            }
            Err(undelivered) => {
                let arrived = undelivered.delivered.checked_sub(1).and_then(|last| wanted.get(last));
                if let Some(arrived) = arrived {
                    hold.advance(arrived.cursor, self.clock.now()).await?;
                }
                tracing::warn!(
                    receiver = sink.name(),
                    attempts = backoff.failures + 1,
                    error = &*undelivered.reason as &dyn std::error::Error,
                    "events were not delivered; they are kept and tried again"
                );
                Ok(Attempt::Failed)
            }
        }
    }
}

impl Backoff {
    /// The time to wait after one more failure.
    fn next(&mut self) -> Duration {
        let pause = self
            .first
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        pause.min(self.longest)
    }

    /// It works; returns whether it did not before.
    fn reset(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }
}
