//! The tenant tree as every request sees it: read from the store once, and again after a change.

use std::sync::{Arc, PoisonError, RwLock};

use crate::model::{TenantId, TenantTree};
use crate::port::{Change, Store, StoreError};

/// The tenant tree, shared by the services of one server.
pub struct TenantDirectory {
    store: Arc<dyn Store>,
    snapshot: RwLock<Snapshot>,
}

struct Snapshot {
    tree: Option<Arc<TenantTree>>,
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
            snapshot: RwLock::new(Snapshot {
                tree: None,
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
        let epoch = {
            let snapshot = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(tree) = &snapshot.tree {
                return Ok(Arc::clone(tree));
            }
            snapshot.epoch
        };
        let tree = Arc::new(TenantTree::new(&self.store.list_tenants().await?));
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if snapshot.epoch == epoch && snapshot.trusted {
            snapshot.tree = Some(Arc::clone(&tree));
        }
        Ok(tree)
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
            Change::TokensRevoked(_) | Change::AnyTokenRevoked => {}
            Change::TenantsChanged => self.reset(None),
            Change::FeedLost => self.reset(Some(false)),
            Change::FeedRestored => self.reset(Some(true)),
        }
    }

    fn reset(&self, trusted: Option<bool>) {
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        snapshot.tree = None;
        snapshot.epoch += 1;
        snapshot.trusted = trusted.unwrap_or(snapshot.trusted);
    }
}
