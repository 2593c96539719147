//! A positive cache in front of the store, which revocation reaches at once.
//!
//! A look-up that reads a token from the store while that token is revoked must not put it back. So whoever means to insert takes a ticket
//! *before* it reads; a revocation invalidates the tickets of its shard under the lock that an insertion holds, and then removes. Either the
//! insertion comes first and the removal finds it, or its ticket is no longer good.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::sync::Cache;

use super::LiveToken;
use crate::model::TokenDigest;
use crate::port::{Change, Revoked};

/// How many parts tickets are counted in: a revocation disturbs one of so many look-ups under way.
const SHARDS: usize = 256;

/// Live tokens by digest.
pub struct TokenCache {
    tokens: Cache<TokenDigest, Arc<LiveToken>>,
    epochs: Box<[RwLock<u64>]>,
    /// Whether this node hears of revocations made elsewhere.
    trusted: AtomicBool,
}

/// Leave to insert one token, if nothing is revoked meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    digest: TokenDigest,
    epoch: u64,
}

impl TokenCache {
    /// Holds at most `capacity` tokens.
    pub fn new(capacity: usize) -> Self {
        Self {
            tokens: Cache::new(capacity),
            epochs: (0..SHARDS).map(|_| RwLock::new(0)).collect(),
            trusted: AtomicBool::new(true),
        }
    }

    /// Forgets what a revocation ended. A look-up that is under way cannot bring it back.
    pub fn forget(&self, revoked: &Revoked) {
        for digest in &revoked.tokens {
            self.forget_token(digest);
        }
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        for epoch in &self.epochs {
            advance(epoch);
        }
        self.tokens.clear();
    }

    /// Follows a change that another node made.
    pub fn apply(&self, change: &Change) {
        match change {
            Change::TokensRevoked(digests) => {
                for digest in digests {
                    self.forget_token(digest);
                }
            }
            Change::AnyTokenRevoked => self.forget_all(),
            Change::TenantsChanged | Change::DocumentsChanged => {}
            Change::FeedLost => {
                self.trusted.store(false, Ordering::SeqCst);
                self.forget_all();
            }
            Change::FeedRestored => {
                self.forget_all();
                self.trusted.store(true, Ordering::SeqCst);
            }
        }
    }

    /// A token that was live when it was last read, and was not revoked since. It may have expired. While the feed is lost there are none here:
    /// losing it forgets them all, and [`TokenCache::insert`] lets none in.
    pub(super) fn get(&self, digest: &TokenDigest) -> Option<Arc<LiveToken>> {
        self.tokens.get(digest)
    }

    /// To be taken before the store is read or written.
    pub(super) fn ticket(&self, digest: TokenDigest) -> Ticket {
        let epoch = self.epoch(&digest);
        Ticket {
            digest,
            epoch: epoch.map_or(0, |epoch| *epoch.read().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Inserts unless something in the ticket's shard was revoked since; returns whether it did.
    pub(super) fn insert(&self, ticket: Ticket, live: Arc<LiveToken>) -> bool {
        let Some(epoch) = self.epoch(&ticket.digest) else {
            return false;
        };
        let epoch = epoch.read().unwrap_or_else(PoisonError::into_inner);
        let good = *epoch == ticket.epoch && self.trusted.load(Ordering::SeqCst);
        if good {
            self.tokens.insert(ticket.digest, live);
        }
        good
    }

    /// Forgets one token.
    pub(super) fn forget_token(&self, digest: &TokenDigest) {
        if let Some(epoch) = self.epoch(digest) {
            advance(epoch);
        }
        self.tokens.remove(digest);
    }

    /// Forgets one token, and all of those with which somebody acts in another's place: which of them were opened with this one's session, nobody knows who
    /// does not have that one here.
    pub(super) fn forget_token_and_actors(&self, digest: &TokenDigest) {
        for epoch in &self.epochs {
            advance(epoch);
        }
        self.tokens
            .retain(|known, live| known != digest && live.record.session.actor.is_none());
    }

    /// Removes a token that has expired, and disturbs nobody.
    pub(super) fn evict(&self, digest: &TokenDigest) {
        self.tokens.remove(digest);
    }

    /// The digest is a keyed hash, so any byte of it spreads evenly.
    fn epoch(&self, digest: &TokenDigest) -> Option<&RwLock<u64>> {
        let [first, ..] = digest.hash;
        self.epochs.get(usize::from(first))
    }
}

fn advance(epoch: &RwLock<u64>) {
    *epoch.write().unwrap_or_else(PoisonError::into_inner) += 1;
}
