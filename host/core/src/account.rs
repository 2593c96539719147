//! Accounts and profiles: what Kazoo's and Webitel's clients read and change of tenants and users, and what somebody is to them.

mod attempt;
mod change;
mod create;
mod key;
mod profile;
mod queue;
mod right;
#[cfg(test)]
mod tests;
mod validate;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::accounts::{AccountDirectory, AccountIndex};
use crate::directory::{DirectoryError, DirectoryService, TenantProfile};
use crate::model::{Account, TenantId, TenantScope};
use crate::port::{Clock, Random, Store, StoreError};
use crate::rights::Rights;
use crate::token::TokenCache;

pub use create::NewAccount;
pub use key::key_subject;
pub(crate) use profile::change_profile;

use change::{Changes, to_the_end};
use queue::Queue;

/// What the operator says of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// What the same person is to each dialect.
    pub rights: Rights,
    /// The slug of the top tenant's policy that every user has, as in [`crate::token::TokenSettings`].
    pub default_user_policy: Option<String>,
    /// How long attempts to log in are kept.
    pub attempts_keep: Duration,
    /// How often older ones are removed; zero for never.
    pub sweep_interval: Duration,
}

/// Accounts, profiles, levels and roles, API keys, attempts to log in. Tenants and users themselves are [`DirectoryService`]'s.
pub struct AccountService {
    store: Arc<dyn Store>,
    accounts: Arc<AccountDirectory>,
    directory: Arc<DirectoryService>,
    clock: Arc<dyn Clock>,
    rights: ArcSwap<Rights>,
    settings: AccountSettings,
    changes: Changes,
    attempts: Queue,
}

impl AccountService {
    /// Over this store. `directory` and `accounts` must be over the same tenants; revocations that follow from a change reach `cache` at once.
    pub fn new(
        store: Arc<dyn Store>,
        cache: Arc<TokenCache>,
        accounts: Arc<AccountDirectory>,
        directory: Arc<DirectoryService>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: AccountSettings,
    ) -> Self {
        let changes = Changes::new(
            Arc::clone(&store),
            cache,
            Arc::clone(&accounts),
            Arc::clone(&clock),
            random,
        );
        directory.rank_by(&settings.rights, settings.default_user_policy.as_deref());
        Self {
            attempts: Queue::new(Arc::clone(&store) as _),
            store,
            accounts,
            directory,
            clock,
            rights: ArcSwap::from_pointee(settings.rights.clone()),
            settings,
            changes,
        }
    }

    /// All accounts, as they are now.
    ///
    /// # Errors
    /// As [`AccountDirectory::index`].
    pub async fn index(&self) -> Result<Arc<AccountIndex>, StoreError> {
        self.accounts.index().await
    }

    /// An account, as the store has it now.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_account(&self, tenant: TenantId) -> Result<Account, DirectoryError> {
        current(&*self.store, tenant).await
    }

    /// Makes of an account what `edit` makes of it as it is when it is written, and returns it: what `edit` takes over from there, nobody's older reading brings
    /// back. [`Account::reseller`] and [`Account::api_key`] stay as they are: see [`AccountService::set_reseller`] and [`AccountService::renew_api_key`]. If it
    /// is closed then, all sessions and refresh tokens of its users and of those of the accounts below it end; if it is on trial, none of their tokens is good
    /// after that. `edit` may be asked several times.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`]; [`DirectoryError::Invalid`], also for a top account that nobody may log in to; [`StoreError::Conflict`] on
    /// `phone number`; [`DirectoryError::Store`].
    pub async fn change_account(
        &self,
        tenant: TenantId,
        edit: impl Fn(Account) -> Account + Send + Sync + 'static,
    ) -> Result<Account, DirectoryError> {
        let edit = checked(self.index().await?.master(), edit);
        self.changes.change(tenant, edit).await
    }

    /// As [`AccountService::change_account`], with another name and another realm of the tenant: all of it, or nothing.
    ///
    /// # Errors
    /// As [`AccountService::change_account`] and [`DirectoryService::update_tenant_and_realm`].
    pub async fn change_account_and_tenant(
        &self,
        tenant: TenantId,
        edit: impl Fn(Account) -> Account + Send + Sync + 'static,
        name: Option<String>,
        realm: Option<String>,
    ) -> Result<Account, DirectoryError> {
        let edit = checked(self.index().await?.master(), edit);
        // All that can be refused without the store comes before the tenant is another one; sessions end last, for they do not come back.
        edit(self.get_account(tenant).await?)?;
        let (directory, changes) = (Arc::clone(&self.directory), self.changes.clone());
        to_the_end("change an account", async move {
            let scope = TenantScope::Only(tenant);
            let before = directory.get_tenant(tenant, scope).await?;
            let profile = TenantProfile {
                name,
                ..TenantProfile::from(&before)
            };
            directory
                .update_tenant_and_realm(tenant, profile, realm, scope)
                .await?;
            let changed = changes.change(tenant, edit).await;
            if changed.is_err() {
                let (profile, realm) = (TenantProfile::from(&before), before.realm);
                if let Err(left) = directory.update_tenant_and_realm(tenant, profile, realm, scope).await {
                    let error = &left as &dyn Error;
                    tracing::warn!(%tenant, error, "the tenant of an account that could not be changed was not put back");
                }
            }
            changed
        })
        .await
    }

    /// Makes an account a reseller, or none any more.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`]; [`DirectoryError::Invalid`] for the top account, and while there is a reseller below the account.
    pub async fn set_reseller(&self, tenant: TenantId, reseller: bool) -> Result<Account, DirectoryError> {
        let index = self.index().await?;
        let resells = |id: TenantId| index.get(id).is_some_and(|(_, account)| account.reseller);
        let refuse = |rule| {
            Err(DirectoryError::Invalid {
                field: "reseller",
                rule,
            })
        };
        if tenant == index.master() {
            return refuse("the top account stands above all resellers");
        }
        if index.descendants(tenant).into_iter().any(resells) {
            return refuse("there is a reseller below the account");
        }
        let edit = move |current: Account| Ok(Account { reseller, ..current });
        self.changes.change(tenant, edit).await
    }

    /// Removes an account below `own` and all that it owns.
    ///
    /// # Errors
    /// As [`DirectoryService::remove_whole_tenant`].
    pub async fn remove_account(&self, tenant: TenantId, own: TenantId) -> Result<(), DirectoryError> {
        self.directory.remove_whole_tenant(tenant, own).await
    }
}

/// What `edit` makes of an account, but for what has changes of its own, and if there can be such an account.
fn checked(
    master: TenantId,
    edit: impl Fn(Account) -> Account + Send + Sync + 'static,
) -> impl Fn(Account) -> Result<Account, DirectoryError> + Send + Sync + 'static {
    move |current| {
        let (tenant, reseller, api_key) = (current.tenant, current.reseller, current.api_key);
        let account = Account {
            tenant,
            reseller,
            api_key,
            ..edit(current)
        };
        validate::account(&account)?;
        if tenant == master && (!account.enabled || account.trial_expires_at.is_some()) {
            return Err(DirectoryError::Invalid {
                field: "enabled",
                rule: "nobody could open the top account again, so it is neither disabled nor on trial",
            });
        }
        Ok(account)
    }
}

/// An account as it is at rest.
async fn current(store: &dyn Store, tenant: TenantId) -> Result<Account, DirectoryError> {
    if let Some(account) = store.find_account(tenant).await? {
        return Ok(account);
    }
    match store.find_tenant(tenant).await? {
        Some(_) => Ok(Account::of(tenant)),
        None => Err(DirectoryError::not_found("tenant", &tenant.to_string())),
    }
}
