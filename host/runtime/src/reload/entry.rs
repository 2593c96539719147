//! What the reconcile task knows about one backend.

use std::sync::Arc;

use keyway_core::gate::Gate;
use keyway_core::model::{PluginDigest, PluginState, PluginStatus};
use tokio::time::Instant;

use super::file::FileStamp;
use super::work::Work;
use crate::BackendSpec;
use crate::registry::{Live, LiveBackend};

/// One backend.
pub(crate) struct Entry {
    pub(crate) spec: Arc<BackendSpec>,
    pub(crate) backend: Arc<LiveBackend>,
    pub(crate) gate: Arc<Gate>,
    /// What the live generation replaced, for as long as that may be taken back.
    pub(crate) previous: Option<Arc<Live>>,
    /// The plugin file as it was last read.
    pub(crate) seen: Option<(FileStamp, PluginDigest)>,
    /// Why what is desired is not live.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) work: Work,
}

/// Why what is desired is not live.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) state: PluginState,
    pub(crate) reason: String,
    /// What was refused, so that the same is not tried again and again.
    pub(crate) fingerprint: Option<[u8; 32]>,
    /// When it is worth another try without a change.
    pub(crate) retry_at: Option<Instant>,
}

impl Trouble {
    pub(crate) fn degraded(reason: String) -> Self {
        Self {
            state: PluginState::Degraded,
            reason,
            fingerprint: None,
            retry_at: None,
        }
    }

    pub(crate) fn quarantined(reason: String) -> Self {
        Self {
            state: PluginState::Quarantined,
            ..Self::degraded(reason)
        }
    }
}

impl Entry {
    pub(crate) fn new(spec: Arc<BackendSpec>, backend: Arc<LiveBackend>, gate: Arc<Gate>) -> Self {
        Self {
            spec,
            backend,
            gate,
            previous: None,
            seen: None,
            trouble: None,
            work: Work::default(),
        }
    }

    pub(crate) fn status(&self) -> PluginStatus {
        let live = self.backend.live();
        let described = live.as_ref().map(|live| &live.generation.described);
        let (state, reason) = match (&self.trouble, &live) {
            (Some(trouble), _) => (trouble.state, Some(trouble.reason.clone())),
            (None, Some(_)) => (PluginState::Serving, None),
            (None, None) => (PluginState::Degraded, Some("it is being loaded".to_owned())),
        };
        PluginStatus {
            backend: self.spec.name.clone(),
            plugin: described.map_or_else(|| self.spec.plugin.clone(), |described| described.name.clone()),
            version: described.map(|described| described.version.clone()),
            digest: live.as_ref().map(|live| live.generation.digest()),
            generation: live.as_ref().map_or(0, |live| live.number),
            state,
            reason,
        }
    }
}
