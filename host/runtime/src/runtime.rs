//! The runtime as the server sees it.

use std::sync::Arc;

use async_trait::async_trait;
use keyway_core::model::{BackendName, HistoryEntry, PluginStatus};
use keyway_core::port::{BackendSlot, Backends, Clock, PluginHost, PluginHostError};

use crate::{BackendSpec, HostServices, RuntimeError, RuntimeSettings};

/// Loads plugins, swaps them while logins go on, and calls them. It is the server's [`Backends`] and [`PluginHost`].
pub struct Runtime {}

impl Runtime {
    /// Sets up the engine, the folders and the reconcile task. Nothing is loaded before [`Runtime::set_desired`]. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`RuntimeError`].
    pub async fn start(
        _settings: RuntimeSettings,
        _services: HostServices,
        _clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, RuntimeError> {
        todo!()
    }

    /// Puts these backends in the place of those that were desired before, and returns when each is live or refused. Backends that
    /// are no longer named stop at once; calls under way end on the generation that they began with.
    pub async fn set_desired(&self, _specs: Vec<BackendSpec>) -> Vec<PluginStatus> {
        todo!()
    }

    /// Stops watching and reloading. Calls under way go on; whoever shuts the server down waits for them.
    pub async fn shutdown(&self) {
        todo!()
    }
}

impl Backends for Runtime {
    fn find(&self, _name: &str) -> Option<BackendSlot> {
        todo!()
    }

    fn names(&self) -> Vec<BackendName> {
        todo!()
    }
}

#[async_trait]
impl PluginHost for Runtime {
    async fn list(&self) -> Vec<PluginStatus> {
        todo!()
    }

    async fn history(&self, _backend: &str) -> Result<Vec<HistoryEntry>, PluginHostError> {
        todo!()
    }

    async fn rollback(&self, _backend: &str) -> Result<PluginStatus, PluginHostError> {
        todo!()
    }

    async fn promote(&self, _backend: &str) -> Result<PluginStatus, PluginHostError> {
        todo!()
    }

    async fn reconcile(&self) -> Vec<PluginStatus> {
        todo!()
    }
}
