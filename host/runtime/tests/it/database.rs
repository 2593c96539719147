//! `database`: what a plugin gets of databases, and what it does not. The room `store` shows what the databases themselves make of a statement.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keyway_core::port::{NamedDatabase, NamedDatabaseError, NamedDatabaseSpec, NamedDatabases, NamedRow};
use keyway_runtime::{BackendSpec, HostServices, Limits};

use crate::errand::{answer, error, hostile, serve};
use crate::host::{TestHost, services};

/// What was asked: the statement, the parameters, and how many rows at most.
type Question = (String, Vec<String>, u32);

/// Databases that answer by what their URLs say, and remember what they were asked.
#[derive(Default)]
struct Told {
    asked: Arc<Mutex<Vec<Question>>>,
}

struct One {
    url: String,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl NamedDatabases for Told {
    fn open(&self, spec: &NamedDatabaseSpec) -> Result<Arc<dyn NamedDatabase>, String> {
        Ok(Arc::new(One {
            url: spec.url.clone(),
            asked: Arc::clone(&self.asked),
        }))
    }
}

#[async_trait]
impl NamedDatabase for One {
    async fn query(
        &self,
        statement: &str,
        parameters: &[String],
        most: u32,
    ) -> Result<Vec<NamedRow>, NamedDatabaseError> {
        let question = (statement.to_owned(), parameters.to_vec(), most);
        self.asked.lock().unwrap().push(question);
        let row = |login: &str| vec![("login".to_owned(), Some(login.to_owned()))];
        match self.url.as_str() {
            "two" => Ok(vec![row("alice"), row("bob")]),
            "large" => Ok(vec![row(&"x".repeat(100_000))]),
            "empty" => Ok((0..10_000).map(|_| Vec::new()).collect()),
            "down" => Err(NamedDatabaseError::Unavailable("s3cre7 at 192.0.2.7".to_owned())),
            "refuses" => Err(NamedDatabaseError::Refused {
                code: "42P01".to_owned(),
                reason: "s3cre7 is no relation".to_owned(),
            }),
            _ => Err(NamedDatabaseError::TooLarge("`max_rows` allows")),
        }
    }
}

/// A host with a backend that is granted one of each, by the name that its URL has.
async fn host(limits: Limits) -> (TestHost, Arc<Mutex<Vec<Question>>>) {
    let databases = Told::default();
    let asked = Arc::clone(&databases.asked);
    let mut spec = BackendSpec {
        limits,
        ..hostile("hostile")
    };
    for name in ["two", "large", "empty", "down", "refuses", "over"] {
        let database = NamedDatabaseSpec::new(name);
        spec.grants.sql.insert(name.to_owned(), database);
    }
    let services = HostServices {
        databases: Arc::new(databases),
        ..services()
    };
    let host = serve(TestHost::start_over(services).await, [spec]).await;
    (host, asked)
}

#[tokio::test]
async fn a_statement_and_its_parameters_stay_apart() {
    let (host, asked) = host(Limits::default()).await;
    let told = host
        .run("query|two|7|a'; DROP TABLE person,$1|SELECT login FROM person WHERE a = $1 AND b = $2")
        .await;
    assert_eq!(told, answer("alice\nbob"));
    let question = (
        "SELECT login FROM person WHERE a = $1 AND b = $2".to_owned(),
        vec!["a'; DROP TABLE person".to_owned(), "$1".to_owned()],
        7,
    );
    assert_eq!(*asked.lock().unwrap(), [question]);
}

#[tokio::test]
async fn no_other_name_leads_to_a_database() {
    let (host, asked) = host(Limits::default()).await;
    for name in [
        "other",
        "TWO",
        "",
        "*",
        "sqlite:/etc/passwd",
        "postgres://root@localhost/x",
    ] {
        let told = host.run(&format!("query|{name}|1||SELECT 1")).await;
        assert_eq!(told, error(&format!("NotGranted(\"grants.sql.{name}\")")));
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_plugin_learns_what_became_of_a_statement_and_not_why() {
    let (host, _) = host(Limits::default()).await;
    for (name, told) in [
        ("down", "Unavailable"),
        ("refuses", "Refused(\"42P01\")"),
        ("over", "LimitReached"),
    ] {
        assert_eq!(host.run(&format!("query|{name}|1||SELECT 1")).await, error(told));
    }
}

#[tokio::test]
async fn a_call_gets_no_more_of_databases_than_it_may_fetch() {
    let limits = Limits {
        fetched_bytes: 250_000,
        lookups: 3,
        ..Limits::default()
    };
    let (host, asked) = host(limits).await;
    let limit = || error("LimitReached");
    assert_eq!(host.run("repeat|3|query|two|9||SELECT 1").await, answer("alice\nbob"));
    assert_eq!(host.run("repeat|4|query|two|9||SELECT 1").await, limit());
    assert_eq!(asked.lock().unwrap().len(), 6, "the fourth is not asked");
    assert_eq!(host.run("repeat|3|query|large|9||SELECT 1").await, limit());
    // Rows of nothing cost, too.
    assert_ne!(host.run("query|empty|9||SELECT 1").await, limit());
    assert_eq!(host.run("repeat|2|query|empty|9||SELECT 1").await, limit());
}
