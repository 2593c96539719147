//! Removing expired tokens, and following what other nodes do.

use std::sync::PoisonError;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{TokenError, TokenService};
use crate::port::Change;

impl TokenService {
    /// Removes expired tokens and refresh tokens now, in batches; returns how many.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn sweep(&self) -> Result<u64, TokenError> {
        let batch = self.settings.sweep_batch.max(1);
        let now = self.clock.now();
        let mut removed = 0;
        if let Some(steps) = &self.factors {
            steps.challenges.sweep(batch).await?;
        }
        loop {
            let swept = self.store.sweep(now, batch).await?;
            removed += swept.tokens + swept.refresh_tokens;
            if swept.tokens.max(swept.refresh_tokens) < u64::from(batch) {
                return Ok(removed);
            }
            // Logins want the store between two batches.
            tokio::task::yield_now().await;
        }
    }

    /// Sweeps at the configured interval and follows the store's changes, until it is dropped.
    pub async fn run(&self) {
        tokio::join!(self.keep_sweeping(), self.follow_changes());
    }

    async fn keep_sweeping(&self) {
        let interval = self.settings.sweep_interval;
        if interval.is_zero() {
            return;
        }
        let mut ticks = interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.sweep().await {
                Ok(0) => {}
                Ok(removed) => tracing::debug!(removed, "expired tokens swept"),
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "sweeping failed"),
            }
        }
    }

    async fn follow_changes(&self) {
        let mut changes = self.take_feed();
        loop {
            let change = match changes.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => Change::FeedRestored,
                Err(RecvError::Closed) => {
                    // The store is closed, or its listener is gone: nothing tells this node of revocations any more.
                    tracing::warn!("the store sends no more changes; the token cache is off");
                    self.follow(&Change::FeedLost);
                    return std::future::pending().await;
                }
            };
            self.follow(&change);
        }
    }

    /// The subscription made when the service was composed, so that no change falls between that and now; a second call subscribes anew, and
    /// what it may have missed is forgotten.
    fn take_feed(&self) -> Receiver<Change> {
        let first = self.feed.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| {
            let changes = self.store.changes();
            self.follow(&Change::FeedRestored);
            changes
        })
    }

    fn follow(&self, change: &Change) {
        self.cache.apply(change);
        self.tenants.apply(change);
    }
}
