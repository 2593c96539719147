//! Accounts and profiles: what Kazoo's and Webitel's clients read and change of tenants and users, and what somebody is to them.

mod attempt;
mod change;
mod create;
mod key;
mod profile;
mod right;
#[cfg(test)]
mod tests;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::accounts::{AccountDirectory, AccountIndex};
use crate::directory::{DirectoryError, DirectoryService};
use crate::model::{Account, TenantId};
use crate::port::{Clock, Random, Store, StoreError};
use crate::rights::Rights;
use crate::token::TokenCache;

pub use create::NewAccount;
pub use key::key_subject;

use change::Changes;

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
        Self {
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

    /// Puts an account in the place of what was said of its tenant, but for [`Account::reseller`] and [`Account::api_key`], which stay as they are: see
    /// [`AccountService::set_reseller`] and [`AccountService::renew_api_key`]. Returns it as it is then. If nobody of it may log in any more, all sessions and
    /// refresh tokens of its users end; if its trial ends earlier than before, the sessions that would outlive it do.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`]; [`DirectoryError::Invalid`], also for a top account that nobody may log in to; [`StoreError::Conflict`] on
    /// `phone number`; [`DirectoryError::Store`].
    pub async fn put_account(&self, account: Account) -> Result<Account, DirectoryError> {
        validate::account(&account)?;
        let master = self.index().await?.master();
        if account.tenant == master && (!account.enabled || account.trial_expires_at.is_some()) {
            return Err(DirectoryError::Invalid {
                field: "enabled",
                rule: "nobody could open the top account again, so it is neither disabled nor on trial",
            });
        }
        let tenant = account.tenant;
        let edit = move |current: Account| {
            Ok(Account {
                reseller: current.reseller,
                api_key: current.api_key,
                ..account
            })
        };
        self.changes.change(tenant, edit).await
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
