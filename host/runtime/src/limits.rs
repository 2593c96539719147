//! How much a backend may use. All limits are always on.

use std::collections::BTreeMap;
use std::time::Duration;

use keyway_core::gate::GateLimits;

/// How much a backend may use. The first block holds for one call, the second for all calls of the backend together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest that one login step may take, waiting for a place included.
    pub deadline: Duration,
    /// Linear memory in bytes. At most [`Limits::MAX_MEMORY`].
    pub memory: u64,
    /// Elements over all tables. At most [`Limits::MAX_TABLE_ELEMENTS`].
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
    /// Bytes of files, databases, lists of users and other backends' answers that the host hands over in all.
    pub fetched_bytes: u64,
    /// Questions to other backends.
    pub delegations: u32,

    /// Calls under way at once. No backend has more than a quarter of
    /// [`RuntimeSettings::max_concurrent_calls`](crate::RuntimeSettings::max_concurrent_calls), whatever this says, so that one whose calls hang
    /// leaves places to the others; further calls wait in its queue.
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

    /// The most that [`Limits::table_elements`] can allow.
    pub const MAX_TABLE_ELEMENTS: u32 = 64 << 10;

    /// The same, with no more than one backend's part of all places.
    pub(crate) fn of_places(self, places: u32) -> Self {
        Self {
            concurrency: self.concurrency.min((places / SHARES).max(1)),
            ..self
        }
    }

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
            fetched_bytes: 32 << 20,
            delegations: 16,
            concurrency: gate.concurrency,
            queue: gate.queue,
            breaker_faults: gate.breaker_faults,
            breaker_cooldown: gate.breaker_cooldown,
        }
    }
}

/// One backend has at most one of so many parts of the engine's places.
const SHARES: u32 = 4;

