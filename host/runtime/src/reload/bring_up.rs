//! From the bytes of a plugin file to a generation that could serve. Nothing here changes what serves.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::model::PluginDigest;
use keyway_core::port::BackendFault;
use sha2::Sha256;
use tokio::sync::Semaphore;
use wasmtime::component::Component;

use super::cache::ArtefactCache;
use crate::engine::HostEngine;
use crate::generation::Generation;
use crate::grant::{Capabilities, GrantError};
use crate::plugin::{Plugin, PluginError};
use crate::profile::Profile;
use crate::{BackendSpec, HostServices, Instances, Limits};

/// Compilations at once. Each uses every processor it can get, and takes its time from logins.
const COMPILATIONS: usize = 1;

/// The longest that a health check may take.
pub(crate) const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

/// Why a plugin and a configuration make no generation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BringUpError {
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("the plugin was not compiled within {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("the compiler failed: {0}")]
    Compiler(String),
    #[error("the plugin does not accept the configuration: {0}")]
    Config(String),
    #[error("the configuration: {0}")]
    Limits(&'static str),
    #[error("it is not the pinned plugin {pinned}; the file is {found}")]
    Pin { pinned: PluginDigest, found: PluginDigest },
    #[error("the health check failed: {0}")]
    Unhealthy(BackendFault),
}

/// Makes plugins and generations.
pub(crate) struct Workshop {
    pub(crate) engine: Arc<HostEngine>,
    pub(crate) services: HostServices,
    cache: Option<Arc<ArtefactCache>>,
    key: Secret<[u8; 32]>,
    compile_deadline: Duration,
    compilers: Arc<Semaphore>,
    // Backends that share a plugin share its code, for as long as one of them lives.
    plugins: Mutex<HashMap<PluginDigest, Weak<Plugin>>>,
}

impl Workshop {
    pub(crate) fn new(
        engine: Arc<HostEngine>,
        services: HostServices,
        cache: Option<ArtefactCache>,
        key: Secret<[u8; 32]>,
        compile_deadline: Duration,
    ) -> Self {
        Self {
            engine,
            services,
            cache: cache.map(Arc::new),
            key,
            compile_deadline,
            compilers: Arc::new(Semaphore::new(COMPILATIONS)),
            plugins: Mutex::default(),
        }
    }

    /// Stands for everything that makes a generation what it is. Keyed, so that it says nothing about secrets.
    pub(crate) fn fingerprint(&self, spec: &BackendSpec, digest: PluginDigest) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.expose()) else {
            return digest.0;
        };
        let mut field = |bytes: &[u8]| {
            mac.update(&bytes.len().to_le_bytes());
            mac.update(bytes);
        };
        field(b"keyway generation 1");
        field(&digest.0);
        field(spec.config.to_string().as_bytes());
        for (name, value) in &spec.secrets {
            field(name.as_bytes());
            field(value.expose());
        }
        // What the gate goes by takes effect without a new generation.
        let limits = Limits {
            concurrency: 0,
            queue: 0,
            breaker_faults: 0,
            breaker_cooldown: Duration::ZERO,
            ..spec.limits
        };
        field(format!("{:?} {limits:?} {:?} {:?}", spec.grants, spec.instances, spec.pin).as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Brings a generation up, without its health check.
    pub(crate) async fn bring_up(
        &self,
        spec: &BackendSpec,
        digest: PluginDigest,
        bytes: Vec<u8>,
    ) -> Result<Generation, BringUpError> {
        check_limits(spec)?;
        if let Some(pinned) = spec.pin.filter(|pinned| *pinned != digest) {
            return Err(BringUpError::Pin { pinned, found: digest });
        }
        let plugin = self.plugin(digest, bytes).await?;
        let bare = Arc::new(Profile::bare(spec.name.clone(), spec.limits, self.services.clone()));
        let described = plugin.describe(&self.engine, &bare).await?;
        let capabilities = Capabilities::settle(&described.wants, spec.grants)?;
        let config = spec.config.to_string();
        let problems = plugin.check_config(&self.engine, &bare, &config).await?;
        if !problems.is_empty() {
            let texts: Vec<String> = problems.iter().map(describe_problem).collect();
            return Err(BringUpError::Config(texts.join("; ")));
        }
        let profile = Profile {
            backend: spec.name.clone(),
            config,
            secrets: spec.secrets.clone(),
            capabilities,
            limits: spec.limits,
            services: self.services.clone(),
        };
        let fingerprint = self.fingerprint(spec, digest);
        let engine = Arc::clone(&self.engine);
        Ok(Generation::new(
            engine,
            plugin,
            profile,
            spec.instances,
            described,
            fingerprint,
        ))
    }

    /// The compiled and checked plugin: one that is in use already, the cached one, or a new compilation.
    pub(crate) async fn plugin(&self, digest: PluginDigest, bytes: Vec<u8>) -> Result<Arc<Plugin>, BringUpError> {
        if let Some(plugin) = self.known(digest) {
            return Ok(plugin);
        }
        let compiled = tokio::time::timeout(self.compile_deadline, self.compile(digest, bytes)).await;
        let component = compiled.map_err(|_| BringUpError::TooSlow(self.compile_deadline))??;
        // Another backend may have been faster.
        if let Some(plugin) = self.known(digest) {
            return Ok(plugin);
        }
        let plugin = Arc::new(Plugin::new(&self.engine, digest, &component)?);
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.retain(|_, plugin| plugin.strong_count() > 0);
        plugins.insert(digest, Arc::downgrade(&plugin));
        Ok(plugin)
    }

    fn known(&self, digest: PluginDigest) -> Option<Arc<Plugin>> {
        let plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.get(&digest).and_then(Weak::upgrade)
    }

    /// Off the threads that serve requests. A compilation that is given up goes on to its end and keeps its permit until then, so that
    /// no more than [`COMPILATIONS`] ever run.
    async fn compile(&self, digest: PluginDigest, bytes: Vec<u8>) -> Result<Component, BringUpError> {
        let compiler = |error: String| BringUpError::Compiler(error);
        let permit = Arc::clone(&self.compilers)
            .acquire_owned()
            .await
            .map_err(|error| compiler(error.to_string()))?;
        let (engine, cache) = (Arc::clone(&self.engine), self.cache.clone());
        let compiled = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            if let Some(component) = cache.as_ref().and_then(|cache| cache.get(&engine, digest)) {
                return Ok(component);
            }
            let component = Component::from_binary(&engine.engine, &bytes)
                .map_err(|error| PluginError::NotAComponent(format!("{error:#}")))?;
            if let Some(cache) = cache {
                let component = component.clone();
                // The swap need not wait for the disk.
                tokio::task::spawn_blocking(move || cache.put(digest, &component));
            }
            Ok(component)
        });
        let result: Result<Component, PluginError> = compiled.await.map_err(|error| compiler(error.to_string()))?;
        Ok(result?)
    }

    /// Removes compiled code that neither runs nor is named in `keep`.
    pub(crate) async fn prune(&self, keep: &BTreeSet<PluginDigest>) {
        let Some(cache) = self.cache.clone() else { return };
        let keep = self.running(keep);
        // What is not removed now is removed the next time.
        let _ = tokio::task::spawn_blocking(move || cache.prune(&keep)).await;
    }

    fn running(&self, others: &BTreeSet<PluginDigest>) -> BTreeSet<PluginDigest> {
        let plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        let running = plugins.iter().filter(|(_, plugin)| plugin.strong_count() > 0);
        running
            .map(|(digest, _)| *digest)
            .chain(others.iter().copied())
            .collect()
    }
}

fn describe_problem(problem: &crate::bindings::keyway::backend::types::Problem) -> String {
    if problem.pointer.is_empty() {
        problem.message.clone()
    } else {
        format!("`{}`: {}", problem.pointer, problem.message)
    }
}

fn check_limits(spec: &BackendSpec) -> Result<(), BringUpError> {
    let limits = &spec.limits;
    let refuse = |why| Err(BringUpError::Limits(why));
    if limits.memory > Limits::MAX_MEMORY {
        return refuse("limits.memory is over 1 GiB");
    }
    if limits.table_elements > Limits::MAX_TABLE_ELEMENTS {
        return refuse("limits.table_elements is over 65536");
    }
    if spec.instances == Instances::Reuse && limits.concurrency == 0 {
        return refuse("limits.concurrency is 0");
    }
    Ok(())
}
