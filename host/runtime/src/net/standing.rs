//! How the servers of an endpoint stand: which of them did not answer of late. One that accepts connections and then says nothing is as dead as one that
//! accepts none, so a server is in good standing again only when it has said something.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whoever gives up waiting sooner than after this part of the time that a server has says nothing about the server.
const HASTE: u32 = 4;

/// The servers of one endpoint.
#[derive(Debug)]
pub(super) struct Standings {
    dead_for: Duration,
    /// Of each server, when it last did not answer.
    failed: Vec<Mutex<Option<Instant>>>,
}

impl Standings {
    pub(super) fn new(servers: usize, dead_for: Duration) -> Self {
        Self {
            dead_for,
            failed: (0..servers).map(|_| Mutex::default()).collect(),
        }
    }

    pub(super) fn is_dead(&self, index: usize) -> bool {
        let failed = self.failed.get(index);
        let failed = failed.and_then(|failed| *failed.lock().unwrap_or_else(PoisonError::into_inner));
        failed.is_some_and(|at| at.elapsed() < self.dead_for)
    }

    fn remember(&self, index: usize, failed: Option<Instant>) {
        if let Some(place) = self.failed.get(index) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        }
    }
}

/// One of the servers.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) of: Arc<Standings>,
    pub(super) index: usize,
}

impl Standing {
    pub(super) fn is_dead(&self) -> bool {
        self.of.is_dead(self.index)
    }

    pub(super) fn fail(&self) {
        self.of.remember(self.index, Some(Instant::now()));
    }

    pub(super) fn answer(&self) {
        self.of.remember(self.index, None);
    }

    /// Begins to wait for the server. Where the wait is broken off, because the call's time is up, the server has failed.
    pub(super) fn wait(&self, longest: Duration) -> Wait {
        Wait {
            server: Some(self.clone()),
            since: Instant::now(),
            least: longest / HASTE,
        }
    }
}

/// Somebody waits for a server.
pub(super) struct Wait {
    server: Option<Standing>,
    since: Instant,
    least: Duration,
}

impl Wait {
    /// It ended, one way or the other.
    pub(super) fn end(mut self) {
        self.server = None;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(server) = self.server.take().filter(|_| self.since.elapsed() >= self.least) {
            server.fail();
        }
    }
}
