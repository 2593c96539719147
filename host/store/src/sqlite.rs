//! The store over `SQLite`: one writer that groups commits, and a few connections that only read.
//!
//! No other process shares it, save a command that runs for a moment, so it never sends a change.

#[path = "statement/account.rs"]
mod account;
#[path = "statement/adopt.rs"]
mod adopt;
#[path = "statement/attempt.rs"]
mod attempt;
#[path = "statement/audit.rs"]
mod audit;
#[path = "statement/challenge.rs"]
mod challenge;
#[path = "statement/digest.rs"]
mod digest;
#[path = "statement/directory.rs"]
mod directory;
#[path = "statement/document.rs"]
mod document;
#[path = "statement/ending.rs"]
mod ending;
#[path = "statement/event.rs"]
mod event;
#[path = "statement/factor.rs"]
mod factor;
#[path = "statement/factor_list.rs"]
mod factor_list;
#[path = "statement/factor_use.rs"]
mod factor_use;
#[path = "statement/group.rs"]
mod group;
#[path = "statement/key.rs"]
mod key;
mod key_store;
#[path = "statement/link.rs"]
mod link;
#[path = "statement/list.rs"]
mod list;
#[path = "statement/policy.rs"]
mod policy;
#[path = "statement/provision.rs"]
mod provision;
mod receiver;
#[path = "statement/refresh.rs"]
mod refresh;
#[path = "statement/revocation.rs"]
mod revocation;
#[path = "statement/session.rs"]
mod session;
#[path = "statement/setting.rs"]
mod setting;
#[path = "statement/tenant.rs"]
mod tenant;
#[path = "statement/tenant_removal.rs"]
mod tenant_removal;
#[path = "statement/token.rs"]
mod token;
mod token_store;
#[path = "statement/user.rs"]
mod user;
#[path = "statement/user_change.rs"]
mod user_change;
#[path = "statement/user_name.rs"]
mod user_name;
#[path = "statement/verifier.rs"]
mod verifier;
mod writer;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use keyway_core::port::{Change, Random, Revoked, Store, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::broadcast;
use uuid::Uuid;

use self::writer::Writer;
use crate::failure::{Failure, during};
use crate::open::{OpenError, StoreSettings};
use crate::row::EndedSession;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

// What the statements that both drivers share are compiled against here.
type Database = sqlx::Sqlite;
type Connection = SqliteConnection;
type DriverStore = SqliteStore;

/// There is one writer at a time: rows need no locks.
const LOCKS_ROWS: bool = false;

/// The function that tells where a text contains another one.
const POSITION: &str = "instr";

/// The time by the store's clock, in microseconds.
const STORE_NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// What makes two sweeps share the work: there is one at a time.
const SKIP_LOCKED: &str = "";

const REMOVE_EXPIRED_TOKENS: &str = "DELETE FROM token WHERE (hash, key_id) IN \
    (SELECT hash, key_id FROM token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING session";

const REMOVE_EXPIRED_REFRESH_TOKENS: &str = "DELETE FROM refresh_token WHERE id IN \
    (SELECT id FROM refresh_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) \
    RETURNING client_id, tenant, identity, mobile";

/// There is one writer: events are in the order of their ids, and none appears before one that was read. `$3` is an epoch, of which this
/// store has one.
const READ_EVENTS: &str = "SELECT 0 AS epoch, id, at, kind, tenant, identity, document FROM event \
    WHERE id > $1 AND $3 IS NOT NULL ORDER BY id LIMIT $2";

const LAST_EVENT: &str = "SELECT 0, id FROM event ORDER BY id DESC LIMIT 1";

/// Removes those of the sessions that have no token left; returns these.
async fn remove_empty_sessions(connection: &mut Connection, sessions: &[Uuid]) -> Result<Vec<EndedSession>, Failure> {
    let mut removed = Vec::new();
    for session in sessions {
        let statement = "DELETE FROM session WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM token WHERE session = $1) \
            RETURNING id, tenant, identity, mobile, dialect, actor, \
            EXISTS (SELECT 1 FROM session acted WHERE acted.actor_session = $1) AS acts";
        removed.extend(
            sqlx::query_as::<_, EndedSession>(statement)
                .bind(session)
                .fetch_optional(&mut *connection)
                .await?,
        );
    }
    Ok(removed)
}

/// The store over one database file.
pub(crate) struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
    changes: broadcast::Sender<Change>,
}

