//! What the password pool does to one call: whether it had no room for the call, and how long it kept the call waiting.

use std::time::{Duration, Instant};

/// What the password pool did to one call. A call that ends for its sake says nothing about the plugin.
#[derive(Debug, Default)]
pub(crate) struct Comparing {
    refused: bool,
    waited: Duration,
    /// Since when it waits, or waited when the call was ended.
    since: Option<Instant>,
}

impl Comparing {
    /// Waits for a comparison, and counts the time.
    pub(crate) async fn wait<T>(&mut self, comparison: impl Future<Output = T>) -> T {
        let since = Instant::now();
        self.since = Some(since);
        let ended = comparison.await;
        self.since = None;
        self.waited += since.elapsed();
        ended
    }

    /// The pool had no room.
    pub(crate) fn refuse(&mut self) {
        self.refused = true;
    }

    /// Whether the pool had no room at least once.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused
    }

    /// Whether waiting took half of the call's time or more.
    pub(crate) fn took_most_of(&self, budget: Duration) -> bool {
        let waiting = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.waited + waiting >= budget / 2
    }
}
