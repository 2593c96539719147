//! Connections that wait for a later call of their backend. They are closed when they have waited for long enough, whether or not anybody calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Connection;

/// The longest word for a state.
const STATE_BYTES: usize = 256;

/// Connections of one endpoint, each in a state that the guest has a word for.
#[derive(Debug)]
pub(super) struct Pool {
    most: usize,
    times: Times,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    /// For how long one may wait.
    longest: Duration,
    /// How long it may have been since one was connected.
    oldest: Duration,
}

#[derive(Debug, Default)]
struct Waiting {
    all: Vec<One>,
    /// Whether somebody sees to it that they are closed in time.
    is_swept: bool,
}

#[derive(Debug)]
struct One {
    state: String,
    until: Instant,
    connection: Connection,
}

impl Pool {
    /// Room for `most`, each to wait no longer than `longest`, and to live no longer than `oldest`.
    pub(super) fn new(most: usize, longest: Duration, oldest: Duration) -> Self {
        Self {
            most,
            times: Times { longest, oldest },
            waiting: Arc::default(),
        }
    }

    /// Keeps it, where there is a place; the oldest one makes room. Must be called within a tokio runtime.
    pub(super) fn keep(&self, state: String, connection: Connection) {
        if self.most == 0 || state.len() > STATE_BYTES {
            return;
        }
        let until = (Instant::now() + self.times.longest).min(connection.since() + self.times.oldest);
        let mut waiting = lock(&self.waiting);
        waiting.close_late();
        if waiting.all.len() >= self.most {
            waiting.all.remove(0);
        }
        waiting.all.push(One {
            state,
            until,
            connection,
        });
        if !std::mem::replace(&mut waiting.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.waiting)));
        }
    }

    /// The one that waits for the shortest time in this state, if it is still good.
    pub(super) fn take(&self, state: &str) -> Option<Connection> {
        loop {
            let mut one = {
                let mut waiting = lock(&self.waiting);
                waiting.close_late();
                let place = waiting.all.iter().rposition(|one| one.state == state)?;
                waiting.all.remove(place)
            };
            if one.connection.is_good() {
                return Some(one.connection);
            }
        }
    }
}

impl Waiting {
    fn close_late(&mut self) {
        let now = Instant::now();
        self.all.retain(|one| now < one.until);
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes those that have waited for long enough, until none is left.
async fn sweep(pool: Weak<Mutex<Waiting>>) {
    while let Some(next) = pool.upgrade().and_then(|waiting| close_late(&waiting)) {
        tokio::time::sleep_until(next.into()).await;
    }
}

/// When to come again.
fn close_late(waiting: &Mutex<Waiting>) -> Option<Instant> {
    let mut waiting = lock(waiting);
    waiting.close_late();
    let next = waiting.all.iter().map(|one| one.until).min();
    waiting.is_swept = next.is_some();
    next
}
