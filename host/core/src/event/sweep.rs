//! What is done about events at intervals: forgetting old ones, and announcing that sessions end soon.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::EventService;
use crate::port::StoreError;

/// How many events one transaction removes or records.
const BATCH: u32 = 5000;

impl EventService {
    /// Forgets what is too old or too much, in batches; returns how many events that were.
    ///
    /// # Errors
    /// As [`crate::port::EventStore::sweep_events`].
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let before = self.clock.now().minus(self.settings.retention);
        let mut removed = 0;
        loop {
            let batch = self.store.sweep_events(before, self.settings.max_events, BATCH).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                return Ok(removed);
            }
            // Logins want the store between two batches.
            tokio::task::yield_now().await;
        }
    }

    /// Records which sessions end soon, each once.
    ///
    /// # Errors
    /// As [`crate::port::EventStore::announce_expiring`].
    pub async fn announce_expiring(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let until = now.plus(self.settings.expire_soon);
        while self.store.announce_expiring(now, until, BATCH).await? < until {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    pub(super) async fn keep_sweeping(&self) {
        let mut ticks = ticks(self.settings.sweep_interval);
        loop {
            ticks.tick().await;
            match self.sweep().await {
                Ok(0) => {}
                Ok(removed) => tracing::debug!(removed, "old events swept"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "sweeping events failed");
                }
            }
        }
    }

    pub(super) async fn keep_announcing(&self) {
        if self.settings.expire_soon.is_zero() {
            return;
        }
        let mut ticks = ticks(self.settings.expire_soon);
        loop {
            ticks.tick().await;
            if let Err(error) = self.announce_expiring().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "announcing sessions that end soon failed"
                );
            }
        }
    }
}

fn ticks(interval: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
