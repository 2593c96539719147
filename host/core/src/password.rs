//! Password verifiers, and the bounded pool that computes them.

use std::sync::Arc;

use crate::Secret;
use crate::port::{Random, StoredVerifier};

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
pub struct PasswordPool {}

impl PasswordPool {
    /// A pool of `workers` threads with room for `queue` waiting comparisons.
    ///
    /// # Errors
    /// [`PasswordError::TooWeak`].
    pub fn new(
        _params: PasswordParams,
        _workers: usize,
        _queue: usize,
        _random: Arc<dyn Random>,
    ) -> Result<Self, PasswordError> {
        todo!()
    }

    /// A verifier for a new password.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`].
    pub async fn hash(&self, _password: &Secret<Vec<u8>>) -> Result<StoredVerifier, PasswordError> {
        todo!()
    }

    /// Compares a password with a verifier. With `None` it does the work of a current verifier, and the answer is no.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(
        &self,
        _password: &Secret<Vec<u8>>,
        _verifier: Option<&StoredVerifier>,
    ) -> Result<Comparison, PasswordError> {
        todo!()
    }
}
