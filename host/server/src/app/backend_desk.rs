//! The configuration of backends as APIs see and change it: what the file says, with what was added below it.
//!
//! Changes are made one at a time. Each is tried on the plugin before it is stored, and takes effect on this node before it is answered; other nodes
//! hear of it through the store.

mod addition;
mod follow;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::port::{
    BackendDesk, BackendSettings, BackendSettingsError, DocumentKind, Random, Store, StoreError, StoredDocument,
};
use keyway_runtime::{BackendSpec, ReportedProblem, Runtime, TrialError};
use serde_json::Value;

use super::chain;
use addition::Addition;

const KIND: DocumentKind = DocumentKind::BackendConfig;

/// How often a change is tried again that one on another node came between.
const ATTEMPTS: u32 = 5;

/// The longest name of a secret, in bytes.
const MAX_SECRET_NAME: usize = 255;

/// Where backends run.
#[async_trait]
pub(crate) trait Stage: Send + Sync {
    /// As [`Runtime::set_desired`].
    async fn set_desired(&self, specs: Vec<BackendSpec>);
    /// As [`Runtime::change`].
    async fn change(&self, spec: BackendSpec) -> Result<(), String>;
    /// As [`Runtime::try_out`].
    async fn try_out(&self, spec: BackendSpec) -> Result<(), TrialError>;
}

#[async_trait]
impl Stage for Runtime {
    async fn set_desired(&self, specs: Vec<BackendSpec>) {
        // The runtime says in the log what became of each.
        self.set_desired(specs).await;
    }

    async fn change(&self, spec: BackendSpec) -> Result<(), String> {
        self.change(spec).await
    }

    async fn try_out(&self, spec: BackendSpec) -> Result<(), TrialError> {
        self.try_out(spec).await
    }
}

/// The configuration of backends.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Shared>);

struct Shared {
    stage: Arc<dyn Stage>,
    store: Arc<dyn Store>,
    master: MasterKey,
    random: Arc<dyn Random>,
    /// Who holds it changes what runs.
    turn: tokio::sync::Mutex<()>,
    known: RwLock<Known>,
}

/// What this node goes by.
struct Known {
    /// As the file describes them.
    file: Vec<BackendSpec>,
    /// By the backends' names, as the store had them last.
    added: BTreeMap<String, Addition>,
    /// Whether `added` is what the store had last.
    is_read: bool,
    /// Whether changes on other nodes are heard of.
    hears: bool,
}

impl Desk {
    /// Over this store, sealing under this key. Nothing runs before [`Desk::use_file`].
    pub(crate) fn new(
        stage: Arc<dyn Stage>,
        store: Arc<dyn Store>,
        master: MasterKey,
        random: Arc<dyn Random>,
    ) -> Self {
        let known = Known {
            file: Vec::new(),
            added: BTreeMap::new(),
            is_read: false,
            hears: false,
        };
        Self(Arc::new(Shared {
            stage,
            store,
            master,
            random,
            turn: tokio::sync::Mutex::new(()),
            known: RwLock::new(known),
        }))
    }

    /// Runs these backends, in the place of those before, with what was added to them. Where the store does not say what that is, what it said last
    /// stays.
    pub(crate) async fn use_file(&self, file: Vec<BackendSpec>) {
        let shared = &self.0;
        let _turn = shared.turn.lock().await;
        let read = shared.read_all().await;
        let desired = {
            let mut known = shared.known_mut();
            known.file = file;
            match read {
                Ok(added) => {
                    known.added = added;
                    known.is_read = true;
                }
                Err(error) => {
                    tracing::error!(error = %chain(&error), "cannot read what was added to backends; what was read before stays");
                    known.is_read = false;
                }
            }
            known.desired()
        };
        shared.stage.set_desired(desired).await;
    }
}

impl Known {
    fn desired(&self) -> Vec<BackendSpec> {
        self.file.iter().map(|file| self.with_added(file)).collect()
    }

