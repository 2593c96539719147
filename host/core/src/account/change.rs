//! Changes of accounts, one after the other, each to its end even if the caller hangs up.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::current;
use crate::accounts::AccountDirectory;
use crate::directory::DirectoryError;
use crate::model::{Account, BackendName, IdentityId, TenantId};
use crate::port::{Clock, Random, RevokeTarget, Store, StoreError};
use crate::token::TokenCache;

/// How often a change is tried while others change the same thing at other nodes.
pub(super) const MAX_ATTEMPTS: usize = 32;

/// What changes accounts.
#[derive(Clone)]
pub(super) struct Changes {
    store: Arc<dyn Store>,
    cache: Arc<TokenCache>,
    accounts: Arc<AccountDirectory>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// An account is read and then written, if nobody did so in between: here they wait for each other.
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
        edit: impl Fn(Account) -> Result<Account, DirectoryError> + Send + Sync + 'static,
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

    async fn write(
        &self,
        tenant: TenantId,
        edit: impl Fn(Account) -> Result<Account, DirectoryError> + Send + Sync,
    ) -> Result<Account, DirectoryError> {
        let _turn = self.turn.lock().await;
        for _ in 0..MAX_ATTEMPTS {
            let before = current(&*self.store, tenant).await?;
            let next = edit(before.clone())?;
            let written = self.store.put_account(&before, &next, self.clock.now()).await;
            // Also where the store failed, since it may have written.
            self.accounts.invalidate();
            match written {
                Ok(Some(revoked)) => {
                    self.cache.forget(&revoked);
                    return Ok(next);
                }
                // Another node changed it in between.
                Ok(None) => {}
                Err(StoreError::Missing { .. }) => {
                    return Err(DirectoryError::not_found("tenant", &tenant.to_string()));
                }
                Err(error) => {
                    self.forget_what_may_have_ended(&error);
                    return Err(error.into());
                }
            }
        }
        Err(overtaken("change an account").into())
    }

    async fn revoke(&self, target: &RevokeTarget) -> Result<(), StoreError> {
        let revoked = self.store.revoke(target, self.clock.now()).await;
        match revoked {
            Ok(revoked) => {
                self.cache.forget(&revoked);
                Ok(())
            }
            Err(error) => {
                self.forget_what_may_have_ended(&error);
                Err(error)
            }
        }
    }

    fn forget_what_may_have_ended(&self, error: &StoreError) {
        match error {
            // What the store refused by name, it has not written.
            StoreError::Conflict { .. } | StoreError::Missing { .. } => {}
            // Whether a store that failed has written is not known, so the cache must not answer in its place.
            _ => self.cache.forget_all(),
        }
    }
}

/// What is to be said where others change the same thing at other nodes all the time.
pub(super) fn overtaken(action: &'static str) -> StoreError {
    StoreError::Unavailable {
        action,
        source: "others changed it at the same time, again and again".into(),
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
