//! The configuration of backends, as APIs see and change it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// What was added to a backend's configuration, as its document of the kind `BackendConfig` holds it. Secrets are sealed beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedConfig {
    /// Grows with each change.
    pub revision: i64,
    /// What was added.
    pub config: Map<String, Value>,
}

impl AddedConfig {
    /// Reads a document; `None` for what nothing here has written.
    pub fn parse(document: &str) -> Option<Self> {
        serde_json::from_str(document).ok()
    }

    /// The document.
    pub fn to_document(&self) -> String {
        let config = Value::Object(self.config.clone());
        serde_json::json!({ "revision": self.revision, "config": config }).to_string()
    }

    /// The whole configuration: what the file says, with this below it.
    pub fn below(&self, file: &Value) -> Value {
        merged(file, &self.config)
    }
}

/// Objects are merged at every depth; where both say something else, the file's word holds.
fn merged(file: &Value, added: &Map<String, Value>) -> Value {
    let Value::Object(file) = file else {
        return file.clone();
    };
    let mut both = file.clone();
    for (key, value) in added {
        match (both.get_mut(key), value) {
            (None, _) => drop(both.insert(key.clone(), value.clone())),
            (Some(said), Value::Object(more)) if said.is_object() => *said = merged(said, more),
            (Some(_), _) => {}
        }
    }
    Value::Object(both)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn added(config: Value) -> AddedConfig {
        let Value::Object(config) = config else {
            panic!("it is no object");
        };
        AddedConfig { revision: 7, config }
    }

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let added = added(json!({ "realms": { "sales": {} } }));
        assert_eq!(AddedConfig::parse(&added.to_document()), Some(added));
        for strange in ["[]", "{}", r#"{"realms": {}}"#, r#"{"revision": 1, "config": []}"#] {
            assert_eq!(AddedConfig::parse(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_files_word_holds_at_every_depth() {
        let table = [
            (json!({}), json!({}), json!({})),
            (json!({}), json!({ "a": { "b": 1 } }), json!({ "a": { "b": 1 } })),
            (json!({ "a": 1 }), json!({ "a": 2, "b": 3 }), json!({ "a": 1, "b": 3 })),
            (
                json!({ "realms": { "sales": { "resolvers": ["file"] } } }),
                json!({ "realms": { "sales": { "resolvers": ["api"], "note": "x" }, "hr": {} } }),
                json!({ "realms": { "sales": { "resolvers": ["file"], "note": "x" }, "hr": {} } }),
            ),
            (json!({ "a": [1] }), json!({ "a": { "b": 1 } }), json!({ "a": [1] })),
            (
                json!({ "a": { "b": 1 } }),
                json!({ "a": [1] }),
                json!({ "a": { "b": 1 } }),
            ),
            (json!({ "a": null }), json!({ "a": { "b": 1 } }), json!({ "a": null })),
        ];
        for (file, config, expected) in table {
            assert_eq!(added(config.clone()).below(&file), expected, "{file} {config}");
        }
    }
}
