//! How much a backend may use. All limits are always on.

use std::time::Duration;

use keyway_core::gate::GateLimits;

/// How much a backend may use. The first block holds for one call, the second for all calls of the backend together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest that one login step may take, waiting for a place included.
    pub deadline: Duration,
    /// Linear memory in bytes. At most [`Limits::MAX_MEMORY`].
    pub memory: u64,
    /// Elements over all tables.
    pub table_elements: u32,
    /// Resources (secrets, streams, pollables) held at once.
    pub handles: u32,
    /// Bytes handed to host functions in all; one call of a host function may pass at most these.
    pub host_call_bytes: u64,
    /// Lines in the log; further ones are dropped and counted.
    pub log_lines: u32,
    /// Directory look-ups.
    pub lookups: u32,
    /// Password comparisons, in the directory and against verifiers together.
    pub comparisons: u32,

    /// Calls under way at once.
    pub concurrency: u32,
    /// Calls that may wait for a place.
    pub queue: u32,
    /// Faults in a row that open the circuit breaker; 0 for no breaker.
    pub breaker_faults: u32,
    /// How long the breaker stays open before it lets one call through.
    pub breaker_cooldown: Duration,
}

impl Limits {
    /// The most memory that [`Limits::memory`] can allow, in bytes.
    pub const MAX_MEMORY: u64 = 1 << 30;

    /// What the gate in front of the backend goes by.
    pub fn gate(&self) -> GateLimits {
        GateLimits {
            concurrency: self.concurrency,
            queue: self.queue,
            breaker_faults: self.breaker_faults,
            breaker_cooldown: self.breaker_cooldown,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let gate = GateLimits::default();
        Self {
            deadline: Duration::from_secs(10),
            memory: 64 << 20,
            table_elements: 20_000,
            handles: 256,
            host_call_bytes: 1 << 20,
            log_lines: 100,
            lookups: 32,
            comparisons: 8,
            concurrency: gate.concurrency,
            queue: gate.queue,
            breaker_faults: gate.breaker_faults,
            breaker_cooldown: gate.breaker_cooldown,
        }
    }
}
