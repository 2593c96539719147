//! What the process does when it is sent a signal.

use std::sync::Arc;

use keyway_http::edge::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use super::error::StartError;
use super::reload::Reloader;

/// The signals that a server listens to.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes the signals over from their defaults, which would end the process.
    ///
    /// # Errors
    /// [`StartError::Machine`].
    pub(crate) fn new() -> Result<Self, StartError> {
        let take = |kind| {
            signal(kind).map_err(|source| StartError::Machine {
                action: "listen to signals",
                source,
            })
        };
        Ok(Self {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
            hangup: take(SignalKind::hangup())?,
        })
    }

    /// Acts on signals: SIGTERM and SIGINT end the server gracefully, a second one at once, SIGHUP reloads.
    pub(crate) async fn follow(mut self, reloader: Arc<Reloader>, stop: Stop) {
        // A reload waits for each plugin that it loads, and the signals that end the server must not wait for a reload.
        let mut reload = JoinSet::new();
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.hangup.recv(), if reload.is_empty() => {
                    let reloader = Arc::clone(&reloader);
                    reload.spawn(async move { reloader.reload_and_log("SIGHUP").await });
                    continue;
                }
                Some(_) = reload.join_next() => continue,
            };
            if stop.is_triggered() {
                tracing::warn!(signal = name, "ending at once");
                std::process::exit(1);
            }
            tracing::info!(signal = name, "stopping: finishing what was accepted");
            stop.trigger();
        }
    }
}
