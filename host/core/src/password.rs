//! Password verifiers, and the bounded pool that computes them.
//!
//! Every comparison without a verifier costs what one with a current verifier costs, so that an unknown user looks like a wrong password.
//! While a user's verifier still has other parameters than the current ones, the two can be told apart by time; the user's next login renews it.

mod compute;
mod phc;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::Secret;
use crate::port::{Random, StoredVerifier};

use compute::{Argon2Cost, Outcome, Task};
use phc::Verifier;

/// Argon2id parameters for new verifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for PasswordParams {
    fn default() -> Self {
        Self {
            memory_kib: 64 * 1024,
            iterations: 3,
            parallelism: 1,
        }
    }
}

impl PasswordParams {
    /// Whether these are at least OWASP's minimum for argon2id, and parameters that argon2 takes at all.
    ///
    /// # Errors
    /// [`PasswordError::TooWeak`].
    pub fn check(self) -> Result<(), PasswordError> {
        let strong = match self.iterations {
            0 => false,
            1 => self.memory_kib >= 46 * 1024,
            _ => self.memory_kib >= 19 * 1024,
        };
        if strong && self.cost().is_some() {
            Ok(())
        } else {
            Err(PasswordError::TooWeak)
        }
    }

    fn cost(self) -> Option<Argon2Cost> {
        Argon2Cost::new(self.memory_kib, self.iterations, self.parallelism)
    }
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// Whether the password belongs to the verifier.
    pub matches: bool,
    /// Whether the verifier should be made anew, under the current parameters.
    pub outdated: bool,
}

/// Why a verifier was not computed or compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The parameters are weaker than OWASP's minimum.
    #[error("these parameters are below the minimum; use at least 19 MiB with 2 passes, or 46 MiB with 1")]
    TooWeak,
    /// The queue is full.
    #[error("the password pool is saturated")]
    Saturated,
    /// The verifier is none that Keyway knows; the value names the scheme and never holds the verifier.
    #[error("verifiers of the scheme `{0}` are not supported")]
    Unsupported(String),
    /// The verifier demands more than one comparison may cost.
    #[error("the verifier demands too much memory or time")]
    TooCostly,
}

/// Computes verifiers on a bounded number of threads, so that memory is bounded.
pub struct PasswordPool {
    current: Argon2Cost,
    pool: pool::Pool,
    random: Arc<dyn Random>,
}

impl PasswordPool {
    /// A pool of `workers` threads (at least one) with room for `queue` waiting comparisons.
    ///
    /// # Errors
    /// [`PasswordError::TooWeak`].
    pub fn new(
        params: PasswordParams,
        workers: usize,
        queue: usize,
        random: Arc<dyn Random>,
    ) -> Result<Self, PasswordError> {
        params.check()?;
        Self::unchecked(params, workers, queue, random)
    }

    /// A pool that tests can afford: whatever argon2 takes will do.
    ///
    /// # Errors
    /// [`PasswordError::TooWeak`] for what argon2 itself refuses.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(
        params: PasswordParams,
        workers: usize,
        queue: usize,
        random: Arc<dyn Random>,
    ) -> Result<Self, PasswordError> {
        Self::unchecked(params, workers, queue, random)
    }

    fn unchecked(
        params: PasswordParams,
        workers: usize,
        queue: usize,
        random: Arc<dyn Random>,
    ) -> Result<Self, PasswordError> {
        let current = params.cost().ok_or(PasswordError::TooWeak)?;
        Ok(Self {
            current,
            pool: pool::Pool::new(workers.max(1), queue, current.memory_kib),
            random,
        })
    }

    /// A verifier for a new password.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`].
    pub async fn hash(&self, password: &Secret<Vec<u8>>) -> Result<StoredVerifier, PasswordError> {
        let verifier = self.fresh();
        match self.pool.compute(Task::new(password, verifier.clone())).await? {
            Outcome::Computed(hash) => Ok(verifier.with_hash(&hash)),
            Outcome::Failed => Err(PasswordError::TooCostly),
        }
    }

    /// Compares a password with a verifier. With `None` it does the work of a current verifier, and the answer is no.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(
        &self,
        password: &Secret<Vec<u8>>,
        verifier: Option<&StoredVerifier>,
    ) -> Result<Comparison, PasswordError> {
        let parsed = verifier.map(|text| Verifier::parse(text.expose())).transpose()?;
        if let Some(verifier) = &parsed {
            verifier.scheme.check_cost(self.current)?;
        }
        let known = parsed.is_some();
        let verifier = parsed.unwrap_or_else(|| self.fresh());
        let outdated = known && !verifier.is_current(self.current);
        let stored = verifier.hash.clone();
        match self.pool.compute(Task::new(password, verifier)).await? {
            Outcome::Computed(hash) => Ok(Comparison {
                matches: hash == stored && known,
                outdated,
            }),
            Outcome::Failed => Err(PasswordError::TooCostly),
        }
    }

    /// How many verifiers have been computed since the start, those of unknown users included.
    pub fn computed(&self) -> u64 {
        self.pool.computed()
    }

    /// How much memory is held for computations now, in KiB; none after a second without any.
    pub fn held_kib(&self) -> usize {
        self.pool.held_kib()
    }

    /// A current verifier with a fresh salt, its hash yet to be computed.
    fn fresh(&self) -> Verifier {
        let mut salt = vec![0; phc::SALT_LENGTH];
        self.random.fill(&mut salt);
        Verifier::current(self.current, salt)
    }
}
