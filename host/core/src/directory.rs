//! The host's own users, tenants and policies: what an operator and the `directory` import do with them.

mod administrator;
mod error;
mod group;
mod guard;
mod policy;
mod prepare;
mod recovery;
mod tenant;
#[cfg(test)]
mod tests;
mod user;
mod validate;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Secret;
use crate::model::{AuthenticationMethod, Purpose, TenantId, TenantScope, TenantTree, UserId};
use crate::password::PasswordPool;
use crate::port::{Clock, Random, Revoked, Store, StoreError, Uniqueness};
use crate::rank::Ranks;
use crate::tenants::TenantDirectory;
use crate::token::{TokenCache, to_the_end};

pub use error::DirectoryError;
pub use policy::{ADMIN_POLICY, NewPolicy, PolicyChange};
pub use prepare::{FirstUser, ProvidedPolicy, Provisions, check_provided_group};
pub use recovery::{PreparedPassword, Registration};
pub use tenant::{AddTenant, TenantProfile};
pub use user::{SetEmail, method_for};

/// A user to be made.
#[derive(Debug, Clone, Default)]
pub struct AddUser {
    /// 1 to 256 characters, none of them a control character; `None` for a user who logs in by email address, or not at all.
    pub login: Option<String>,
    /// 1 to 1024 bytes; `None` for a user who cannot log in with a password.
    pub password: Option<Secret<Vec<u8>>>,
    /// Becomes the main address.
    pub email: Option<String>,
    /// Its given name.
    pub firstname: Option<String>,
    /// Its family name.
    pub lastname: Option<String>,
    /// Id, domain, realm or name; the top tenant if absent.
    pub tenant: Option<String>,
    /// Attaches the policy `admin`, which holds `#`.
    pub admin: bool,
    /// Its id; a new one if absent.
    pub id: Option<UserId>,
    /// What it is there for.
    pub purpose: Purpose,
    /// How it proves who it is. If absent, a person does as the tenant says, and a program with its password.
    pub authentication_method: Option<AuthenticationMethod>,
    /// It may not log in.
    pub disabled: bool,
    /// The address still has to be confirmed.
    pub unconfirmed: bool,
    /// Among whom its login and its address must be free.
    pub unique: Uniqueness,
}

/// Users, tenants and policies. The stores below it are never called by a dialect directly.
pub struct DirectoryService {
    store: Arc<dyn Store>,
    passwords: Arc<PasswordPool>,
    cache: Arc<TokenCache>,
    tenants: Arc<TenantDirectory>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// What new tenants start with.
    provisions: ArcSwap<Provisions>,
    /// By what somebody is more than others.
    ranks: ArcSwap<Ranks>,
    /// What digests are made with; `None` where no client sends any.
    digests: Option<user::Digests>,
}

impl DirectoryService {
    /// Over this store. Revocations that follow from removing a user or changing a password reach `cache` at once, and changed tenants `tenants`.
    pub fn new(
        store: Arc<dyn Store>,
        passwords: Arc<PasswordPool>,
        cache: Arc<TokenCache>,
        tenants: Arc<TenantDirectory>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            passwords,
            cache,
            tenants,
            clock,
            random,
            provisions: ArcSwap::default(),
            ranks: ArcSwap::default(),
            digests: None,
        }
    }

    /// The tenants, for questions about who is above whom.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn tenant_tree(&self) -> Result<Arc<TenantTree>, DirectoryError> {
        Ok(self.tenants.tree().await?)
    }

    /// Whether this tenant is one of those.
    async fn is_in_scope(&self, tenant: TenantId, scope: TenantScope) -> Result<bool, DirectoryError> {
        Ok(match scope {
            TenantScope::All => true,
            TenantScope::Only(only) => tenant == only,
            TenantScope::Subtree(top) => self.tenants.is_within(tenant, top).await?,
        })
    }

    /// The tenant of this id, domain, realm or name; the top tenant for `None`.
    async fn tenant_or_master(&self, selector: Option<&str>) -> Result<TenantId, DirectoryError> {
        match selector {
            None => Ok(self.tenants.master().await?),
            Some(text) => {
                let found = self.tenants.tree().await?.find(text);
                found.ok_or_else(|| DirectoryError::not_found("tenant", text))
            }
        }
    }

    /// Runs a change that ends tokens, and forgets them, to the end even if the caller hangs up. `None` if there was nothing to change.
    async fn revoking<F>(
        &self,
        action: &'static str,
        change: impl FnOnce(Arc<dyn Store>) -> F + Send + 'static,
    ) -> Result<Option<Revoked>, StoreError>
    where
        F: Future<Output = Result<Option<Revoked>, StoreError>> + Send,
    {
        let change = |store| async move { Ok(change(store).await?.map(|revoked| ((), revoked))) };
        Ok(self.revoking_with(action, change).await?.map(|((), revoked)| revoked))
    }

    /// As [`DirectoryService::revoking`], for a change that has an outcome besides.
    async fn revoking_with<T, F>(
        &self,
        action: &'static str,
        change: impl FnOnce(Arc<dyn Store>) -> F + Send + 'static,
    ) -> Result<Option<(T, Revoked)>, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<Option<(T, Revoked)>, StoreError>> + Send,
    {
        let (store, cache) = (Arc::clone(&self.store), Arc::clone(&self.cache));
        to_the_end(action, async move {
            let result = change(store).await;
            match &result {
                Ok(Some((_, revoked))) => cache.forget(revoked),
                // What the store refused by name, it has not written.
                Ok(None) | Err(StoreError::Conflict { .. }) => {}
                // Whether a store that failed has written is not known, so the cache must not answer in its place.
                Err(_) => cache.forget_all(),
            }
            result
        })
        .await
    }
}