impl SqliteStore {
    /// Opens the file, or makes it.
    pub(crate) async fn open(path: &Path, settings: StoreSettings, random: &dyn Random) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        // An absolute path keeps SQLite from taking a name such as `file:x` for a URL of its own.
        let path = std::path::absolute(path).map_err(failed)?;
        make_private_file(&path).map_err(failed)?;
        let place = format!("the database file `{}`", path.display());
        let common = SqliteConnectOptions::new()
            .filename(&path)
            .busy_timeout(settings.acquire_timeout)
            .foreign_keys(true);
        let options = common
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            // A commit returns when the log is on disk: a token that was handed out survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", "67108864");
        let refused = |source| OpenError::connect(&place, source);
        // Migrations may make a table anew, which with foreign keys would empty those that refer to it.
        let patience = settings.acquire_timeout;
        let mut connection = connect(&options.clone().foreign_keys(false), patience)
            .await
            .map_err(refused)?;
        prepare(&mut connection, random)
            .await
            .map_err(|source| OpenError::migrate(&place, source))?;
        connection.close().await.map_err(refused)?;
        let connection = connect(&options, patience).await.map_err(refused)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.read_connections)
            .acquire_timeout(settings.acquire_timeout)
            .connect_with(common.read_only(true))
            .await
            .map_err(|source| OpenError::connect(&place, source))?;
        let writer = Writer::start(options, connection, settings.write_queue, settings.write_batch);
        Ok(Self {
            writer,
            readers,
            changes: broadcast::Sender::new(1),
        })
    }

    async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>, Failure> {
        Ok(self.readers.acquire().await?)
    }

    /// Does work that only reads.
    async fn call<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StoreError> {
        during(action, work).await
    }

    /// Does `work` in a transaction, and returns when that is on disk. If the caller goes away, the work may still be done.
    async fn write<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        self.writer.write(action, work).await
    }

    /// As [`SqliteStore::write`]; there are no other nodes to hear of what was revoked.
    async fn write_revoking<T, W>(&self, action: &'static str, work: W) -> Result<(T, Revoked), StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<(T, Revoked), Failure>> + Send + 'static,
    {
        self.writer.write(action, work).await
    }

    /// As [`SqliteStore::write`]; there are no other nodes to hear of the tenants.
    async fn write_tenants<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        self.writer.write(action, work).await
    }

    /// As [`SqliteStore::write`]; there are no other nodes to hear of the documents.
    async fn write_documents<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        self.writer.write(action, work).await
    }

    /// As [`SqliteStore::write`].
    async fn write_tenants_revoking<T, W>(&self, action: &'static str, work: W) -> Result<(T, Revoked), StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<(T, Revoked), Failure>> + Send + 'static,
    {
        self.writer.write(action, work).await
    }
}

/// Connects. SQLite does not wait where two processes turn on the log of one new file, or recover it: this does.
async fn connect(options: &SqliteConnectOptions, patience: Duration) -> sqlx::Result<SqliteConnection> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && waited < patience => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            connected => return connected,
        }
    }
}

/// Whether it is `SQLITE_BUSY`, in any of its extended forms.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let asked = async {
            self.writer.check()?;
            let mut connection = self.reader().await?;
            sqlx::query("SELECT 1").execute(&mut *connection).await?;
            Ok(())
        };
        during("answer", asked).await
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        let connection = self.writer.stop().await;
        self.readers.close().await;
        // The last connection that closes folds the log into the database file, and one that only reads could not.
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database file was not closed in order; the next start will recover it");
        }
    }
}

/// Makes the file if there is none, for its owner only. SQLite gives the files that it puts beside it the same mode.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    Ok(())
}

/// Brings the tables up to date, and makes the top tenant. All in one transaction, so that two processes cannot do it at once.
async fn prepare(connection: &mut SqliteConnection, random: &dyn Random) -> Result<(), MigrateError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run(&mut *transaction).await?;
    tenant::add_master(&mut transaction, random.uuid()).await?;
    tenant::add_missing_groups(&mut transaction, random).await?;
    let violated = sqlx::query("PRAGMA foreign_key_check")
        .fetch_optional(&mut *transaction)
        .await?;
    if violated.is_some() {
        return Err(sqlx::Error::Protocol("a row refers to one that does not exist".to_owned()).into());
    }
    transaction.commit().await?;
    Ok(())
}
