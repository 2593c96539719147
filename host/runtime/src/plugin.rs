//! A plugin: a compiled component whose imports and exports fit the contract. It has not been asked anything yet.

mod skew;

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_core::model::PluginDigest;
use keyway_core::port::BackendFault;
use wasmtime::component::{Component, InstancePre};

use crate::bindings::exports::keyway::backend::{authenticator, browse, change_password, health, lookup};
use crate::bindings::keyway::backend::types::Problem;
use crate::call::CallState;
use crate::engine::HostEngine;
use crate::generation::{self, Described, Guest};
use crate::profile::Profile;

pub(crate) use self::skew::{exports, imports};

/// Why a file is no plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PluginError {
    #[error("the file is no WebAssembly component: {0}")]
    NotAComponent(String),
    #[error(
        "it imports `{0}`, which this host does not offer; a plugin may import `keyway:backend/*@0.1.0` and the WASI interfaces of a standard library, and no sockets, HTTP or processes"
    )]
    ForbiddenImport(String),
    #[error("{0}")]
    Skew(String),
    #[error("`describe` failed: {0}")]
    Describe(BackendFault),
    #[error("`check-config` failed: {0}")]
    CheckConfig(BackendFault),
    #[error("its description is not usable: {0}")]
    Description(String),
}

/// A compiled component whose imports and exports fit the contract.
pub(crate) struct Plugin {
    pub(crate) digest: PluginDigest,
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) authenticator: authenticator::GuestIndices,
    pub(crate) health: Option<health::GuestIndices>,
    pub(crate) lookup: Option<lookup::GuestIndices>,
    pub(crate) change_password: Option<change_password::GuestIndices>,
    pub(crate) browse: Option<browse::GuestIndices>,
}

impl Plugin {
    /// Looks at what the component imports and exports.
    pub(crate) fn new(engine: &HostEngine, digest: PluginDigest, component: &Component) -> Result<Self, PluginError> {
        skew::check_imports(engine, component)?;
        let pre = engine
            .linker
            .instantiate_pre(component)
            .map_err(|error| skew::import_mismatch(&error))?;
        skew::check_exports(engine, component)?;
        let mismatch = |error: wasmtime::Error| skew::export_mismatch(engine, component, &error);
        let has = |expected| skew::has(engine, component, expected);
        let health = has(&skew::HEALTH).then(|| health::GuestIndices::new(&pre));
        let lookup = has(&skew::LOOKUP).then(|| lookup::GuestIndices::new(&pre));
        let change_password = has(&skew::CHANGE_PASSWORD).then(|| change_password::GuestIndices::new(&pre));
        let browse = has(&skew::BROWSE).then(|| browse::GuestIndices::new(&pre));
        Ok(Self {
            digest,
            authenticator: authenticator::GuestIndices::new(&pre).map_err(mismatch)?,
            health: health.transpose().map_err(mismatch)?,
            lookup: lookup.transpose().map_err(mismatch)?,
            change_password: change_password.transpose().map_err(mismatch)?,
            browse: browse.transpose().map_err(mismatch)?,
            pre,
        })
    }

    /// Asks the plugin about itself.
    pub(crate) async fn describe(
        self: &Arc<Self>,
        engine: &Arc<HostEngine>,
        bare: &Arc<Profile>,
    ) -> Result<Described, PluginError> {
        let budget = bare.limits.deadline;
        let mut guest = self.guest(engine, bare, "describe").map_err(PluginError::Describe)?;
        let ended = tokio::time::timeout(budget, guest.describe()).await;
        let described = settle(&mut guest, ended, budget).map_err(PluginError::Describe)?;
        check_description(Described {
            name: described.name,
            version: described.version,
            summary: described.summary,
            wants: described.wants,
            config_schema: described.config_schema,
        })
    }

    /// Asks the plugin whether a configuration is usable.
    pub(crate) async fn check_config(
        self: &Arc<Self>,
        engine: &Arc<HostEngine>,
        bare: &Arc<Profile>,
        json: &str,
    ) -> Result<Vec<Problem>, PluginError> {
        let budget = bare.limits.deadline;
        let mut guest = self
            .guest(engine, bare, "check-config")
            .map_err(PluginError::CheckConfig)?;
        let ended = tokio::time::timeout(budget, guest.check_config(json)).await;
        let checked = settle(&mut guest, ended, budget).map_err(PluginError::CheckConfig)?;
        let mut problems = checked.err().unwrap_or_default();
        problems.truncate(64);
        for problem in &mut problems {
            problem.pointer = guest.state_mut().clean(&problem.pointer, 256);
            problem.message = guest.state_mut().clean(&problem.message, 1024);
        }
        Ok(problems)
    }

    fn guest(
        self: &Arc<Self>,
        engine: &Arc<HostEngine>,
        bare: &Arc<Profile>,
        what: &str,
    ) -> Result<Guest, BackendFault> {
        Guest::new(
            engine,
            self,
            bare,
            generation::named(what),
            Instant::now() + bare.limits.deadline,
        )
    }
}

fn settle<T>(
    guest: &mut Guest,
    ended: Result<wasmtime::Result<T>, tokio::time::error::Elapsed>,
    budget: Duration,
) -> Result<T, BackendFault> {
    match ended {
        Ok(result) => guest.settle(result.map(Ok), budget),
        Err(_) => guest.expire(budget),
    }
}

fn check_description(described: Described) -> Result<Described, PluginError> {
    let unusable = |why: &str| Err(PluginError::Description(why.to_owned()));
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if !(1..=64).contains(&described.name.len()) || !described.name.chars().all(legal) {
        return unusable("the name is not 1 to 64 characters of `a-z`, `0-9`, `_` and `-`");
    }
    if !is_semantic_version(&described.version) {
        return unusable("the version is no semantic version, `1.4.0` for example");
    }
    if described.summary.len() > 1024 || described.summary.chars().any(char::is_control) {
        return unusable("the summary is not one sentence of at most 1024 bytes");
    }
    if described.wants.len() > 64 || described.wants.iter().any(|want| want.len() > 64) {
        return unusable("it wants more than 64 capabilities, or one with a name of more than 64 bytes");
    }
    if described.config_schema.len() > 256 << 10 {
        return unusable("the configuration's schema is larger than 256 KiB");
    }
    Ok(described)
}

fn is_semantic_version(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| !part.is_empty() && part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    version.len() <= 64 && version.bytes().all(legal) && core.split('.').count() == 3 && core.split('.').all(number)
}
