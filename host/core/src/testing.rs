//! Doubles for the tests of this crate and of others: an in-memory store, a clock that stands still, backends made of closures. Not part of
//! the server: other crates get them through the feature `testing`, as a development dependency.

mod backend;
mod mail;
mod memory_store;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::access::AccessList;
use crate::model::{IdentityId, SessionId, Timestamp};
use crate::password::{PasswordError, PasswordParams, PasswordPool};
use crate::port::{Clock, SystemRandom};

pub use backend::{FakeBackend, FakeBackends, principal};
pub use mail::{Letterbox, PlainPages};
pub use memory_store::{MemoryStore, Pause};

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct StillClock(AtomicI64);

impl StillClock {
    /// A clock that stands at 2026-01-01T00:00:00.123456 UTC.
    pub fn new() -> Self {
        Self(AtomicI64::new(1_767_225_600_123_456))
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Default for StillClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// What grants everything, and is nobody's in particular.
pub fn everything() -> &'static AccessList {
    static EVERYTHING: LazyLock<AccessList> = LazyLock::new(|| {
        let nil = uuid::Uuid::nil();
        AccessList::new(&["#".to_owned()], IdentityId(nil), SessionId(nil))
    });
    &EVERYTHING
}

/// The cheapest parameters that argon2 takes.
pub const CHEAP: PasswordParams = PasswordParams {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};

/// A pool with the cheapest parameters.
///
/// # Errors
/// Never, in fact.
pub fn cheap_passwords(workers: usize, queue: usize) -> Result<PasswordPool, PasswordError> {
    PasswordPool::for_tests(CHEAP, workers, queue, Arc::new(SystemRandom))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
