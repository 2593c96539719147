//! From the bytes of a plugin file to a generation that could serve. Nothing here changes what serves.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::model::PluginDigest;
use keyway_core::port::BackendFault;
use sha2::Sha256;

use super::cache::ArtefactCache;
use super::compile::Compiler;
use crate::bindings::keyway::backend::types::Problem;
use crate::delegation::Delegation;
use crate::engine::HostEngine;
use crate::generation::Generation;
use crate::grant::{Capabilities, GrantError};
use crate::plugin::PluginError;
use crate::profile::Profile;
use crate::trace::Trace;
use crate::{BackendSpec, HostServices, Instances, Limits};

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
    #[error("another compilation is still running, and there was no place for this one within {} s", .0.as_secs())]
    CompilersBusy(Duration),
    #[error("the compiler failed")]
    Compiler,
    #[error("the plugin does not accept the configuration: {}", describe_problems(.0))]
    Config(Vec<Problem>),
    #[error("the configuration: {0}")]
    Limits(&'static str),
    #[error("it is not the pinned plugin {pinned}; the file is {found}")]
    Pin { pinned: PluginDigest, found: PluginDigest },
    #[error("the health check failed: {0}")]
    Unhealthy(BackendFault),
}

impl BringUpError {
    /// Whether it was the host that had no room, so that the same file is worth another try.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::CompilersBusy(_) => true,
            Self::Plugin(PluginError::Describe(fault) | PluginError::CheckConfig(fault)) => {
                matches!(fault, BackendFault::Saturated)
            }
            _ => false,
        }
    }
}

/// Makes generations.
pub(crate) struct Workshop {
    pub(crate) engine: Arc<HostEngine>,
    pub(crate) services: HostServices,
    pub(crate) compiler: Compiler,
    key: Secret<[u8; 32]>,
    /// What its generations know of each other.
    delegation: Option<Arc<Delegation>>,
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
            compiler: Compiler::new(Arc::clone(&engine), cache, compile_deadline),
            engine,
            services,
            key,
            delegation: None,
        }
    }

    /// The same, for generations that may ask each other.
    pub(crate) fn delegating(self, delegation: Arc<Delegation>) -> Self {
        Self {
            delegation: Some(delegation),
            ..self
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
        for hidden in spec.grants.hidden() {
            field(&hidden);
        }
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
        let plugin = self.compiler.plugin(digest, bytes).await?;
        let bare = Arc::new(Profile::bare(spec.name.clone(), spec.limits, self.services.clone()));
        let described = plugin.describe(&self.engine, &bare).await?;
        let (capabilities, problems, config);
        if spec.is_template {
            // What is missing in it is in its variants.
            (capabilities, problems, config) = (Capabilities::default(), Vec::new(), "{}".to_owned());
        } else {
            config = spec.config.to_string();
            capabilities = Capabilities::settle(&described.wants, &spec.grants, &*self.services.databases)?;
            problems = plugin.check_config(&self.engine, &bare, &config).await?;
        }
        if !problems.is_empty() {
            return Err(BringUpError::Config(problems));
        }
        let profile = Profile {
            backend: spec.name.clone(),
            config,
            secrets: spec.secrets.clone(),
            capabilities,
            limits: spec.limits,
            services: self.services.clone(),
            delegation: self.delegation.clone(),
            tenant: None,
            is_template: spec.is_template,
            trace: Trace::default(),
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
}

fn describe_problems(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(describe_problem).collect();
    texts.join("; ")
}

/// One line about a problem with a configuration.
pub(crate) fn describe_problem(problem: &Problem) -> String {
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
