//! Password verifiers, and the bounded pool that computes them.
//!
//! Each backend has its share of the pool, and so have logins that no backend judges and the operators' own work: the shares take turns, so nobody
//! waits long behind what others ask for.
//!
//! Every comparison without a verifier costs what one with a current verifier costs, so that an unknown user looks like a wrong password.
//! While a user's verifier still has other parameters than the current ones, the two can be told apart by time; the user's next login renews it.

mod compute;
mod cost;
mod crypt;
mod digest;
mod hash64;
mod phc;
mod pool;
mod queue;
mod tagged;
#[cfg(test)]
mod tests;
mod verifier;

use std::sync::Arc;

use crate::Secret;
use crate::model::BackendName;
use crate::port::{Random, StoredVerifier};

use compute::{Outcome, Task};
use cost::{Argon2Cost, Ceiling};
use verifier::Verifier;

pub(crate) use digest::DigestCost;
pub use digest::DigestKey;

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

/// For whom something is computed. Shares with computations waiting take the pool's threads in turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Share {
    /// Logins that no backend judges.
    Unjudged,
    /// Users who are added, and passwords that are set.
    Directory,
    /// The logins of one backend.
    Backend(BackendName),
}

/// How a comparison with a stored verifier ended.
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
    /// The share has as many computations waiting as it may.
    #[error("the password pool is saturated")]
    Saturated,
    /// The verifier is none that Keyway knows; the value names the scheme and never holds the verifier.
    #[error("verifiers of the scheme `{0}` are not supported")]
    Unsupported(String),
    /// The verifier demands more than one comparison may cost.
    #[error("the verifier demands too much memory or time")]
    TooCostly,
}

/// A verifier that another system made with PBKDF2-HMAC-SHA-512; `None` if its salt or its hash has a length that is not accepted. The user's
/// next login renews it.
pub fn pbkdf2_sha512_verifier(rounds: u32, salt: &[u8], hash: &Secret<Vec<u8>>) -> Option<StoredVerifier> {
    phc::pbkdf2_sha512(rounds, salt, hash)
}

/// Computes verifiers on a bounded number of threads, so that memory is bounded.
pub struct PasswordPool {
    current: Argon2Cost,
    pool: pool::Pool,
    random: Arc<dyn Random>,
}

impl PasswordPool {
    /// A pool of `workers` threads (at least one) with room for `queue` waiting computations of each share.
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
    pub async fn hash(&self, share: &Share, password: &Secret<Vec<u8>>) -> Result<StoredVerifier, PasswordError> {
        let verifier = self.fresh();
        let hash = self.compute(share, password, verifier.clone()).await?;
        Ok(phc::argon2id(self.current, &verifier.salt, &hash))
    }

    /// Does the work of a current verifier, for nothing.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`].
    pub async fn burn(&self, share: &Share, password: &Secret<Vec<u8>>) -> Result<(), PasswordError> {
        self.compute(share, password, self.fresh()).await.map(drop)
    }

    /// Compares a password with a verifier of the host's own. With `None` it does the work of a current verifier, and the answer is no.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`]. For a verifier that cannot be used [`PasswordError::Unsupported`] or [`PasswordError::TooCostly`], after
    /// the work of a current one, so that its user looks like any other.
    pub async fn verify_stored(
        &self,
        share: &Share,
        password: &Secret<Vec<u8>>,
        verifier: Option<&StoredVerifier>,
    ) -> Result<Comparison, PasswordError> {
        let Some(verifier) = verifier else {
            self.burn(share, password).await?;
            return Ok(Comparison {
                matches: false,
                outdated: false,
            });
        };
        let ceiling = Ceiling::stored(self.current);
        let compared = match Verifier::parse(verifier.expose(), ceiling) {
            Ok(verifier) => {
                let outdated = !verifier.is_current(self.current);
                let compared = self.compare(share, password, verifier, ceiling).await;
                compared.map(|matches| Comparison { matches, outdated })
            }
            Err(error) => Err(error),
        };
        if let Err(PasswordError::Unsupported(_) | PasswordError::TooCostly) = compared {
            self.burn(share, password).await?;
        }
        compared
    }

    /// Whether a value belongs to a verifier that somebody else wrote, a plugin for example: one that costs more than twice what a current one
    /// costs, in memory or in time, is refused. With `None` it does the work of a current verifier, and the answer is no.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`], [`PasswordError::Unsupported`], [`PasswordError::TooCostly`].
    pub async fn compare_untrusted(
        &self,
        share: &Share,
        value: &Secret<Vec<u8>>,
        verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError> {
        let Some(verifier) = verifier else {
            self.burn(share, value).await?;
            return Ok(false);
        };
        let ceiling = Ceiling::untrusted(self.current);
        let verifier = Verifier::parse(verifier.expose(), ceiling)?;
        self.compare(share, value, verifier, ceiling).await
    }

    async fn compare(
        &self,
        share: &Share,
        value: &Secret<Vec<u8>>,
        verifier: Verifier,
        ceiling: Ceiling,
    ) -> Result<bool, PasswordError> {
        if !verifier.takes(value.expose(), ceiling) {
            self.burn(share, value).await?;
            return Ok(false);
        }
        let stored = verifier.hash.clone();
        Ok(self.compute(share, value, verifier).await? == stored)
    }

    async fn compute(
        &self,
        share: &Share,
        value: &Secret<Vec<u8>>,
        verifier: Verifier,
    ) -> Result<Secret<Vec<u8>>, PasswordError> {
        match self.pool.compute(share, Task::new(value, verifier)).await? {
            Outcome::Computed(hash) => Ok(hash),
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
        let mut salt = vec![0; verifier::SALT_LENGTH];
        self.random.fill(&mut salt);
        Verifier::current(self.current, salt)
    }
}
