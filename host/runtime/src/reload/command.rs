//! What the reconcile task can be asked.

use keyway_core::model::{BackendName, HistoryEntry, PluginStatus};
use keyway_core::port::PluginHostError;
use tokio::sync::oneshot;

use super::trial::TrialError;
use crate::BackendSpec;

/// What the reconcile task can be asked. It answers when the outcome is known.
pub(crate) enum Command {
    SetDesired(Vec<BackendSpec>, oneshot::Sender<Vec<PluginStatus>>),
    Reconcile(oneshot::Sender<Vec<PluginStatus>>),
    /// Loads one backend, as soon as it can be.
    Load(BackendName, oneshot::Sender<Result<PluginStatus, PluginHostError>>),
    /// Puts one backend's configuration in the place of the one before, and says whether it serves, or why not.
    Change(Box<BackendSpec>, oneshot::Sender<Result<(), String>>),
    /// Tries a backend's configuration without putting it in place.
    TryOut(Box<BackendSpec>, oneshot::Sender<Result<(), TrialError>>),
    History(String, oneshot::Sender<Result<Vec<HistoryEntry>, PluginHostError>>),
    Rollback(String, oneshot::Sender<Result<PluginStatus, PluginHostError>>),
    Promote(String, oneshot::Sender<Result<PluginStatus, PluginHostError>>),
    Stop(oneshot::Sender<()>),
}
