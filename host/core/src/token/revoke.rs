//! Ending tokens before their time: in the store first, then in the cache.

use std::sync::Arc;

use super::{TokenCache, TokenError, TokenService, TokenValue};
use crate::model::Timestamp;
use crate::port::{RevokeTarget, Revoked, Store, StoreError};

impl TokenService {
    /// Ends one token; returns whether there was one.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn revoke(&self, token: &TokenValue) -> Result<bool, TokenError> {
        let mut found = false;
        for digest in self.keys.digests(token) {
            let revoked = self.revoke_all(&RevokeTarget::Token(digest)).await?;
            found |= !revoked.tokens.is_empty();
        }
        Ok(found)
    }

    /// Ends all tokens of the target. For a whole identity, plugin or tenant, logins under way are refused.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn revoke_all(&self, target: &RevokeTarget) -> Result<Revoked, TokenError> {
        let (target, store, cache) = (target.clone(), Arc::clone(&self.store), Arc::clone(&self.cache));
        let now = self.clock.now();
        let revoked = to_the_end(
            "revoke tokens",
            async move { revoke(&*store, &cache, &target, now).await },
        )
        .await?;
        tracing::info!(
            tokens = revoked.tokens.len(),
            sessions = revoked.sessions.len(),
            "tokens revoked"
        );
        Ok(revoked)
    }
}

/// In the store first, then in the cache.
pub(super) async fn revoke(
    store: &dyn Store,
    cache: &TokenCache,
    target: &RevokeTarget,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    let result = store.revoke(target, now).await;
    match (&result, target) {
        (Ok(revoked), _) => cache.forget(revoked),
        // Whether a store that failed has written is not known, so the cache must not answer in its place.
        (Err(_), RevokeTarget::Token(digest)) => cache.forget_token_and_actors(digest),
        (
            Err(_),
            RevokeTarget::Session(_) | RevokeTarget::Identity(_) | RevokeTarget::Plugin(_) | RevokeTarget::Tenant(_),
        ) => cache.forget_all(),
    }
    result
}

/// Runs a revocation to its end even if the caller hangs up in the middle: between the store and the cache, a token would be gone in the one and
/// good in the other.
pub(crate) async fn to_the_end<T: Send + 'static>(
    action: &'static str,
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work).await.unwrap_or_else(|panicked| {
        Err(StoreError::Unavailable {
            action,
            source: Box::new(panicked),
        })
    })
}