/// A call went over the named limit. Travels as the cause of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("over the limit of {0}")]
pub(crate) struct LimitHit(pub(crate) &'static str);

/// What one call may still use.
#[derive(Debug)]
pub(crate) struct Meter {
    memory_left: usize,
    table_elements_left: usize,
    host_call_bytes_left: u64,
    log_lines_left: u32,
    lookups_left: u32,
    comparisons_left: u32,
    fetched_bytes_left: u64,
    delegations_left: u32,
    /// By the endpoints' names.
    endpoints: BTreeMap<String, EndpointUse>,
    /// Lines that were not logged.
    pub(crate) dropped_lines: u64,
    /// The growth that was refused, if one was: a guest that traps afterwards did so because of it.
    pub(crate) refused_growth: Option<LimitHit>,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_left: usize::try_from(limits.memory).unwrap_or(usize::MAX),
            table_elements_left: usize::try_from(limits.table_elements).unwrap_or(usize::MAX),
            host_call_bytes_left: limits.host_call_bytes,
            log_lines_left: limits.log_lines,
            lookups_left: limits.lookups,
            comparisons_left: limits.comparisons,
            fetched_bytes_left: limits.fetched_bytes,
            delegations_left: limits.delegations,
            endpoints: BTreeMap::new(),
            dropped_lines: 0,
            refused_growth: None,
        }
    }

    /// Fills up what counts per call; memory and tables stay as the instance occupies them.
    pub(crate) fn begin_again(&mut self, limits: &Limits) {
        *self = Self {
            memory_left: self.memory_left,
            table_elements_left: self.table_elements_left,
            ..Self::new(limits)
        };
    }

    pub(crate) fn grow_memory(&mut self, current: usize, desired: usize) -> bool {
        let granted = take(&mut self.memory_left, desired.saturating_sub(current));
        if !granted {
            self.refused_growth = Some(LimitHit("memory"));
        }
        granted
    }

    pub(crate) fn grow_table(&mut self, current: usize, desired: usize) -> bool {
        let granted = take(&mut self.table_elements_left, desired.saturating_sub(current));
        if !granted {
            self.refused_growth = Some(LimitHit("table elements"));
        }
        granted
    }

    /// Charges what a host function was given.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), LimitHit> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        match self.host_call_bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.host_call_bytes_left = left;
                Ok(())
            }
            None => Err(LimitHit("host-call bytes")),
        }
    }

    /// Whether one more line may be logged.
    pub(crate) fn take_log_line(&mut self) -> bool {
        let taken = take_one(&mut self.log_lines_left);
        self.dropped_lines += u64::from(!taken);
        taken
    }

    pub(crate) fn take_lookup(&mut self) -> bool {
        take_one(&mut self.lookups_left)
    }

    pub(crate) fn take_comparison(&mut self) -> bool {
        take_one(&mut self.comparisons_left)
    }

    pub(crate) fn take_delegation(&mut self) -> bool {
        take_one(&mut self.delegations_left)
    }

    /// Whether these bytes may be handed over. Once they may not, none may.
    pub(crate) fn take_fetched(&mut self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let left = self.fetched_bytes_left.checked_sub(bytes);
        self.fetched_bytes_left = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether one more connection to this endpoint may be had, of so many.
    pub(crate) fn take_connection(&mut self, endpoint: &str, most: u32) -> bool {
        let used = self.endpoint(endpoint);
        let taken = used.connections < most;
        used.connections += u32::from(taken);
        taken
    }

    /// Gives back what was taken for a connection that there was none of.
    pub(crate) fn return_connection(&mut self, endpoint: &str) {
        let used = self.endpoint(endpoint);
        used.connections = used.connections.saturating_sub(1);
    }

    /// How many bytes may still travel to and from this endpoint, of so many; `None` for none.
    pub(crate) fn net_bytes_left(&mut self, endpoint: &str, most: u64) -> Option<usize> {
        let used = self.endpoint(endpoint);
        let left = most.saturating_sub(used.bytes);
        used.is_over |= left == 0;
        (!used.is_over).then(|| usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Whether these bytes may travel to or from this endpoint, of so many. Once they may not, none may.
    pub(crate) fn take_net_bytes(&mut self, endpoint: &str, bytes: usize, most: u64) -> bool {
        let used = self.endpoint(endpoint);
        let sum = used.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        used.is_over |= sum > most;
        if !used.is_over {
            used.bytes = sum;
        }
        !used.is_over
    }

    fn endpoint(&mut self, name: &str) -> &mut EndpointUse {
        self.endpoints.entry(name.to_owned()).or_default()
    }
}

/// What one call has used of one endpoint.
#[derive(Debug, Default)]
struct EndpointUse {
    connections: u32,
    bytes: u64,
    is_over: bool,
}

fn take(left: &mut usize, amount: usize) -> bool {
    left.checked_sub(amount).map(|rest| *left = rest).is_some()
}

fn take_one(left: &mut u32) -> bool {
    left.checked_sub(1).map(|rest| *left = rest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Limits {
        Limits {
            memory: 100,
            host_call_bytes: 10,
            log_lines: 1,
            ..Limits::default()
        }
    }

    #[test]
    fn what_is_used_up_is_refused_and_what_is_dropped_is_counted() {
        let mut meter = Meter::new(&small());
        assert!(meter.take_log_line() && !meter.take_log_line() && !meter.take_log_line());
        assert_eq!(meter.dropped_lines, 2);
        assert_eq!(meter.charge(10), Ok(()));
        assert_eq!(meter.charge(1), Err(LimitHit("host-call bytes")));
    }

    #[test]
    fn each_endpoint_has_its_own_and_what_went_over_stays_over() {
        let mut meter = Meter::new(&small());
        assert!(meter.take_connection("a", 1) && !meter.take_connection("a", 1));
        assert!(meter.take_connection("b", 1));
        meter.return_connection("b");
        assert!(meter.take_connection("b", 1));
        assert!(meter.take_net_bytes("a", 6, 10));
        assert_eq!(
            (meter.net_bytes_left("a", 10), meter.net_bytes_left("b", 10)),
            (Some(4), Some(10))
        );
        assert!(!meter.take_net_bytes("a", 5, 10) && !meter.take_net_bytes("a", 1, 10));
        assert_eq!(meter.net_bytes_left("a", 10), None);
        assert!(meter.take_net_bytes("b", 10, 10));
        assert_eq!(meter.net_bytes_left("b", 10), None);
    }

    #[test]
    fn a_backend_has_a_quarter_of_all_places_at_most() {
        let limits = |concurrency| Limits { concurrency, ..small() };
        for (wanted, places, had) in [(64, 256, 64), (200, 256, 64), (8, 256, 8), (64, 2, 1)] {
            assert_eq!(limits(wanted).of_places(places).concurrency, had);
        }
    }

    #[test]
    fn memory_counts_over_all_memories_and_stays_counted_in_the_next_call() {
        let mut meter = Meter::new(&small());
        assert!(meter.grow_memory(0, 60) && !meter.grow_memory(0, 60));
        assert_eq!(meter.refused_growth, Some(LimitHit("memory")));
        meter.begin_again(&small());
        assert_eq!(meter.refused_growth, None);
        assert!(meter.grow_memory(60, 100) && !meter.grow_memory(0, 1));
    }
}
