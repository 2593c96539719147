//! How backends stand, for readers that must not wait for a reload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use keyway_core::model::{BackendName, PluginStatus};

use super::entry::Entry;
use crate::registry::LiveBackend;

/// How backends stand, as the reconcile task last said.
#[derive(Default)]
pub(crate) struct Board(Mutex<Vec<(PluginStatus, Arc<LiveBackend>)>>);

impl Board {
    /// Sorted by the backends' names.
    pub(crate) fn rows(&self) -> Vec<(PluginStatus, Arc<LiveBackend>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn post(&self, entries: &BTreeMap<BackendName, Entry>) {
        let rows = entries
            .values()
            .filter(|entry| entry.backend.is_wanted())
            .map(|entry| (entry.status(), Arc::clone(&entry.backend)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rows.collect();
    }
}
