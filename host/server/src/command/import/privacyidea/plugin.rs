//! What the plugin of a realm backend says of configurations.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use keyway_core::import::privacyidea::ConfigCheck;
use keyway_runtime::{BackendSpec, CheckError, ReportedProblem, check_file};
use serde_json::{Map, Value};

use crate::app::chain;
use crate::command::failure::Failure;

/// The key that only a plugin with realms accepts.
const REALMS: &str = "realms";

/// The plugin file.
pub(super) struct RealmPlugin(PathBuf);

impl RealmPlugin {
    /// The one that a backend is on.
    ///
    /// # Errors
    /// There is none, or it knows nothing of realms, or it does not accept the backend's configuration as it is.
    pub(super) async fn open(plugins_dir: &Path, backend: &BackendSpec) -> Result<Self, Failure> {
        let plugin = Self(plugins_dir.join(format!("{}.wasm", backend.plugin)));
        let mut config = backend.config.clone();
        if let Value::Object(config) = &mut config {
            config.entry(REALMS).or_insert_with(|| Map::new().into());
        }
        match plugin.problem(&config).await {
            Ok(None) => Ok(plugin),
            Ok(Some(problem)) => Err(Failure::failed(format!(
                "the backend `{}` cannot have realms, its plugin `{}` says: {problem}; \
                 correct its `config`, or name a backend on the plugin `realm` with `--backend` or in `[dialect.privacyidea]`",
                backend.name, backend.plugin
            ))),
            Err(reason) => Err(Failure::failed(reason)),
        }
    }

    /// The first thing that is wrong with a configuration.
    async fn problem(&self, config: &Value) -> Result<Option<String>, String> {
        let checked = check_file(&self.0, Some(config)).await;
        let report = checked.map_err(|error| match &error {
            CheckError::Read { .. } => chain(&error),
            CheckError::Refused(reason) => format!("`{}` would not be loaded: {reason}", self.0.display()),
        })?;
        Ok(report
            .problems
            .first()
            .map(|ReportedProblem { pointer, message }| match pointer.as_str() {
                "" => message.clone(),
                _ => format!("`{pointer}`: {message}"),
            }))
    }
}

#[async_trait]
impl ConfigCheck for RealmPlugin {
    async fn check(&self, config: &Value) -> Result<(), String> {
        match self.problem(config).await? {
            None => Ok(()),
            Some(problem) => Err(problem),
        }
    }
}
