//! What an operator does with plugins on a running server.

use async_trait::async_trait;

use crate::model::{BackendName, HistoryEntry, PluginStatus};

/// Why an operator's request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum PluginHostError {
    /// No backend has this name.
    #[error("no backend `{0}` is configured")]
    UnknownBackend(String),
    /// There is nothing to go back to.
    #[error("backend `{0}` has no earlier generation to go back to")]
    NoEarlierGeneration(BackendName),
    /// There is nothing to promote.
    #[error("backend `{0}` has no quarantined plugin and no generation on probation")]
    NothingToPromote(BackendName),
    /// The generation could not be brought up; what served before still serves.
    #[error("the plugin was not loaded: {0}")]
    NotLoaded(String),
}

/// What an operator does with plugins on a running server. The runtime implements it; the admin API speaks to it.
#[async_trait]
pub trait PluginHost: Send + Sync {
    /// All backends, sorted by name.
    async fn list(&self) -> Vec<PluginStatus>;

    /// A backend's generations, newest first.
    ///
    /// # Errors
    /// [`PluginHostError::UnknownBackend`].
    async fn history(&self, backend: &str) -> Result<Vec<HistoryEntry>, PluginHostError>;

    /// Goes back to the plugin file that served before, and quarantines the one that serves now. It holds until the file in the
    /// plugins folder changes again, or until [`PluginHost::promote`]; a restart does not lift it.
    ///
    /// # Errors
    /// [`PluginHostError`].
    async fn rollback(&self, backend: &str) -> Result<PluginStatus, PluginHostError>;

    /// Lifts the quarantine of the file in the plugins folder and loads it, or ends the probation of the live generation.
    ///
    /// # Errors
    /// [`PluginHostError`].
    async fn promote(&self, backend: &str) -> Result<PluginStatus, PluginHostError>;

    /// Looks at the plugins folder and the desired configuration now, and returns when they are live or refused.
    async fn reconcile(&self) -> Vec<PluginStatus>;
}
