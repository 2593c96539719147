//! What stands in front of a backend: concurrency limit, bounded queue, circuit breaker.

use std::time::{Duration, Instant};

use crate::port::BackendFault;

/// How much a backend may do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLimits {
    /// Calls under way at once.
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
pub struct Gate {}

/// Leave to make one call. Dropping it without [`Pass::settle`] gives the place back and tells the breaker nothing.
#[derive(Debug)]
pub struct Pass {}

impl Gate {
    /// A gate with these limits.
    pub fn new(_limits: GateLimits) -> Self {
        todo!()
    }

    /// Puts other limits in place; calls under way are not disturbed.
    pub fn set_limits(&self, _limits: GateLimits) {
        todo!()
    }

    /// Waits for a place until `deadline`.
    ///
    /// # Errors
    /// [`BackendFault::Saturated`], [`BackendFault::BreakerOpen`], [`BackendFault::DeadlineExceeded`].
    pub async fn enter(&self, _deadline: Instant) -> Result<Pass, BackendFault> {
        todo!()
    }
}

impl Pass {
    /// Tells the breaker how the call went, and gives the place back.
    pub fn settle(self, _fault: Option<&BackendFault>) {
        todo!()
    }
}
