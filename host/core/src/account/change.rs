//! Changes of accounts, one after the other, each to its end even if the caller hangs up.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::current;
use crate::accounts::AccountDirectory;
use crate::directory::DirectoryError;
use crate::model::{Account, BackendName, IdentityId, Query, TenantId, TenantScope, Timestamp};
use crate::port::{Clock, Random, RevokeTarget, Revoked, SessionFilter, SessionOrder, Store, StoreError};
use crate::token::TokenCache;

/// What changes accounts.
#[derive(Clone)]
pub(super) struct Changes {
    store: Arc<dyn Store>,
    cache: Arc<TokenCache>,
    accounts: Arc<AccountDirectory>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// An account is read and then written: two at once would undo each other.
    turn: Arc<Mutex<()>>,
}

impl Changes {
    pub(super) fn new(
        store: Arc<dyn Store>,
        cache: Arc<TokenCache>,
        accounts: Arc<AccountDirectory>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            cache,
            accounts,
            clock,
            random,
            turn: Arc::default(),
        }
    }

    /// Makes of an account what `edit` makes of it, and returns it.
    pub(super) async fn change(
        &self,
        tenant: TenantId,
        edit: impl FnOnce(Account) -> Result<Account, DirectoryError> + Send + 'static,
    ) -> Result<Account, DirectoryError> {
        let own = self.clone();
        to_the_end("change an account", async move { own.write(tenant, edit).await }).await
    }

    /// Counts the API key of an account on, and ends the sessions of the key before.
    pub(super) async fn renew_key(&self, tenant: TenantId) -> Result<Account, DirectoryError> {
        let own = self.clone();
        to_the_end("renew an API key", async move {
            let next = |current: Account| {
                let api_key = current.api_key.checked_add(1);
                let api_key = api_key.ok_or(DirectoryError::Invalid {
                    field: "api_key",
                    rule: "it was made anew as often as it may",
                })?;
                Ok(Account { api_key, ..current })
            };
            let account = own.write(tenant, next).await?;
            let (backend, subject) = (BackendName::host(), super::key_subject(tenant));
            let (fresh, now) = (IdentityId(own.random.uuid()), own.clock.now());
            let identity = own.store.resolve_identity(&backend, &subject, fresh, now).await?;
            own.revoke(&RevokeTarget::Identity(identity)).await?;
            Ok(account)
        })
        .await
    }

    /// Ends what this target has.
    pub(super) async fn end(&self, target: RevokeTarget) -> Result<(), DirectoryError> {
        let own = self.clone();
        to_the_end("end sessions", async move { Ok(own.revoke(&target).await?) }).await
    }

    async fn write(
        &self,
        tenant: TenantId,
        edit: impl FnOnce(Account) -> Result<Account, DirectoryError> + Send,
    ) -> Result<Account, DirectoryError> {
        let _turn = self.turn.lock().await;
        let before = current(&*self.store, tenant).await?;
        let trial = before.trial_expires_at;
        let next = edit(before)?;
        let written = self.store.put_account(&next, self.clock.now()).await;
        // Also where the store failed, since it may have written.
        self.accounts.invalidate();
        self.forget(&written);
        written.map_err(|error| match error {
            StoreError::Missing { .. } => DirectoryError::not_found("tenant", &tenant.to_string()),
            error => error.into(),
        })?;
        if let Some(end) = next.trial_expires_at
            && trial.is_none_or(|before| end < before)
        {
            self.end_what_outlives(tenant, end).await?;
        }
        Ok(next)
    }

    /// No session is good after the end of the trial: those that were opened before that was said end now.
    async fn end_what_outlives(&self, tenant: TenantId, end: Timestamp) -> Result<(), StoreError> {
        let query = Query::<SessionFilter, SessionOrder>::all(TenantScope::Only(tenant));
        let sessions = self.store.list_sessions(&query).await?.items;
        for listed in sessions {
            if listed.expires_at.is_some_and(|expires_at| expires_at > end) {
                self.revoke(&RevokeTarget::Session(listed.session.id)).await?;
            }
        }
        Ok(())
    }

    async fn revoke(&self, target: &RevokeTarget) -> Result<(), StoreError> {
        let revoked = self.store.revoke(target, self.clock.now()).await;
        self.forget(&revoked);
        revoked.map(drop)
    }

    fn forget(&self, outcome: &Result<Revoked, StoreError>) {
        match outcome {
            Ok(revoked) => self.cache.forget(revoked),
            // What the store refused by name, it has not written.
            Err(StoreError::Conflict { .. } | StoreError::Missing { .. }) => {}
            // Whether a store that failed has written is not known, so the cache must not answer in its place.
            Err(_) => self.cache.forget_all(),
        }
    }
}

/// Runs a change to its end even if the caller hangs up: between the store and the caches, an account would be one thing in the one and another in the others.
pub(super) async fn to_the_end<T: Send + 'static>(
    action: &'static str,
    work: impl Future<Output = Result<T, DirectoryError>> + Send + 'static,
) -> Result<T, DirectoryError> {
    tokio::spawn(work).await.unwrap_or_else(|panicked| {
        let source = Box::new(panicked);
        Err(StoreError::Unavailable { action, source }.into())
    })
}
