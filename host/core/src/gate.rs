//! What stands in front of a backend: concurrency limit, bounded queue, circuit breaker.
//!
//! Which faults count for the breaker: those that say that the backend or what it depends on is unwell, that is `Unavailable`,
//! `Internal`, `Broken`, `LimitExceeded` and `DeadlineExceeded`. `Saturated` and `BreakerOpen` never reached the backend, or say
//! that the host had no room.
//! `Delegate` is the other backend's, whose own breaker hears of it.
//! `Misconfigured` and `NotLoaded` cost next to nothing, and end when the operator mends them: they neither open nor close the breaker.

mod breaker;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::port::BackendFault;
use breaker::{Admission, Breaker};

/// How much a backend may do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLimits {
    /// Calls under way at once; 0 counts as 1.
    pub concurrency: u32,
    /// Calls that may wait for a place.
    pub queue: u32,
    /// Faults in a row that open the circuit breaker; 0 for no breaker.
    pub breaker_faults: u32,
    /// How long the breaker stays open before it lets one call through.
    pub breaker_cooldown: Duration,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            concurrency: 64,
            queue: 1024,
            breaker_faults: 20,
            breaker_cooldown: Duration::from_secs(5),
        }
    }
}

/// The gate of one backend.
#[derive(Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

/// Leave to make one call. Dropping it without [`Pass::settle`] gives the place back and tells the breaker nothing.
#[derive(Debug)]
pub struct Pass {
    place: Place,
    admission: Option<Admission>,
}

/// One of the gate's places, which goes to the next in the queue when it is dropped.
#[derive(Debug)]
struct Place {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: GateLimits,
    under_way: u32,
    waiting: VecDeque<oneshot::Sender<Place>>,
    breaker: Breaker,
}

impl Gate {
    /// A gate with these limits.
    pub fn new(limits: GateLimits) -> Self {
        let state = State {
            limits,
            under_way: 0,
            waiting: VecDeque::new(),
            breaker: Breaker::default(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
            }),
        }
    }

    /// Puts other limits in place; calls under way are not disturbed.
    pub fn set_limits(&self, limits: GateLimits) {
        {
            let mut state = self.shared.lock();
            state.limits = limits;
            if limits.breaker_faults == 0 {
                state.breaker.close();
            }
        }
        self.shared.serve_queue();
    }

    /// Waits for a place until `deadline`.
    ///
    /// # Errors
    /// [`BackendFault::Saturated`], [`BackendFault::BreakerOpen`], [`BackendFault::DeadlineExceeded`].
    pub async fn enter(&self, deadline: Instant) -> Result<Pass, BackendFault> {
        let arrived = now();
        let place = match self.shared.take_place(arrived)? {
            Taken::Place(place) => place,
            Taken::Queued(turn) => match tokio::time::timeout_at(deadline.into(), turn).await {
                Ok(Ok(place)) => place,
                // A sender is only ever dropped together with the gate's state, which this call keeps alive.
                Ok(Err(_)) => return Err(BackendFault::Saturated),
                Err(_) => return Err(BackendFault::DeadlineExceeded(now().duration_since(arrived))),
            },
        };
        // The breaker may have opened while this call waited.
        let admission = self.shared.lock().admit(now());
        Ok(Pass {
            place,
            admission: Some(admission?),
        })
    }
}

enum Taken {
    Place(Place),
    Queued(oneshot::Receiver<Place>),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_place(self: &Arc<Self>, at: Instant) -> Result<Taken, BackendFault> {
        let mut state = self.lock();
        let limits = state.limits;
        state.breaker.check(at, limits.breaker_cooldown)?;
        if state.has_place() && state.waiting.iter().all(oneshot::Sender::is_closed) {
            state.under_way += 1;
            return Ok(Taken::Place(Place {
                shared: Arc::clone(self),
            }));
        }
        if state.waiting.len() >= limits.queue as usize {
            // Callers that have gone away still stand in the queue until somebody needs their room.
            state.waiting.retain(|turn| !turn.is_closed());
        }
        if state.waiting.len() >= limits.queue as usize {
            return Err(BackendFault::Saturated);
        }
        let (turn, receiver) = oneshot::channel();
        state.waiting.push_back(turn);
        Ok(Taken::Queued(receiver))
    }

    /// Gives free places to those who wait. A place that its receiver no longer takes comes back through [`Place`]'s drop, so it must not be
    /// sent while the state is locked.
    fn serve_queue(self: &Arc<Self>) {
        loop {
            let turn = {
                let mut state = self.lock();
                if !state.has_place() {
                    return;
                }
                let Some(turn) = state.waiting.pop_front() else {
                    return;
                };
                if turn.is_closed() {
                    continue;
                }
                state.under_way += 1;
                turn
            };
            drop(turn.send(Place {
                shared: Arc::clone(self),
            }));
        }
    }
}

impl State {
    fn has_place(&self) -> bool {
        self.under_way < self.limits.concurrency.max(1)
    }

    fn admit(&mut self, at: Instant) -> Result<Admission, BackendFault> {
        self.breaker.admit(at, self.limits.breaker_cooldown)
    }
}

impl Pass {
    /// Tells the breaker how the call went, and gives the place back.
    pub fn settle(mut self, fault: Option<&BackendFault>) {
        if let Some(admission) = self.admission.take() {
            let mut state = self.place.shared.lock();
            let limit = state.limits.breaker_faults;
            state.breaker.settle(admission, fault, limit, now());
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.place.shared.lock().breaker.abandon(admission);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.under_way = state.under_way.saturating_sub(1);
        }
        self.shared.serve_queue();
    }
}

/// Tokio's clock, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
