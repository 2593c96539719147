//! Instances that wait to be used again, for backends with `instances = "reuse"`.
//!
//! An instance is taken out for a call and put back only after a clean one, so a call that traps, faults, times out or is dropped
//! leaves nothing behind: poisoned is the normal state. Nor is one kept that has seen a secret or holds on to one.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use super::guest::Guest;

/// After so many calls an instance is retired, which bounds what a guest can pile up.
const CALLS: u32 = 10_000;

pub(super) struct WarmPool {
    max: usize,
    idle: Mutex<Vec<(Guest, OwnedSemaphorePermit)>>,
}

impl WarmPool {
    pub(super) fn new(max: u32) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            idle: Mutex::default(),
        }
    }

    /// The instance that was used last, if there is one.
    pub(super) fn take(&self) -> Option<Guest> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().map(|(guest, _place)| guest)
    }

    /// Keeps an instance if it is clean and there is room; else drops it.
    pub(super) fn put(&self, mut guest: Guest) {
        if !guest.is_clean() || guest.calls >= CALLS {
            return;
        }
        let Ok(place) = Arc::clone(&guest.engine().warm).try_acquire_owned() else {
            return;
        };
        guest.rest();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.max {
            idle.push((guest, place));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
