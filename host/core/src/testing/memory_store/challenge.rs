//! Challenges.

use async_trait::async_trait;

use super::MemoryStore;
use crate::model::Timestamp;
use crate::port::{ChallengeStore, StoreError, StoredChallenge};

#[async_trait]
impl ChallengeStore for MemoryStore {
    async fn add_challenge(&self, challenge: &StoredChallenge) -> Result<(), StoreError> {
        let mut tables = self.open("add a challenge")?;
        tables.challenges.insert(challenge.digest, challenge.clone());
        Ok(())
    }

    async fn find_challenge(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<StoredChallenge>, StoreError> {
        let tables = self.open("find a challenge")?;
        let found = tables.challenges.get(digest);
        Ok(found.filter(|challenge| challenge.expires_at > now).cloned())
    }

    async fn finish_challenge(&self, digest: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.open("finish a challenge")?;
        let open = tables.challenges.get_mut(digest);
        let open = open.filter(|challenge| challenge.expires_at > now && !challenge.answered);
        Ok(open.map(|challenge| challenge.answered = true).is_some())
    }

    async fn sweep_challenges(&self, now: Timestamp, batch: u32) -> Result<u64, StoreError> {
        let mut tables = self.open("sweep challenges")?;
        let all = tables.challenges.values();
        let expired = all.filter(|challenge| challenge.expires_at < now);
        let swept: Vec<_> = expired.map(|challenge| challenge.digest).take(batch as usize).collect();
        for digest in &swept {
            tables.challenges.remove(digest);
        }
        Ok(swept.len() as u64)
    }
}
