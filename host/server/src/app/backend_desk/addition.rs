//! What APIs have added to one backend, and how it is kept: the configuration as a document, the secrets sealed beside it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::port::{AddedConfig, NewDocument, Random, StoreError, StoredDocument};
use keyway_runtime::BackendSpec;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// What APIs have added to one backend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Addition {
    /// Of the configuration.
    pub(super) config: Map<String, Value>,
    pub(super) secrets: BTreeMap<String, Secret<Vec<u8>>>,
    /// Grows with each change of the configuration.
    pub(super) revision: i64,
    /// Of the document in the store, which grows with each change of anything; 0 while there is none.
    pub(super) stored: i64,
}

impl Addition {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self {
            config: Map::new(),
            secrets: BTreeMap::new(),
            revision: 0,
            stored: 0,
        }
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for what nothing here has written, or was sealed under another key.
    pub(super) fn read(stored: &StoredDocument, master: &MasterKey) -> Result<Self, StoreError> {
        let inconsistent = |what: &str| StoreError::Inconsistent {
            what: format!("`{what}` of what was added to the backend `{}`", stored.name),
        };
        let words = AddedConfig::parse(&stored.document).ok_or_else(|| inconsistent("document"))?;
        let secrets = match &stored.sealed {
            Some(sealed) => open(&stored.name, sealed, master).ok_or_else(|| inconsistent("sealed"))?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            config: words.config,
            secrets,
            revision: words.revision,
            stored: stored.revision,
        })
    }

    /// As it is to be stored, in the place of what was read.
    pub(super) fn write(&self, backend: &str, master: &MasterKey, random: &dyn Random) -> NewDocument {
        NewDocument {
            name: backend.to_owned(),
            document: self.words().to_document(),
            sealed: (!self.secrets.is_empty()).then(|| seal(backend, &self.secrets, master, random)),
            replaces: Some(self.stored),
        }
    }

    /// The backend as the file describes it, with this below what the file says.
    pub(super) fn below(&self, file: &BackendSpec) -> BackendSpec {
        let mut spec = file.clone();
        spec.config = self.words().below(&file.config);
        for (name, value) in &self.secrets {
            spec.secrets.entry(name.clone()).or_insert_with(|| value.clone());
        }
        spec
    }

    fn words(&self) -> AddedConfig {
        AddedConfig {
            revision: self.revision,
            config: self.config.clone(),
        }
    }
}

fn place(backend: &str) -> String {
    format!("backend/{backend}")
}

fn seal(
    backend: &str,
    secrets: &BTreeMap<String, Secret<Vec<u8>>>,
    master: &MasterKey,
    random: &dyn Random,
) -> Vec<u8> {
    // Lines of a name and a value in base64, so that no copy of a value is left behind in a tree of JSON.
    let mut lines = Zeroizing::new(String::new());
    for (name, value) in secrets {
        let value = Zeroizing::new(STANDARD.encode(value.expose()));
        for part in [STANDARD.encode(name).as_str(), " ", &value, "\n"] {
            lines.push_str(part);
        }
    }
    let secret = Secret::new(lines.as_bytes().to_vec());
    master.seal(&place(backend), &secret, random)
}

fn open(backend: &str, sealed: &[u8], master: &MasterKey) -> Option<BTreeMap<String, Secret<Vec<u8>>>> {
    let opened = master.open(&place(backend), sealed)?;
    let lines = std::str::from_utf8(opened.expose()).ok()?.lines();
    lines
        .map(|line| {
            let (name, value) = line.split_once(' ')?;
            let name = String::from_utf8(STANDARD.decode(name).ok()?).ok()?;
            Some((name, Secret::new(STANDARD.decode(value).ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use keyway_core::model::BackendName;
    use keyway_core::port::SystemRandom;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => panic!("it is no object"),
        }
    }

    fn addition() -> Addition {
        Addition {
            config: object(json!({ "realms": { "sales": { "resolvers": ["p"] } } })),
            secrets: BTreeMap::from([
                ("bind é\n".to_owned(), Secret::new(vec![0, 255, b'\n'])),
                ("empty".to_owned(), Secret::new(Vec::new())),
            ]),
            revision: 7,
            stored: 0,
        }
    }

    fn stored(name: &str, addition: &Addition, master: &MasterKey) -> StoredDocument {
        let new = addition.write(name, master, &SystemRandom);
        StoredDocument {
            name: new.name,
            id: 1,
            revision: 12,
            document: new.document,
            sealed: new.sealed,
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_shows_no_secret() {
        let master = MasterKey::new([1; 32]);
        let document = stored("realms", &addition(), &master);
        assert!(!document.document.contains("bind"));
        let read = Addition::read(&document, &master).unwrap();
        assert_eq!(
            read,
            Addition {
                stored: 12,
                ..addition()
            }
        );
        assert_eq!(read.write("realms", &master, &SystemRandom).replaces, Some(12));
    }

    #[test]
    fn secrets_belong_to_their_backend_and_their_key() {
        let master = MasterKey::new([1; 32]);
        let document = stored("realms", &addition(), &master);
        let moved = StoredDocument {
            name: "other".to_owned(),
            ..document.clone()
        };
        for refused in [
            Addition::read(&moved, &master),
            Addition::read(&document, &MasterKey::new([2; 32])),
        ] {
            assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{refused:?}");
        }
        let strange = StoredDocument {
            document: "[]".to_owned(),
            ..document
        };
        assert!(Addition::read(&strange, &master).is_err());
    }

    #[test]
    fn a_secret_of_the_file_holds_too() {
        let mut file = BackendSpec::new(BackendName::parse("realms").unwrap(), "realm");
        file.secrets.insert("empty".to_owned(), "of the file".into());
        let spec = addition().below(&file);
        assert_eq!(spec.secrets.get("empty"), Some(&"of the file".into()));
        assert_eq!(spec.secrets.len(), 2);
        assert_eq!(spec.config, Value::Object(addition().config));
    }
}