    fn with_added(&self, file: &BackendSpec) -> BackendSpec {
        match self.added.get(file.name.as_str()).filter(|_| !file.is_template) {
            Some(addition) => addition.below(file),
            None => file.clone(),
        }
    }

    /// The backend of this name, or of this alias.
    fn find(&self, name: &str) -> Option<&BackendSpec> {
        let is_called =
            |spec: &&BackendSpec| spec.name.as_str() == name || spec.aliases.iter().any(|alias| alias.as_str() == name);
        self.file.iter().filter(|spec| !spec.is_template).find(is_called)
    }
}

impl Shared {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Result<BackendSpec, BackendSettingsError> {
        let found = self.known().find(name).cloned();
        found.ok_or_else(|| BackendSettingsError::Unknown(name.to_owned()))
    }

    /// What the store has now.
    async fn read(&self, backend: &str) -> Result<Addition, StoreError> {
        let stored = self.store.find_document(KIND, backend).await?;
        let read = stored.map(|stored| Addition::read(&stored, &self.master));
        read.unwrap_or_else(|| Ok(Addition::none()))
    }

    /// All that the store has. One that cannot be read is said in the log, and goes on as it was.
    async fn read_all(&self) -> Result<BTreeMap<String, Addition>, StoreError> {
        let stored = self.store.list_documents(KIND).await?;
        let added = stored.into_iter().filter_map(|stored| self.read_one(stored));
        Ok(added.collect())
    }

    fn read_one(&self, stored: StoredDocument) -> Option<(String, Addition)> {
        match Addition::read(&stored, &self.master) {
            Ok(addition) => Some((stored.name, addition)),
            Err(error) => {
                tracing::error!(backend = stored.name, %error, "cannot read what was added to the backend");
                let before = self.known().added.get(&stored.name).cloned();
                before.map(|before| (stored.name, before))
            }
        }
    }

    /// What is known, if that is all there is to know; else what the store says.
    async fn addition(&self, backend: &str) -> Result<Addition, StoreError> {
        let known = {
            let known = self.known();
            let addition = known.added.get(backend).cloned();
            (known.is_read && known.hears).then(|| addition.unwrap_or_else(Addition::none))
        };
        match known {
            Some(addition) => Ok(addition),
            None => self.read(backend).await,
        }
    }

