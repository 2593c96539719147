//! Challenges that wait for their answers.

use async_trait::async_trait;

use super::StoreError;
use crate::model::Timestamp;

/// A challenge as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChallenge {
    /// A keyed hash of its transaction id.
    pub digest: [u8; 32],
    /// What is needed to go on, sealed under the master key. The store cannot open it.
    pub sealed: Vec<u8>,
    /// From when on it is no longer good.
    pub expires_at: Timestamp,
    /// Whether it was answered rightly: it is kept until it expires, so that who polls is told.
    pub answered: bool,
}

/// Challenges at rest: any node may get the answer.
#[async_trait]
pub trait ChallengeStore: Send + Sync {
    /// Keeps a challenge.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn add_challenge(&self, challenge: &StoredChallenge) -> Result<(), StoreError>;

    /// The challenge of this digest, if it has not expired at `now`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_challenge(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<StoredChallenge>, StoreError>;

    /// Notes that a challenge was answered rightly; returns `true` to one caller, however many ask at once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn finish_challenge(&self, digest: &[u8; 32], now: Timestamp) -> Result<bool, StoreError>;

    /// Removes at most `batch` of those that expired before `now`; returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sweep_challenges(&self, now: Timestamp, batch: u32) -> Result<u64, StoreError>;
}
