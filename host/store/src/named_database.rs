//! Databases of others that an operator names for plugins to read. Nothing is ever written to them: a plugin writes the statements, so each of them is
//! one that begins as a query does, in a transaction that only reads, on a connection that is closed if anything is left unfinished on it.

mod answer;
mod mysql;
mod place;
mod postgres;
mod sqlite;
mod statement;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, TryStreamExt as _};
use keyway_core::port::{NamedDatabase, NamedDatabaseError, NamedDatabaseSpec, NamedDatabases, NamedRow};
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Connection, Database, Pool};

use self::answer::Answer;
use self::mysql::MySqlReader;
use self::place::Place;
use self::postgres::PostgresReader;
use self::sqlite::SqliteReader;

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_mins(1);

/// Opens databases of `SQLite`, `PostgreSQL`, and `MySQL` or `MariaDB`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlDatabases;

impl NamedDatabases for SqlDatabases {
    fn open(&self, spec: &NamedDatabaseSpec) -> Result<Arc<dyn NamedDatabase>, String> {
        let bounds = Bounds {
            timeout: spec.timeout,
            rows: spec.max_rows,
            bytes: spec.max_bytes,
        };
        Ok(match Place::parse(spec)? {
            Place::Sqlite(options) => Arc::new(Bounded {
                reader: SqliteReader::new(options, spec),
                bounds,
            }),
            Place::Postgres(options) => Arc::new(Bounded {
                reader: PostgresReader::new(options, spec),
                bounds,
            }),
            Place::MySql(options) => Arc::new(Bounded {
                reader: MySqlReader::new(options, spec),
                bounds,
            }),
        })
    }
}

/// How much one answer may be, and how long it may take.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    timeout: Duration,
    rows: u32,
    bytes: u64,
}

/// One kind of database.
#[async_trait]
trait Reader: Send + Sync {
    /// Adds the rows of a statement to the answer, until it wants no more.
    async fn read(&self, statement: &str, parameters: &[String], answer: &mut Answer)
    -> Result<(), NamedDatabaseError>;
}

struct Bounded<R> {
    reader: R,
    bounds: Bounds,
}

#[async_trait]
impl<R: Reader> NamedDatabase for Bounded<R> {
    async fn query(
        &self,
        statement: &str,
        parameters: &[String],
        most: u32,
    ) -> Result<Vec<NamedRow>, NamedDatabaseError> {
        let statement = statement::check(statement)?;
        if parameters.iter().any(|parameter| parameter.contains('\0')) {
            return Err(refused("", "a parameter holds a NUL character"));
        }
        let mut answer = Answer::new(most, self.bounds);
        let read = self.reader.read(statement, parameters, &mut answer);
        match tokio::time::timeout(self.bounds.timeout, read).await {
            Ok(read) => read?,
            Err(_) => return Err(NamedDatabaseError::Unavailable("it did not answer in time".to_owned())),
        }
        answer.finish()
    }
}

/// A pool of connections that are made when they are needed.
fn pool<DB: Database>(spec: &NamedDatabaseSpec) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(spec.connections)
        .acquire_timeout(spec.timeout)
        .idle_timeout(IDLE)
}

/// A connection that goes back to its pool only after whoever has it says that nothing is left unfinished on it.
struct Held<DB: Database> {
    connection: PoolConnection<DB>,
    is_clean: bool,
}

impl<DB: Database> Held<DB> {
    async fn from(pool: &Pool<DB>) -> Result<Self, NamedDatabaseError> {
        let connection = pool.acquire().await.map_err(|error| failed(&error))?;
        Ok(Self {
            connection,
            is_clean: false,
        })
    }
}

impl<DB: Database> Drop for Held<DB> {
    fn drop(&mut self) {
        if !self.is_clean {
            self.connection.close_on_drop();
        }
    }
}

fn refused(code: &str, reason: &str) -> NamedDatabaseError {
    NamedDatabaseError::Refused {
        code: code.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The port's error. A database's own message may quote the statement's values, so only its code is told.
fn failed(error: &sqlx::Error) -> NamedDatabaseError {
    let unavailable = |reason: String| NamedDatabaseError::Unavailable(reason);
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if is_passing(&code) {
                unavailable(format!("it answers with the code `{code}`"))
            } else {
                refused(&code, &format!("the database answers with the code `{code}`"))
            }
        }
        sqlx::Error::PoolTimedOut => unavailable("no connection in time".to_owned()),
        sqlx::Error::Io(error) => unavailable(error.to_string()),
        sqlx::Error::Tls(error) => unavailable(format!("TLS: {error}")),
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            refused("", "a value cannot be converted")
        }
        // What these say is the driver's own.
        error => unavailable(error.to_string()),
    }
}

/// Whether a code says that the database cannot be had now, and nothing about the statement: of PostgreSQL the classes for connections, logins,
/// resources and shutdowns, of `MySQL` the errors for a login and for too many connections, of `SQLite` those for locks and files.
fn is_passing(code: &str) -> bool {
    let classes = ["08", "28", "53", "55", "57", "58", "3D", "HY0"];
    let sqlite = ["5", "6", "10", "14", "26"];
    // `42S02` and the like are `MySQL`'s for what a statement names; a bare number is `SQLite`'s.
    match code.len() {
        5 => classes.iter().any(|class| code.starts_with(class)) && code != "HY000",
        _ => sqlite.contains(&code),
    }
}

/// Adds rows to the answer as long as it wants some; whether those were all.
async fn take<R>(
    mut rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
    answer: &mut Answer,
    texts: fn(&R) -> Result<NamedRow, NamedDatabaseError>,
) -> Result<bool, NamedDatabaseError> {
    while let Some(row) = rows.try_next().await.map_err(|error| failed(&error))? {
        if !answer.wants_more() {
            return Ok(false);
        }
        answer.push(texts(&row)?);
    }
    Ok(true)
}

/// Ends the transaction that something was read in. What it set for the session ends with it.
async fn roll_back<DB: Database>(transaction: sqlx::Transaction<'_, DB>) -> Result<(), NamedDatabaseError> {
    transaction.rollback().await.map_err(|error| failed(&error))
}

/// Begins one that only reads.
async fn begin<'c, DB: Database>(
    connection: &'c mut PoolConnection<DB>,
    statement: &str,
) -> Result<sqlx::Transaction<'c, DB>, NamedDatabaseError>
where
    DB::Connection: Connection<Database = DB>,
{
    let begun = connection.begin_with(sqlx::AssertSqlSafe(statement)).await;
    begun.map_err(|error| failed(&error))
}
