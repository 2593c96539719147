//! Connections that wait for a later call of their backend.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Connection;

/// The longest word for a state.
const STATE_BYTES: usize = 256;

/// Connections of one endpoint, each in a state that the guest has a word for.
#[derive(Debug)]
pub(super) struct Pool {
    most: usize,
    longest: Duration,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    state: String,
    since: Instant,
    connection: Connection,
}

impl Pool {
    pub(super) fn new(most: usize, longest: Duration) -> Self {
        Self {
            most,
            longest,
            waiting: Mutex::default(),
        }
    }

    /// Keeps it, where there is a place; the oldest one makes room.
    pub(super) fn keep(&self, state: String, connection: Connection) {
        if self.most == 0 || state.len() > STATE_BYTES {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| one.since.elapsed() < self.longest);
        if waiting.len() >= self.most {
            waiting.remove(0);
        }
        waiting.push(Waiting {
            state,
            since: Instant::now(),
            connection,
        });
    }

    /// The one that waits for the shortest time in this state, if it is still good.
    pub(super) fn take(&self, state: &str) -> Option<Connection> {
        loop {
            let mut one = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.retain(|one| one.since.elapsed() < self.longest);
                let place = waiting.iter().rposition(|one| one.state == state)?;
                waiting.remove(place)
            };
            if one.connection.is_good() {
                return Some(one.connection);
            }
        }
    }
}
