//! Attempts to log in, as the administrators of an account see them.

use std::error::Error;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::AccountService;
use crate::model::{Paged, TenantId, Timestamp};
use crate::port::{Attempt, NewAttempt, StoreError};

/// How many attempts one transaction removes.
const BATCH: u32 = 5000;

/// How long whoever reads attempts waits for those that are being written.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest `User-Agent` and the longest message that are kept, in bytes.
const MAX_TEXT: usize = 512;

impl AccountService {
    /// Has an attempt written after the return, so that nobody can tell from it whether one is. What is not written is logged and goes no further: whoever was
    /// let in is let in, and whoever was refused hears nothing else. To be called within a tokio runtime.
    pub fn record_attempt(&self, mut attempt: NewAttempt) {
        let NewAttempt {
            kind,
            message,
            client,
            user_agent,
            request_id,
            ..
        } = &mut attempt;
        for text in [kind, message, client, user_agent, request_id] {
            *text = kept(text);
        }
        self.attempts.push(attempt);
    }

    /// Waits until all attempts so far are written, but no longer than this.
    pub async fn settle_attempts(&self, patience: Duration) {
        if timeout(patience, self.attempts.settle()).await.is_err() {
            tracing::warn!("attempts to log in wait for a store that does not answer");
        }
    }

    /// Attempts of an account at or after `since` and before `until`, newest first: also those that were answered a moment ago by this server.
    ///
    /// # Errors
    /// As [`crate::port::AttemptStore::list_attempts`].
    pub async fn list_attempts(
        &self,
        tenant: TenantId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<Attempt>, StoreError> {
        self.settle_attempts(PATIENCE).await;
        self.store.list_attempts(tenant, since, until, limit, offset).await
    }

    /// An attempt of an account.
    ///
    /// # Errors
    /// As [`crate::port::AttemptStore::find_attempt`].
    pub async fn find_attempt(&self, tenant: TenantId, id: i64) -> Result<Option<Attempt>, StoreError> {
        self.settle_attempts(PATIENCE).await;
        self.store.find_attempt(tenant, id).await
    }

    /// Forgets the attempts that are too old, in batches; returns how many those were.
    ///
    /// # Errors
    /// As [`crate::port::AttemptStore::sweep_attempts`].
    pub async fn sweep_attempts(&self) -> Result<u64, StoreError> {
        let before = self.clock.now().minus(self.settings.attempts_keep);
        let mut removed = 0;
        loop {
            let batch = self.store.sweep_attempts(before, BATCH).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                return Ok(removed);
            }
            // Logins want the store between two batches.
            tokio::task::yield_now().await;
        }
    }

    /// Sweeps at the configured interval, until it is dropped.
    pub async fn run(&self) {
        let interval = self.settings.sweep_interval;
        if interval.is_zero() {
            return;
        }
        let mut ticks = interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.sweep_attempts().await {
                Ok(0) => {}
                Ok(removed) => tracing::debug!(removed, "old attempts to log in swept"),
                Err(error) => tracing::warn!(error = &error as &dyn Error, "sweeping attempts to log in failed"),
            }
        }
    }
}

/// What is kept of a text that a stranger may have sent. PostgreSQL keeps no NUL in a text.
fn kept(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default().replace('\0', "")
}
