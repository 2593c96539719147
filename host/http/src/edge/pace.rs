//! Whether a connection keeps up: a client that never finishes a request head, or rests too long, is not waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(super) struct Pace {
    head_timeout: Duration,
    idle_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    in_flight: u32,
    /// HTTP/2 clients send frames that begin no request, so there a byte alone ends no rest.
    multiplexed: bool,
    served: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request head is due or under way.
    Head,
    /// Requests are being answered.
    Busy,
    /// Between two requests.
    Idle,
}

/// One request under way; it ends when this is dropped. An answer that goes on after its head holds one of its own.
#[derive(Debug)]
pub struct InFlight(Arc<Pace>);

impl Pace {
    /// A connection that begins now. Its first request head is due.
    pub(super) fn new(head_timeout: Duration, idle_timeout: Duration, now: Instant) -> Self {
        Self {
            head_timeout,
            idle_timeout,
            state: Mutex::new(State {
                phase: Phase::Head,
                since: now,
                in_flight: 0,
                multiplexed: false,
                served: false,
            }),
        }
    }

    /// Bytes came in.
    pub(super) fn note_bytes(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle && !state.multiplexed {
            state.phase = Phase::Head;
            state.since = Instant::now();
        }
    }

    /// A request head is complete.
    pub(super) fn begin(self: &Arc<Self>, multiplexed: bool) -> InFlight {
        self.state().multiplexed = multiplexed;
        self.go_on()
    }

    /// There is more to a request than the head of its answer.
    pub(super) fn go_on(self: &Arc<Self>) -> InFlight {
        let mut state = self.state();
        state.phase = Phase::Busy;
        state.in_flight += 1;
        state.served = true;
        drop(state);
        InFlight(Arc::clone(self))
    }

    /// Whether any request has arrived yet.
    pub(super) fn has_served(&self) -> bool {
        self.state().served
    }

    /// When to look again, at the latest after the time for a request head; `None` if the connection is to be closed.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        let state = self.state();
        let soon = now + self.head_timeout;
        let due = match state.phase {
            Phase::Head => state.since + self.head_timeout,
            Phase::Idle => state.since + self.idle_timeout,
            // Requests have a timeout of their own.
            Phase::Busy => soon,
        };
        (due > now).then(|| due.min(soon))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if state.in_flight == 0 {
            state.phase = Phase::Idle;
            state.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_mins(1);

    #[test]
    fn a_connection_without_a_request_is_closed_after_the_head_timeout() {
        let start = Instant::now();
        let pace = Pace::new(HEAD, IDLE, start);
        assert_eq!(pace.next_look(start + HEAD / 2), Some(start + HEAD));
        pace.note_bytes();
        assert_eq!(pace.next_look(start + HEAD), None, "a trickle of bytes buys no time");
    }

    #[test]
    fn a_busy_connection_is_left_alone_and_an_idle_one_is_not() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(HEAD, IDLE, start));
        let (one, two) = (pace.begin(true), pace.begin(true));
        drop(one);
        assert!(pace.next_look(start + IDLE * 9).is_some(), "one is still under way");
        drop(two);
        assert!(pace.next_look(Instant::now() + IDLE / 2).is_some());
        pace.note_bytes();
        assert!(
            pace.next_look(Instant::now() + IDLE / 2).is_some(),
            "an HTTP/2 ping begins no request"
        );
        assert_eq!(pace.next_look(Instant::now() + IDLE), None);
    }

    #[test]
    fn the_next_request_head_has_its_own_timeout() {
        let pace = Arc::new(Pace::new(HEAD, IDLE, Instant::now()));
        drop(pace.begin(false));
        pace.note_bytes();
        assert_eq!(pace.next_look(Instant::now() + HEAD), None);
    }
}
