//! Looking at a plugin file without a server: `keyway plugin check` and `keyway plugin test`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{BackendName, Credential, DigestAlgorithm, Outcome, PluginDigest, User, UserId};
use keyway_core::password::PasswordError;
use keyway_core::port::{BackendFault, RequestContext, Step, VerifyRequest};
use serde::Serialize;

use crate::engine::HostEngine;
use crate::plugin::{self, Plugin};
use crate::profile::Profile;
use crate::reload::bring_up::Workshop;
use crate::reload::file::{self, ReadError};
use crate::trace::{Trace, TraceStep};
use crate::{BackendSpec, Grants, HostDirectory, HostPasswords, HostServices, Limits, NoDatabases};

/// As many calls at once as looking at one file takes.
const CALLS: u32 = 2;

const MAX_BYTES: u64 = 32 << 20;
const COMPILE_DEADLINE: Duration = Duration::from_mins(1);

/// Why a plugin file is not usable.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It cannot be read.
    #[error("`{path}` cannot be read")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It would not be loaded; the text is what `keyway plugin list` would show as the reason.
    #[error("{0}")]
    Refused(String),
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedProblem {
    /// A JSON pointer to the value.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// What a plugin file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginReport {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// Its digest.
    pub digest: PluginDigest,
    /// The size of the file in bytes.
    pub size: u64,
    /// The capabilities that it wants.
    pub wants: Vec<String>,
    /// The interfaces that it imports, sorted.
    pub imports: Vec<String>,
    /// The interfaces that it exports, sorted.
    pub exports: Vec<String>,
    /// A JSON Schema of its configuration, as the plugin wrote it.
    pub config_schema: String,
    /// What is wrong with the configuration; empty where none was given.
    pub problems: Vec<ReportedProblem>,
}

/// One login step against a plugin file, without a server.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The `config` table.
    pub config: serde_json::Value,
    /// The secrets.
    pub secrets: BTreeMap<String, Secret<Vec<u8>>>,
    /// What it is allowed.
    pub grants: Grants,
    /// How much it may use.
    pub limits: Limits,
    /// Who logs in.
    pub identifier: String,
    /// With what proof.
    pub credential: Credential,
}

/// Loads a plugin file as the server would, asks it to describe itself, and has it check `config` if there is one.
///
/// # Errors
/// [`CheckError`].
pub async fn check_file(path: &Path, config: Option<&serde_json::Value>) -> Result<PluginReport, CheckError> {
    let limits = Limits::default();
    let bench = Bench::open(path, limits, no_services()).await?;
    let bare = Arc::new(Profile::bare(bench.backend.clone(), limits, no_services()));
    let engine = &bench.workshop.engine;
    let described = bench.plugin.describe(engine, &bare).await.map_err(refused)?;
    let problems = match config {
        Some(config) => {
            let checked = bench.plugin.check_config(engine, &bare, &config.to_string()).await;
            checked.map_err(refused)?
        }
        None => Vec::new(),
    };
    let component = bench.plugin.pre.component();
    Ok(PluginReport {
        name: described.name,
        version: described.version,
        summary: described.summary,
        digest: bench.plugin.digest,
        size: bench.size,
        wants: described.wants,
        imports: plugin::imports(engine, component),
        exports: plugin::exports(engine, component),
        config_schema: described.config_schema,
        problems: problems
            .into_iter()
            .map(|problem| ReportedProblem {
                pointer: problem.pointer,
                message: problem.message,
            })
            .collect(),
    })
}

/// What came of a [`Trial`].
#[derive(Debug)]
pub struct Tried {
    /// The steps that were taken, in their order: those of the host's that concern endpoints, and those that the plugin tells, which are its log
    /// lines with a field `step`.
    pub steps: Vec<TraceStep>,
    /// The plugin's own answer.
    pub answer: Result<Outcome, BackendFault>,
}

