//! The runtime as the server sees it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::model::{BackendName, HistoryEntry, PluginState, PluginStatus, TenantId};
use keyway_core::port::{BackendSlot, Backends, Clock, PluginHost, PluginHostError};
use tokio::sync::{mpsc, oneshot};

use crate::delegation::Delegation;
use crate::engine::HostEngine;
use crate::registry::{LiveBackend, Registry};
use crate::reload::archive::Archive;
use crate::reload::bring_up::{HEALTH_DEADLINE, Workshop};
use crate::reload::cache::ArtefactCache;
use crate::reload::record::Record;
use crate::reload::trial::TrialError;
use crate::reload::{Board, Command, Reconciler, file};
use crate::variant::Variants;
use crate::{BackendSpec, HostServices, RuntimeError, RuntimeSettings, VariantSpec};

/// Commands that may wait for the reconcile task.
const COMMANDS: usize = 64;

const SHUTTING_DOWN: &str = "the server is shutting down";

/// Loads plugins, swaps them while logins go on, and calls them. It is the server's [`Backends`] and [`PluginHost`].
pub struct Runtime {
    registry: Arc<Registry>,
    board: Arc<Board>,
    commands: mpsc::Sender<Command>,
    variants: Variants,
}

impl Runtime {
    /// Sets up the engine, the folders and the reconcile task. Nothing is loaded before [`Runtime::set_desired`]. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`RuntimeError`].
    pub async fn start(
        settings: RuntimeSettings,
        services: HostServices,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, RuntimeError> {
        let registry = Arc::new(Registry::new());
        let key = delegation_key(&settings.artefact_key);
        let delegation = Delegation::new(&registry, &key, Arc::clone(&clock));
        let opened = tokio::task::spawn_blocking(move || open(settings, services, delegation)).await;
        let opened = opened.map_err(|error| RuntimeError::Engine(error.to_string()))??;
        let board = Arc::new(Board::default());
        let (commands, receiver) = mpsc::channel(COMMANDS);
        Reconciler::spawn(
            opened.settings,
            opened.workshop,
            opened.archive,
            opened.record,
            Arc::clone(&registry),
            Arc::clone(&board),
            clock,
            receiver,
        );
        Ok(Arc::new(Self {
            registry,
            board,
            commands,
            variants: Variants::default(),
        }))
    }

    /// Puts these backends in the place of those that were desired before, and returns when each is live or refused. Backends that
    /// are no longer named stop at once; calls under way end on the generation that they began with.
    ///
    /// Aliases, `acl_ceiling`, `group_policies`, the gate's limits and the deadline take effect at once, even where the new generation is refused.
    pub async fn set_desired(&self, specs: Vec<BackendSpec>) -> Vec<PluginStatus> {
        let asked = self.ask(|done| Command::SetDesired(specs, done)).await;
        self.variants.keep(|name| self.registry.find_template(name).is_some());
        asked.unwrap_or_default()
    }

    /// Puts one backend's configuration in the place of the one before, while the others stay as they are. `Ok` once logins go by it.
    ///
    /// # Errors
    /// Why it does not serve. It is tried again, as after [`Runtime::set_desired`]; until then the one before goes on.
    pub async fn change(&self, spec: BackendSpec) -> Result<(), String> {
        let changed = self.ask(|done| Command::Change(Box::new(spec), done)).await;
        changed.unwrap_or_else(|| Err(SHUTTING_DOWN.to_owned()))
    }

    /// Tries a configuration of a backend on the plugin that serves, without putting it in place.
    ///
    /// # Errors
    /// [`TrialError`].
    pub async fn try_out(&self, spec: BackendSpec) -> Result<(), TrialError> {
        let tried = self.ask(|done| Command::TryOut(Box::new(spec), done)).await;
        tried.unwrap_or_else(|| Err(TrialError::NotLoadable(SHUTTING_DOWN.to_owned())))
    }

    /// A backend on the plugin, the grants and the limits of the template `name`, with its own configuration; `None` if there is no such template. Who
    /// asks for the same again gets the same; all that one tenant asks for, one after the other, share a gate. The first one has the template loaded, and
    /// waits for it, though no longer than for a login. Whether a configuration is usable shows in its first call.
    pub async fn find_variant(&self, name: &BackendName, spec: VariantSpec) -> Option<BackendSlot> {
        let template = self.registry.find_template(name)?;
        let load = async {
            let loaded = self.ask(|done| Command::Load(name.clone(), done));
            // Without an answer the runtime is shut down, or the plugin takes its time; then it is not loaded yet, and calls say so.
            let _ = tokio::time::timeout(template.spec.limits.deadline, loaded).await;
        };
        template.backend.want(load).await;
        Some(self.variants.find(&template, spec))
    }

    /// Lets go of what a tenant has asked for, which it no longer wants.
    pub fn forget_variant(&self, name: &BackendName, tenant: TenantId) {
        self.variants.forget(name, tenant);
    }

    /// Stops watching and reloading. Calls under way go on; whoever shuts the server down waits for them.
    pub async fn shutdown(&self) {
        // Without an answer the task has ended already.
        let _ = self.ask(Command::Stop).await;
    }

    /// `None` once the runtime is shut down.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.commands.send(command(sender)).await.ok()?;
        receiver.await.ok()
    }
}

