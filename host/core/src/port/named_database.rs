//! Databases of others that an operator names for plugins to read.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::Secret;

/// Where a database is, and how much of it a call may fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDatabaseSpec {
    /// `sqlite:FILE`, `postgres://USER@HOST:PORT/DATABASE` or `mysql://USER@HOST:PORT/DATABASE`. It holds no password.
    pub url: String,
    /// The user's password.
    pub password: Option<Secret<Vec<u8>>>,
    /// The authorities that its certificate must come from, in PEM; the machine's where there are none.
    pub ca: Option<Secret<Vec<u8>>>,
    /// How long one statement may take, waiting for a connection included.
    pub timeout: Duration,
    /// Connections at once.
    pub connections: u32,
    /// The most rows of one answer.
    pub max_rows: u32,
    /// The most bytes of one answer.
    pub max_bytes: u64,
}

impl NamedDatabaseSpec {
    /// With defaults for everything but the place.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            password: None,
            ca: None,
            timeout: Duration::from_secs(2),
            connections: 4,
            max_rows: 10_000,
            max_bytes: 4 << 20,
        }
    }
}

/// A row: each column's name and value as text, `None` for NULL.
pub type NamedRow = Vec<(String, Option<String>)>;

/// Why there are no rows. No text holds a parameter, a value or the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamedDatabaseError {
    /// It did not answer in time, or let nobody in.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// It refused the statement, or the statement is none that only reads.
    #[error("the statement was refused: {reason}")]
    Refused {
        /// The database's own code, or empty.
        code: String,
        /// Why.
        reason: String,
    },
    /// The answer is larger than it may be.
    #[error("the answer is larger than {0}")]
    TooLarge(&'static str),
}

/// One database. Nothing is ever written to it.
#[async_trait]
pub trait NamedDatabase: Send + Sync {
    /// The rows that a statement answers, at most `most`, which is cut at the database's own bound. `parameters` are bound as texts, never pasted.
    ///
    /// # Errors
    /// [`NamedDatabaseError`].
    async fn query(
        &self,
        statement: &str,
        parameters: &[String],
        most: u32,
    ) -> Result<Vec<NamedRow>, NamedDatabaseError>;
}

/// Opens databases. To add a kind, add it to the room `store`, the only one that speaks to databases.
pub trait NamedDatabases: Send + Sync {
    /// One database. It is connected to when it is first asked.
    ///
    /// # Errors
    /// Why no database can be what the specification says, in words that continue "the url".
    fn open(&self, spec: &NamedDatabaseSpec) -> Result<Arc<dyn NamedDatabase>, String>;
}
