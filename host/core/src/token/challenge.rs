//! Challenges between two steps of a login: sealed, kept in the store so that any node may get the answer, and good for two minutes.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{FactorRule, TokenError};
use crate::Secret;
use crate::key::MasterKey;
use crate::model::{BackendName, IdentityId, PluginDigest, Principal};
use crate::port::{ChallengeStore, Clock, Random, StoreError, StoredChallenge};

/// How long a challenge may be answered.
pub const CHALLENGE_LIFE: Duration = Duration::from_mins(2);

/// What a transaction id is made of. Clients of privacyIDEA take it for a number of 20 digits.
const DIGITS: usize = 20;

/// What is needed to go on with a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The backend that the first step went to.
    pub(super) backend: BackendName,
    /// The tenant that the caller named.
    pub(super) tenant: Option<String>,
    /// The login name as the caller wrote it.
    pub(super) identifier: String,
    /// The realm that the caller named beside it.
    #[serde(default)]
    pub(super) realm: Option<String>,
    /// What the first step asked of factors: an answer that asks for less is none.
    pub(super) rule: FactorRule,
    /// The revocation mark from before the first step.
    pub(super) since: i64,
    /// What the answer is an answer to.
    pub(super) subject: PendingSubject,
}

/// What the answer is an answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PendingSubject {
    /// One-time passwords of somebody's factors.
    Factors {
        /// Whose.
        identity: IdentityId,
        /// Who that is in the backend's words.
        principal: Box<Principal>,
        /// Which plugin file says so.
        plugin: PluginDigest,
        /// The factors.
        serials: Vec<String>,
    },
    /// The backend's own challenge.
    Backend {
        /// The backend's state.
        state: Vec<u8>,
    },
}

/// Where a challenge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeState {
    /// It waits for its answer, or there is none of this id any more: nobody can tell which.
    Pending,
    /// It was answered rightly.
    Accepted,
}

/// The challenges that wait for their answers.
pub struct Challenges {
    store: Arc<dyn ChallengeStore>,
    master: MasterKey,
    digests: Hmac<Sha256>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Challenges {
    /// Over this store, sealing under this key.
    pub fn new(
        store: Arc<dyn ChallengeStore>,
        master: &MasterKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            digests: crate::key::keyed(master.derive("keyway/challenge/v1").expose()),
            master: master.clone(),
            clock,
            random,
        }
    }

    /// Keeps a challenge; returns its transaction id.
    pub(super) async fn begin(&self, pending: &Pending) -> Result<String, TokenError> {
        let transaction = self.transaction();
        let digest = self.digest(&transaction);
        let text = serde_json::to_vec(pending).map_err(|_| inconsistent("a challenge cannot be written as JSON"))?;
        let stored = StoredChallenge {
            digest,
            sealed: self.master.seal(&place(&digest), &Secret::new(text), &*self.random),
            expires_at: self.clock.now().plus(CHALLENGE_LIFE),
            answered: false,
        };
        self.store.add_challenge(&stored).await?;
        Ok(transaction)
    }

    /// The challenge of this transaction id, if it still waits for its answer.
    pub(super) async fn find(&self, transaction: &str) -> Result<Option<Pending>, TokenError> {
        let Some(stored) = self.stored(transaction).await?.filter(|stored| !stored.answered) else {
            return Ok(None);
        };
        let opened = self.master.open(&place(&stored.digest), &stored.sealed);
        let opened =
            opened.ok_or_else(|| inconsistent("`challenge.sealed` does not open; is the master key the right one?"))?;
        let pending = serde_json::from_slice(opened.expose());
        pending
            .map(Some)
            .map_err(|_| inconsistent("`challenge.sealed` is no challenge"))
    }

    /// Notes that it was answered. Returns `true` once, however many ask at the same time.
    pub(super) async fn finish(&self, transaction: &str) -> Result<bool, TokenError> {
        let digest = self.digest(transaction);
        Ok(self.store.finish_challenge(&digest, self.clock.now()).await?)
    }

    pub(super) async fn state(&self, transaction: &str) -> Result<ChallengeState, TokenError> {
        let stored = self.stored(transaction).await?;
        Ok(match stored {
            Some(StoredChallenge { answered: true, .. }) => ChallengeState::Accepted,
            Some(_) | None => ChallengeState::Pending,
        })
    }

    /// Removes those that have expired.
    pub(super) async fn sweep(&self, batch: u32) -> Result<(), TokenError> {
        while self.store.sweep_challenges(self.clock.now(), batch).await? >= u64::from(batch) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn stored(&self, transaction: &str) -> Result<Option<StoredChallenge>, TokenError> {
        if transaction.len() != DIGITS {
            return Ok(None);
        }
        let digest = self.digest(transaction);
        Ok(self.store.find_challenge(&digest, self.clock.now()).await?)
    }

    /// 20 random digits. Bytes from 250 on are thrown away, so that all digits are equally likely.
    fn transaction(&self) -> String {
        let mut text = String::with_capacity(DIGITS);
        while text.len() < DIGITS {
            let mut bytes = [0; DIGITS * 2];
            self.random.fill(&mut bytes);
            let fair = bytes.iter().filter(|byte| **byte < 250);
            let digits = fair.map(|byte| char::from(b'0' + byte % 10));
            text.extend(digits.take(DIGITS - text.len()));
        }
        text
    }

    fn digest(&self, transaction: &str) -> [u8; 32] {
        let mut hmac = self.digests.clone();
        hmac.update(transaction.as_bytes());
        hmac.finalize().into_bytes().into()
    }
}

fn place(digest: &[u8; 32]) -> String {
    format!("challenge/{}", hex::encode(digest))
}

fn inconsistent(what: &str) -> TokenError {
    TokenError::Store(StoreError::Inconsistent { what: what.to_owned() })
}
