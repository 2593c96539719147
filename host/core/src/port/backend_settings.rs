//! The configuration of backends, as APIs see and change it.

use async_trait::async_trait;
use serde_json::Value;

use super::StoreError;
use crate::Secret;

/// What a backend is configured with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BackendSettings {
    /// What the configuration file says: a JSON object. It is read-only to APIs.
    pub fixed: Value,
    /// What was added through APIs: a JSON object. Where both say something, the file's word holds.
    pub added: Value,
    /// The names of what the operator grants, by kind: what `added` may lean on.
    pub files: Vec<String>,
    /// Databases.
    pub databases: Vec<String>,
    /// Endpoints.
    pub endpoints: Vec<String>,
    /// Other backends.
    pub backends: Vec<String>,
    /// Grows with each change of `added`; 0 while nothing is.
    pub revision: i64,
}

/// Why a configuration was not changed.
#[derive(Debug, thiserror::Error)]
pub enum BackendSettingsError {
    /// No backend has this name.
    #[error("no backend has the name `{0}`")]
    Unknown(String),
    /// The backend does not accept it: a JSON pointer and what is wrong, each.
    #[error("the backend does not accept this configuration")]
    Refused(Vec<(String, String)>),
    /// It has been changed since it was read.
    #[error("the configuration has been changed by somebody else")]
    Overtaken,
    /// It was stored, but the backend could not be loaded with it, and the old one goes on.
    #[error("the backend cannot be loaded with this configuration: {0}")]
    NotLoaded(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The configuration of backends. The server implements it.
#[async_trait]
pub trait BackendDesk: Send + Sync {
    /// What the backend is configured with now.
    ///
    /// # Errors
    /// [`BackendSettingsError::Unknown`], [`BackendSettingsError::Store`].
    async fn settings(&self, backend: &str) -> Result<BackendSettings, BackendSettingsError>;

    /// Puts `added` in place, on all nodes. When this returns, this node's next login goes by it. `revision` is what was read.
    ///
    /// # Errors
    /// [`BackendSettingsError`].
    async fn change(&self, backend: &str, added: Value, revision: i64) -> Result<(), BackendSettingsError>;

    /// Tries a configuration without putting it in place: `Ok` if the backend accepts it and, with it, finds all that it depends on.
    ///
    /// # Errors
    /// [`BackendSettingsError`].
    async fn try_out(&self, backend: &str, added: Value) -> Result<(), BackendSettingsError>;

    /// Keeps a secret for the backend, under a name by which its plugin asks for it, sealed; `None` forgets it.
    ///
    /// # Errors
    /// [`BackendSettingsError`].
    async fn set_secret(
        &self,
        backend: &str,
        name: &str,
        value: Option<Secret<Vec<u8>>>,
    ) -> Result<(), BackendSettingsError>;
}
