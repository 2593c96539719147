//! The login names of those whom files and databases know. What is not found, or not found for certain, is not known.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use keyway_core::import::privacyidea::Logins;
use keyway_core::port::{NamedDatabase, NamedDatabases as _};
use keyway_runtime::{FileSpec, Grants};
use keyway_store::SqlDatabases;
use serde_json::Value;
use tokio::sync::OnceCell;

/// One more than may fit.
const TWO: u32 = 2;

/// Login names by user ids; nothing where two lines have the same one.
type Names = HashMap<String, Option<String>>;

/// What is granted to a backend.
pub(super) struct GrantedLogins {
    files: HashMap<String, (FileSpec, OnceCell<Names>)>,
    databases: HashMap<String, Arc<dyn NamedDatabase>>,
}

impl GrantedLogins {
    pub(super) fn new(grants: &Grants) -> Self {
        let files = grants.file.iter();
        let databases = grants.sql.iter();
        Self {
            files: files
                .map(|(name, spec)| (name.clone(), (spec.clone(), OnceCell::new())))
                .collect(),
            databases: databases
                .filter_map(|(name, spec)| Some((name.clone(), SqlDatabases.open(spec).ok()?)))
                .collect(),
        }
    }

    async fn in_file(&self, name: &str, userid: &str) -> Option<String> {
        let (spec, names) = self.files.get(name)?;
        let names = names.get_or_init(|| async {
            let spec = spec.clone();
            let read = tokio::task::spawn_blocking(move || read(&spec)).await;
            read.unwrap_or_default()
        });
        names.await.get(userid)?.clone()
    }

    async fn in_database(&self, name: &str, resolver: &Value, userid: &str) -> Option<String> {
        let statement = resolver.get("find_query")?.as_str()?;
        let column = resolver.get("map")?.get("username")?.as_str()?;
        let is_numbered = statement.contains("$1") || statement.contains("?1");
        let count = if is_numbered { 1 } else { statement.matches('?').count() };
        let parameters = vec![userid.to_owned(); count];
        let rows = self.databases.get(name)?.query(statement, &parameters, TWO).await;
        let [row] = rows.ok()?.try_into().ok()?;
        let mut cells = row.into_iter();
        let (_, login) = cells.find(|(known, _)| known.eq_ignore_ascii_case(column))?;
        login.filter(|login| !login.is_empty())
    }
}

#[async_trait]
impl Logins for GrantedLogins {
    async fn find_login(&self, resolver: &Value, userid: &str) -> Option<String> {
        let text = |key| resolver.get(key).and_then(Value::as_str);
        match text("type")? {
            "passwd" => self.in_file(text("file")?, userid).await,
            "sql" => self.in_database(text("database")?, resolver, userid).await,
            _ => None,
        }
    }
}

fn read(spec: &FileSpec) -> Names {
    let is_small = std::fs::metadata(&spec.path).is_ok_and(|found| found.len() <= spec.max_size);
    let bytes = is_small.then(|| std::fs::read(&spec.path).ok()).flatten();
    let bytes = bytes.unwrap_or_default();
    let mut names = Names::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let fields: Vec<&str> = std::str::from_utf8(line).unwrap_or_default().split(':').collect();
        if let [login, _, userid, _, _, _, _, ..] = fields.as_slice()
            && !login.is_empty()
        {
            let seen = names.insert((*userid).to_owned(), Some((*login).to_owned()));
            if seen.is_some() {
                names.insert((*userid).to_owned(), None);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use keyway_core::port::NamedDatabaseSpec;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_file_knows_whoever_has_an_id_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwd");
        let lines = "carol:x:1::::\nshort:x:2\ndave:x:3::::\nerin:x:3::::\n:x:4::::\n";
        std::fs::write(&path, lines).unwrap();
        let mut grants = Grants::default();
        grants.file.insert("people".to_owned(), FileSpec::new(path));
        let logins = GrantedLogins::new(&grants);
        let resolver = json!({"type": "passwd", "file": "people"});
        for (userid, login) in [("1", Some("carol")), ("2", None), ("3", None), ("4", None), ("", None)] {
            let found = logins.find_login(&resolver, userid).await;
            assert_eq!(found.as_deref(), login, "{userid}");
        }
        for unknown in [
            json!({"type": "passwd", "file": "others"}),
            json!({"type": "directory"}),
            json!(1),
        ] {
            assert_eq!(logins.find_login(&unknown, "1").await, None);
        }
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_knows_nobody() {
        let mut grants = Grants::default();
        grants
            .sql
            .insert("hr".to_owned(), NamedDatabaseSpec::new("sqlite:/nowhere/hr.db"));
        let resolver = json!({"type": "sql", "database": "hr", "find_query": "SELECT 1 WHERE 1 = $1", "map": {"username": "login"}});
        assert_eq!(GrantedLogins::new(&grants).find_login(&resolver, "1").await, None);
    }
}
