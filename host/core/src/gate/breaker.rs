//! The circuit breaker: it spares callers the wait for a backend that has failed many times in a row.

use std::time::{Duration, Instant};

use crate::port::BackendFault;

/// Closed, open, or open with one call under way that decides.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// Counts the changes of state. A call that was admitted before a change says nothing about the backend after it.
    era: u64,
}

#[derive(Debug)]
enum State {
    Closed { faults: u32 },
    Open { since: Instant, faults: u32 },
    Probing { since: Instant, faults: u32 },
}

/// That a call was let through, and when in the breaker's life.
#[derive(Debug)]
pub(super) struct Admission {
    era: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed { faults: 0 },
            era: 0,
        }
    }
}

impl Breaker {
    /// Whether a call would be let through at `at`.
    pub(super) fn check(&self, at: Instant, cooldown: Duration) -> Result<(), BackendFault> {
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { since, faults } => match cooldown.checked_sub(at.saturating_duration_since(since)) {
                Some(rest) if !rest.is_zero() => Err(BackendFault::BreakerOpen {
                    faults,
                    retry_after: rest,
                }),
                _ => Ok(()),
            },
            State::Probing { faults, .. } => Err(BackendFault::BreakerOpen {
                faults,
                retry_after: cooldown,
            }),
        }
    }

    /// Lets a call through; after the cooldown it is the one that decides whether others follow.
    pub(super) fn admit(&mut self, at: Instant, cooldown: Duration) -> Result<Admission, BackendFault> {
        self.check(at, cooldown)?;
        if let State::Open { since, faults } = self.state {
            self.change(State::Probing { since, faults });
        }
        Ok(Admission { era: self.era })
    }

    /// Takes note of how an admitted call went. `limit` faults in a row open the breaker; 0 for never.
    pub(super) fn settle(&mut self, admission: Admission, fault: Option<&BackendFault>, limit: u32, at: Instant) {
        if admission.era != self.era {
            return;
        }
        match (fault.map(counts), &mut self.state) {
            (None, State::Closed { faults }) => *faults = 0,
            (None, _) => self.close(),
            (Some(false), _) => self.abandon(admission),
            (Some(true), State::Closed { faults }) => {
                *faults = faults.saturating_add(1);
                let faults = *faults;
                if limit > 0 && faults >= limit {
                    self.change(State::Open { since: at, faults });
                }
            }
            (Some(true), State::Open { faults, .. } | State::Probing { faults, .. }) => {
                let faults = faults.saturating_add(1);
                self.change(State::Open { since: at, faults });
            }
        }
    }

    /// Forgets all faults.
    pub(super) fn close(&mut self) {
        self.change(State::Closed { faults: 0 });
    }

    /// An admitted call ended without saying anything. If it was the one that decides, the next one does.
    #[expect(clippy::needless_pass_by_value, reason = "an admission is used once")]
    pub(super) fn abandon(&mut self, admission: Admission) {
        if admission.era != self.era {
            return;
        }
        if let State::Probing { since, faults } = self.state {
            self.change(State::Open { since, faults });
        }
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}

/// Whether the fault says that the backend, or what it depends on, is unwell.
fn counts(fault: &BackendFault) -> bool {
    match fault {
        BackendFault::Unavailable(_)
        | BackendFault::Internal(_)
        | BackendFault::Broken(_)
        | BackendFault::LimitExceeded(_)
        | BackendFault::DeadlineExceeded(_) => true,
        BackendFault::Misconfigured(_)
        | BackendFault::Saturated
        | BackendFault::BreakerOpen { .. }
        | BackendFault::Delegate(_)
        | BackendFault::NotLoaded => false,
    }
}