    /// Changes what was added, tries it, stores it, and has it run.
    async fn edit(
        &self,
        name: &str,
        edit: impl Fn(&mut Addition) -> Result<(), BackendSettingsError> + Send,
    ) -> Result<(), BackendSettingsError> {
        let _turn = self.turn.lock().await;
        let file = self.find(name)?;
        let backend = file.name.as_str();
        for _ in 0..ATTEMPTS {
            let before = self.read(backend).await?;
            let mut after = before.clone();
            if let Err(error) = edit(&mut after) {
                // It may be that this node is behind. Where it cannot follow, the runtime says so in the log.
                drop(self.run(&file, before).await);
                return Err(error);
            }
            if after == before {
                return self.run(&file, before).await;
            }
            accepted(self.stage.try_out(after.below(&file)).await, backend, true)?;
            let new = after.write(backend, &self.master, &*self.random);
            match self.store.put_document(KIND, &new).await {
                Ok(stored) => {
                    after.stored = stored.revision;
                    return self.run(&file, after).await;
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(BackendSettingsError::Overtaken)
    }

    /// Has this be what is added to the backend, if it is not yet.
    async fn run(&self, file: &BackendSpec, addition: Addition) -> Result<(), BackendSettingsError> {
        let spec = addition.below(file);
        let is_known = {
            let mut known = self.known_mut();
            let before = known.added.insert(file.name.to_string(), addition.clone());
            before.as_ref().map_or(0, |before| before.stored) == addition.stored
        };
        if is_known {
            return Ok(());
        }
        let changed = self.stage.change(spec).await;
        changed.map_err(BackendSettingsError::NotLoaded)
    }

    async fn try_out(&self, name: &str, added: Value) -> Result<(), BackendSettingsError> {
        let file = self.find(name)?;
        let mut addition = self.addition(file.name.as_str()).await?;
        addition.config = object(added)?;
        let tried = self.stage.try_out(addition.below(&file)).await;
        accepted(tried, file.name.as_str(), false)
    }
}

/// With `bears_outage` what the backend depends on may be away, if it is away for what serves, too.
fn accepted(tried: Result<(), TrialError>, backend: &str, bears_outage: bool) -> Result<(), BackendSettingsError> {
    let refused = |pointer: String, message: String| BackendSettingsError::Refused(vec![(pointer, message)]);
    match tried {
        Ok(()) => Ok(()),
        Err(TrialError::Unhealthy { was_before: true, .. }) if bears_outage => Ok(()),
        Err(TrialError::Unknown) => Err(BackendSettingsError::Unknown(backend.to_owned())),
        Err(TrialError::Refused(problems)) => {
            let pairs = problems
                .into_iter()
                .map(|ReportedProblem { pointer, message }| (pointer, message));
            Err(BackendSettingsError::Refused(pairs.collect()))
        }
        Err(TrialError::NotLoadable(reason) | TrialError::Unhealthy { reason, .. }) => {
            Err(refused(String::new(), reason))
        }
    }
}

fn object(added: Value) -> Result<serde_json::Map<String, Value>, BackendSettingsError> {
    match added {
        Value::Object(added) => Ok(added),
        _ => Err(BackendSettingsError::Refused(vec![(
            String::new(),
            "a configuration is an object".to_owned(),
        )])),
    }
}

#[async_trait]
impl BackendDesk for Desk {
    async fn settings(&self, backend: &str) -> Result<BackendSettings, BackendSettingsError> {
        let file = self.0.find(backend)?;
        let addition = self.0.addition(file.name.as_str()).await?;
        let grants = &file.grants;
        Ok(BackendSettings {
            fixed: file.config,
            added: Value::Object(addition.config),
            files: grants.file.keys().cloned().collect(),
            databases: grants.sql.keys().cloned().collect(),
            endpoints: grants.net.keys().cloned().collect(),
            backends: grants.delegate.iter().cloned().collect(),
            revision: addition.revision,
        })
    }

    async fn change(&self, backend: &str, added: Value, revision: i64) -> Result<(), BackendSettingsError> {
        let added = object(added)?;
        self.edit(backend, move |addition| {
            if addition.revision != revision {
                return Err(BackendSettingsError::Overtaken);
            }
            addition.config.clone_from(&added);
            addition.revision += 1;
            Ok(())
        })
        .await
    }

    async fn try_out(&self, backend: &str, added: Value) -> Result<(), BackendSettingsError> {
        self.0.try_out(backend, added).await
    }

    async fn set_secret(
        &self,
        backend: &str,
        name: &str,
        value: Option<Secret<Vec<u8>>>,
    ) -> Result<(), BackendSettingsError> {
        if name.is_empty() || name.len() > MAX_SECRET_NAME {
            let refused = format!("the name of a secret has 1 to {MAX_SECRET_NAME} bytes");
            return Err(BackendSettingsError::Refused(vec![(String::new(), refused)]));
        }
        let name = name.to_owned();
        self.edit(backend, move |addition| {
            match &value {
                Some(value) => drop(addition.secrets.insert(name.clone(), value.clone())),
                None => drop(addition.secrets.remove(&name)),
            }
            Ok(())
        })
        .await
    }
}

impl Desk {
    /// On a task of its own, so that a caller who goes away leaves nothing half done.
    async fn edit(
        &self,
        backend: &str,
        edit: impl Fn(&mut Addition) -> Result<(), BackendSettingsError> + Send + Sync + 'static,
    ) -> Result<(), BackendSettingsError> {
        let (shared, backend) = (Arc::clone(&self.0), backend.to_owned());
        let task = tokio::spawn(async move { shared.edit(&backend, edit).await });
        let ended = task.await;
        ended.unwrap_or_else(|error| {
            let lost = StoreError::Unavailable {
                action: "change a backend's configuration",
                source: Box::new(error),
            };
            Err(lost.into())
        })
    }
}
