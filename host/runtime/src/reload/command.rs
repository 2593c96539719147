//! What the reconcile task can be asked.

use keyway_core::model::{BackendName, HistoryEntry, PluginStatus};
use keyway_core::port::PluginHostError;
use tokio::sync::oneshot;

use crate::BackendSpec;

/// What the reconcile task can be asked. It answers when the outcome is known.
pub(crate) enum Command {
    SetDesired(Vec<BackendSpec>, oneshot::Sender<Vec<PluginStatus>>),
    Reconcile(oneshot::Sender<Vec<PluginStatus>>),
    /// Loads one backend, as soon as it can be.
    Load(BackendName, oneshot::Sender<Result<PluginStatus, PluginHostError>>),
    History(String, oneshot::Sender<Result<Vec<HistoryEntry>, PluginHostError>>),
    Rollback(String, oneshot::Sender<Result<PluginStatus, PluginHostError>>),
    Promote(String, oneshot::Sender<Result<PluginStatus, PluginHostError>>),
    Stop(oneshot::Sender<()>),
}