/// Runs one login step on a plugin file. `services` stand behind its imports.
///
/// # Errors
/// [`CheckError`] if it would not be loaded.
pub async fn try_file(path: &Path, trial: Trial, services: HostServices) -> Result<Tried, CheckError> {
    let bench = Bench::open(path, trial.limits, services).await?;
    let spec = BackendSpec {
        config: trial.config,
        secrets: trial.secrets,
        grants: trial.grants,
        limits: trial.limits,
        ..BackendSpec::new(bench.backend.clone(), "trial")
    };
    let brought_up = bench.workshop.bring_up(&spec, bench.plugin.digest, Vec::new()).await;
    let trace = Trace::collecting();
    let generation = brought_up.map_err(refused)?.traced(trace.clone());
    let context = RequestContext {
        request_id: "trial".to_owned(),
        dialect: "wazo",
        ..RequestContext::default()
    };
    let step = Step::Start {
        identifier: trial.identifier,
        credential: trial.credential,
    };
    let deadline = Instant::now() + trial.limits.deadline;
    let request = VerifyRequest {
        context,
        step,
        deadline,
    };
    let answer = generation.verify(request).await;
    Ok(Tried {
        steps: trace.take(),
        answer,
    })
}

/// A plugin with an engine of its own.
struct Bench {
    workshop: Workshop,
    plugin: Arc<Plugin>,
    backend: BackendName,
    size: u64,
}

impl Bench {
    async fn open(path: &Path, limits: Limits, services: HostServices) -> Result<Self, CheckError> {
        let file = {
            let path = path.to_owned();
            tokio::task::spawn_blocking(move || file::read_plugin(&path, MAX_BYTES)).await
        };
        let read = |source| CheckError::Read {
            path: path.to_owned(),
            source,
        };
        let file = match file.map_err(refused)? {
            Ok(file) => file,
            Err(ReadError::Io { error, .. }) => return Err(read(error)),
            Err(ReadError::Missing(_)) => return Err(read(io::ErrorKind::NotFound.into())),
            Err(error) => return Err(refused(error)),
        };
        let size = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        let engine = HostEngine::new(CALLS).map_err(|error| CheckError::Refused(format!("{error:#}")))?;
        // There is no cache, so the key authenticates nothing.
        let key = Secret::new([0; 32]);
        let workshop = Workshop::new(engine, services, None, key, COMPILE_DEADLINE.max(limits.deadline));
        let plugin = workshop
            .compiler
            .plugin(file.digest, file.bytes)
            .await
            .map_err(refused)?;
        let backend = BackendName::parse("check").map_err(refused)?;
        Ok(Self {
            workshop,
            plugin,
            backend,
            size,
        })
    }
}

fn refused(error: impl std::fmt::Display) -> CheckError {
    CheckError::Refused(error.to_string())
}

/// For calls that are granted nothing.
pub(crate) fn no_services() -> HostServices {
    HostServices {
        directory: Arc::new(Nobody),
        passwords: Arc::new(Nobody),
        databases: Arc::new(NoDatabases),
    }
}

struct Nobody;

#[async_trait]
impl HostDirectory for Nobody {
    async fn find_by_login(&self, _login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn find_by_email(&self, _email: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn list(&self, _pattern: &str, _tenant: Option<&str>, _most: u32) -> Result<Vec<User>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn group_names(&self, _user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn verify_password(
        &self,
        _backend: &BackendName,
        _user: Option<UserId>,
        _value: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        Ok(false)
    }

    async fn find_by_digest(
        &self,
        _backend: &BackendName,
        _algorithm: DigestAlgorithm,
        _digest: &Secret<Vec<u8>>,
        _tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }
}

#[async_trait]
impl HostPasswords for Nobody {
    async fn matches(
        &self,
        _backend: &BackendName,
        _value: &Secret<Vec<u8>>,
        _verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError> {
        Ok(false)
    }
}
