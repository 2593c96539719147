//! The tenant tree as every request sees it: read from the store once, and again after a change.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::model::{TenantId, TenantTree};
use crate::port::{Change, Store, StoreError};

/// The tenant tree, shared by the services of one server.
pub struct TenantDirectory {
    store: Arc<dyn Store>,
    /// Written under the lock of `state` alone, read without one: each check of a token for a tenant asks it.
    tree: ArcSwapOption<TenantTree>,
    state: Mutex<State>,
}

struct State {
    /// Counts the changes, so that a tree that was read before one is not kept after it.
    epoch: u64,
    /// Whether this node hears of changes made elsewhere.
    trusted: bool,
}

impl TenantDirectory {
    /// Over this store, which is read when the tree is first asked for.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            tree: ArcSwapOption::empty(),
            state: Mutex::new(State {
                epoch: 0,
                trusted: true,
            }),
        }
    }

    /// The tree as it is now.
    ///
    /// # Errors
    /// As [`crate::port::TenantStore::list_tenants`].
    pub async fn tree(&self) -> Result<Arc<TenantTree>, StoreError> {
        if let Some(tree) = self.tree.load_full() {
            return Ok(tree);
        }
        let epoch = self.state.lock().unwrap_or_else(PoisonError::into_inner).epoch;
        let tree = Arc::new(TenantTree::new(&self.store.list_tenants().await?));
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.epoch == epoch && state.trusted {
            self.tree.store(Some(Arc::clone(&tree)));
        }
        Ok(tree)
    }

    /// As [`TenantTree::is_within`], now.
    ///
    /// # Errors
    /// As [`TenantDirectory::tree`].
    pub async fn is_within(&self, tenant: TenantId, ancestor: TenantId) -> Result<bool, StoreError> {
        // Without a reference count, which all threads would share.
        if let Some(tree) = &*self.tree.load() {
            return Ok(tree.is_within(tenant, ancestor));
        }
        Ok(self.tree().await?.is_within(tenant, ancestor))
    }

    /// The top tenant.
    ///
    /// # Errors
    /// As [`TenantDirectory::tree`]; [`StoreError::Inconsistent`] if the store has none.
    pub async fn master(&self) -> Result<TenantId, StoreError> {
        self.tree().await?.master().ok_or_else(|| StoreError::Inconsistent {
            what: "there is no top tenant".to_owned(),
        })
    }

    /// Forgets the tree: tenants were added, moved or removed.
    pub fn invalidate(&self) {
        self.reset(None);
    }

    /// Follows a change that another node made.
    pub fn apply(&self, change: &Change) {
        match change {
            Change::TokensRevoked(_) | Change::AnyTokenRevoked | Change::DocumentsChanged => {}
            Change::TenantsChanged => self.reset(None),
            Change::FeedLost => self.reset(Some(false)),
            Change::FeedRestored => self.reset(Some(true)),
        }
    }

    fn reset(&self, trusted: Option<bool>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.epoch += 1;
        state.trusted = trusted.unwrap_or(state.trusted);
        self.tree.store(None);
    }
}
