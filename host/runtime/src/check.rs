//! Looking at a plugin file without a server: `keyway plugin check` and `keyway plugin test`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use keyway_core::Secret;
use keyway_core::model::{Credential, Outcome, PluginDigest};
use keyway_core::port::BackendFault;
use serde::Serialize;

use crate::{Grants, HostServices, Limits};

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
pub async fn check_file(_path: &Path, _config: Option<&serde_json::Value>) -> Result<PluginReport, CheckError> {
    todo!()
}

/// Runs one login step on a plugin file. `services` stand behind its imports.
///
/// # Errors
/// [`CheckError`] if it would not be loaded; the inner result is the plugin's own answer.
pub async fn try_file(
    _path: &Path,
    _trial: Trial,
    _services: HostServices,
) -> Result<Result<Outcome, BackendFault>, CheckError> {
    todo!()
}
