//! The accounts as every request sees them: tenants, what is said of them, and by what names clients know them. Read from the store once, and again after a
//! change.

mod index;
mod key;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::key::MasterKey;
use crate::port::{Store, StoreError};
use crate::tenants::TenantDirectory;

pub use index::{AccountIndex, MAX_SAME_NAME};
pub(crate) use key::AccountKeys;

/// The accounts, shared by the services of one server.
pub struct AccountDirectory {
    store: Arc<dyn Store>,
    tenants: Arc<TenantDirectory>,
    keys: Arc<AccountKeys>,
    index: ArcSwapOption<AccountIndex>,
    /// Counts the changes, so that an index that was read before one is not kept after it.
    epoch: Mutex<u64>,
}

impl AccountDirectory {
    /// Over this store, which is read when the index is first asked for. API keys follow from the master key.
    pub fn new(store: Arc<dyn Store>, tenants: Arc<TenantDirectory>, master: &MasterKey) -> Self {
        Self {
            store,
            tenants,
            keys: Arc::new(AccountKeys::new(master)),
            index: ArcSwapOption::empty(),
            epoch: Mutex::new(0),
        }
    }

    /// The accounts as they are now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Inconsistent`] if there is no top tenant.
    pub async fn index(&self) -> Result<Arc<AccountIndex>, StoreError> {
        // The tree of tenants is read anew after any change of a tenant, whoever made it, and after any change of an account elsewhere. An index over the very
        // tree that holds now is therefore up to date.
        let tree = self.tenants.tree().await?;
        if let Some(index) = self.index.load_full()
            && index.is_over(&tree)
        {
            return Ok(index);
        }
        let epoch = *self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        let (tenants, accounts) = (self.store.list_tenants().await?, self.store.list_accounts().await?);
        let index = Arc::new(AccountIndex::new(tree, tenants, accounts, Arc::clone(&self.keys))?);
        let current = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == epoch {
            self.index.store(Some(Arc::clone(&index)));
        }
        Ok(index)
    }

    /// Forgets the index: this node changed an account. Changes that other nodes make reach the tree of tenants, and through it this.
    pub fn invalidate(&self) {
        let mut epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        *epoch += 1;
        self.index.store(None);
    }

    pub(crate) fn keys(&self) -> &AccountKeys {
        &self.keys
    }
}
