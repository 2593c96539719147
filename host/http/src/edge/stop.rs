//! The signal that ends listeners.

use tokio::sync::watch;

/// Ends what waits for it, once and for all. Clones are the same signal.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// A signal that has not been given.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Gives it. Doing so twice is no error.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has been given.
    pub fn is_triggered(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it has been given.
    pub async fn wait(&self) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = self.0.subscribe().wait_for(|given| *given).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