/// What seals the challenges that backends pass on. The key that it comes from is every node's.
fn delegation_key(artefact_key: &Secret<[u8; 32]>) -> Secret<[u8; 32]> {
    MasterKey::new(*artefact_key.expose()).derive("delegated challenges")
}

struct Opened {
    settings: RuntimeSettings,
    workshop: Workshop,
    archive: Archive,
    record: Record,
}

/// Blocks.
fn open(
    settings: RuntimeSettings,
    services: HostServices,
    delegation: Arc<Delegation>,
) -> Result<Opened, RuntimeError> {
    let folder = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source: io::Error| RuntimeError::Folder { path, source }
    };
    let (cache_dir, copies_dir) = (settings.data_dir.join("cache"), settings.data_dir.join("plugins"));
    std::fs::create_dir_all(&settings.plugins_dir).map_err(folder(&settings.plugins_dir))?;
    file::make_private_folder(&copies_dir).map_err(folder(&copies_dir))?;
    let record = Record::open(copies_dir.join("state.json"))?;
    let archive = Archive::open(&copies_dir).map_err(folder(&copies_dir))?;
    let engine = HostEngine::new(settings.max_concurrent_calls);
    let engine = engine.map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
    let key = settings.artefact_key.clone();
    let cache = ArtefactCache::open(&cache_dir, key.clone(), &engine).map_err(folder(&cache_dir))?;
    let workshop = Workshop::new(engine, services, Some(cache), key, settings.compile_deadline).delegating(delegation);
    Ok(Opened {
        settings,
        workshop,
        archive,
        record,
    })
}

impl Backends for Runtime {
    fn find(&self, name: &str) -> Option<BackendSlot> {
        self.registry.find(name)
    }

    fn names(&self) -> Vec<BackendName> {
        self.registry.names()
    }
}

#[async_trait]
impl PluginHost for Runtime {
    async fn list(&self) -> Vec<PluginStatus> {
        let rows = self.board.rows();
        join_all(rows.into_iter().map(|(status, backend)| with_health(status, backend))).await
    }

    async fn history(&self, backend: &str) -> Result<Vec<HistoryEntry>, PluginHostError> {
        let name = backend.to_owned();
        answered(self.ask(|done| Command::History(name, done)).await)
    }

    async fn rollback(&self, backend: &str) -> Result<PluginStatus, PluginHostError> {
        let name = backend.to_owned();
        answered(self.ask(|done| Command::Rollback(name, done)).await)
    }

    async fn promote(&self, backend: &str) -> Result<PluginStatus, PluginHostError> {
        let name = backend.to_owned();
        answered(self.ask(|done| Command::Promote(name, done)).await)
    }

    async fn reconcile(&self) -> Vec<PluginStatus> {
        self.ask(Command::Reconcile).await.unwrap_or_default()
    }
}

fn answered<T>(answer: Option<Result<T, PluginHostError>>) -> Result<T, PluginHostError> {
    answer.unwrap_or_else(|| Err(PluginHostError::NotLoaded(SHUTTING_DOWN.to_owned())))
}

/// Asks a backend that seems to be in order whether it really is, if it can say.
async fn with_health(mut status: PluginStatus, backend: Arc<LiveBackend>) -> PluginStatus {
    if let (PluginState::Serving, Some(live)) = (status.state, backend.live())
        && let Some(Err(fault)) = live.generation.health(HEALTH_DEADLINE).await
    {
        status.state = PluginState::Degraded;
        status.reason = Some(format!("the health check failed: {fault}"));
    }
    status
}
