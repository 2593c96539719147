//! The store over `PostgreSQL`, which several nodes can share: one transaction per call, and a feed of what the other nodes change.

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
mod feed;
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

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use keyway_core::port::{Change, Random, Revoked, Store, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, PgTransaction, Postgres};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use uuid::Uuid;

use self::feed::Notice;
use crate::failure::{Failure, Refused, during};
use crate::open::{OpenError, StoreSettings};
use crate::row::EndedSession;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How much longer a call may take that ends everything that a plugin ever let in, or a tenant's users hold: there may be millions.
const LONG: u32 = 60;

/// How many changes a receiver may lag behind before it has to forget everything.
const CHANGES_KEPT: usize = 1024;

// What the statements that both drivers share are compiled against here.
type Database = Postgres;
type Connection = PgConnection;
type DriverStore = PostgresStore;

/// Other nodes write at the same time: what a transaction decides on must stay as it is.
const LOCKS_ROWS: bool = true;

/// The function that tells where a text contains another one.
const POSITION: &str = "strpos";

/// The time by the store's clock, which all nodes share, in microseconds. It stands still while a statement runs, so that an index may be asked.
const STORE_NOW: &str = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint";

/// What makes two sweeps share the work: each leaves out what the other is busy with.
const SKIP_LOCKED: &str = " FOR UPDATE SKIP LOCKED";

// Two sweeps share the work: each leaves out the sessions that the other, or a revocation, is busy with. The list is materialized because a
// plan that computes it twice would lock twice as many.
const REMOVE_EXPIRED_TOKENS: &str = "WITH expired AS MATERIALIZED (\
    SELECT t.hash, t.key_id FROM token t JOIN session s ON s.id = t.session WHERE t.expires_at <= $1 \
    ORDER BY t.expires_at LIMIT $2 FOR UPDATE OF s SKIP LOCKED) \
    DELETE FROM token t USING expired e WHERE t.hash = e.hash AND t.key_id = e.key_id RETURNING t.session";

const REMOVE_EXPIRED_REFRESH_TOKENS: &str = "DELETE FROM refresh_token WHERE id IN \
    (SELECT id FROM refresh_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) \
    RETURNING client_id, tenant, identity, mobile";

/// Ids are given out in another order than transactions end in. So events are in the order of their transactions first, and only those are
/// read that began before the oldest transaction that is still open: no event can appear before one that was read.
const READ_EVENTS: &str = "SELECT transaction::text::bigint AS epoch, id, at, kind, tenant, identity, document FROM event \
    WHERE (transaction, id) > ($3::text::xid8, $1) AND transaction < pg_snapshot_xmin(pg_current_snapshot()) \
    ORDER BY transaction, id LIMIT $2";

const LAST_EVENT: &str = "SELECT transaction::text::bigint, id FROM event \
    WHERE transaction < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY transaction DESC, id DESC LIMIT 1";

/// Removes those of the sessions that have no token left; returns these.
async fn remove_empty_sessions(connection: &mut Connection, sessions: &[Uuid]) -> Result<Vec<EndedSession>, Failure> {
    let statement = "DELETE FROM session WHERE id = ANY($1) \
        AND NOT EXISTS (SELECT 1 FROM token WHERE token.session = session.id) RETURNING id, tenant, identity, mobile, dialect, actor, \
        EXISTS (SELECT 1 FROM session acted WHERE acted.actor_session = session.id) AS acts";
    Ok(sqlx::query_as(statement).bind(sessions).fetch_all(connection).await?)
}

/// The store over one database.
pub(crate) struct PostgresStore {
    pool: PgPool,
    /// This process, so that it can tell its own changes from others'.
    node: Uuid,
    call_timeout: Duration,
    changes: broadcast::Sender<Change>,
    feed: AbortHandle,
}

impl PostgresStore {
    /// Opens the database, which must exist.
    pub(crate) async fn open(url: &str, settings: StoreSettings, random: &dyn Random) -> Result<Self, OpenError> {
        // The reason stays out of the message: it may quote the URL.
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url("cannot be read"))?;
        let options = options.application_name("keyway");
        let place = place(&options);
        let refused = |source| OpenError::connect(&place, source);
        let mut connection = connect(&options, settings.acquire_timeout).await.map_err(refused)?;
        prepare(&mut connection, random)
            .await
            .map_err(|source| OpenError::migrate(&place, source))?;
        // Whether the connection ends well is of no interest: all of it is committed.
        let _ = connection.close().await;

        let node = random.uuid();
        let changes = broadcast::Sender::new(CHANGES_KEPT);
        let feed = feed::start(options.clone(), settings.acquire_timeout, node, changes.clone());
        let feed = feed.await.map_err(refused)?;
        // The server gives up what we have given up, and does not go on holding locks for it.
        let limit = settings.call_timeout.as_millis().to_string();
        let options = options.options([
            ("statement_timeout", limit.as_str()),
            ("idle_in_transaction_session_timeout", &limit),
            // A statement that has waited for a lock must see what it waited for, whatever the database is set to.
            ("default_transaction_isolation", "read committed"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(settings.acquire_timeout)
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            node,
            call_timeout: settings.call_timeout,
            changes,
            feed,
        })
    }

    /// Does the work in bounded time. A transaction that it leaves open is rolled back.
    async fn call<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StoreError> {
        during(action, within(self.call_timeout, work)).await
    }

    /// Does work that may concern any number of rows: a transaction of [`PostgresStore::begin_long`].
    async fn call_long<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StoreError> {
        during(action, within(self.call_timeout * LONG, work)).await
    }

    // Boxed, because connecting is most of the size of a call's future and seldom happens.
    fn reader(&self) -> BoxFuture<'_, Result<PoolConnection<Postgres>, Failure>> {
        Box::pin(async { Ok(self.pool.acquire().await?) })
    }

    fn begin(&self) -> BoxFuture<'_, Result<PgTransaction<'static>, Failure>> {
        Box::pin(async { Ok(self.pool.begin().await?) })
    }

    /// A transaction whose statements may take longer than others'.
    fn begin_long(&self) -> BoxFuture<'_, Result<PgTransaction<'static>, Failure>> {
        Box::pin(async {
            let mut transaction = self.pool.begin().await?;
            let limit = (self.call_timeout * LONG).as_millis().to_string();
            sqlx::query("SELECT set_config('statement_timeout', $1, true)")
                .bind(limit)
                .execute(&mut *transaction)
                .await?;
            Ok(transaction)
        })
    }

    /// Does `work` in a transaction, in bounded time.
    async fn write<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call(action, work).await
    }

    /// As [`PostgresStore::write`]; the other nodes hear of what was revoked.
    async fn write_revoking<T, W>(&self, action: &'static str, work: W) -> Result<(T, Revoked), StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<(T, Revoked), Failure>> + Send + 'static,
    {
        let work = async {
            let mut transaction = self.begin().await?;
            let (outcome, revoked) = work(&mut transaction).await?;
            self.announce_revoked(&mut transaction, &revoked).await?;
            transaction.commit().await?;
            Ok((outcome, revoked))
        };
        self.call(action, work).await
    }

    /// As [`PostgresStore::write`]; the other nodes hear that tenants changed.
    async fn write_tenants<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        self.write_telling(action, Notice::Tenants, work).await
    }

    /// As [`PostgresStore::write`]; the other nodes hear that documents changed.
    async fn write_documents<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        self.write_telling(action, Notice::Documents, work).await
    }

    /// As [`PostgresStore::write`]; the other nodes hear the notice.
    async fn write_telling<T, W>(&self, action: &'static str, notice: Notice, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = work(&mut transaction).await?;
            self.announce(&mut transaction, notice).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call(action, work).await
    }

    /// As [`PostgresStore::write_revoking`] and [`PostgresStore::write_tenants`] at once, for work that may concern any number of rows.
    async fn write_tenants_revoking<T, W>(&self, action: &'static str, work: W) -> Result<(T, Revoked), StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<(T, Revoked), Failure>> + Send + 'static,
    {
        let work = async {
            let mut transaction = self.begin_long().await?;
            let (outcome, revoked) = work(&mut transaction).await?;
            self.announce_revoked(&mut transaction, &revoked).await?;
            self.announce(&mut transaction, Notice::Tenants).await?;
            transaction.commit().await?;
            Ok((outcome, revoked))
        };
        self.call_long(action, work).await
    }

    /// Tells the other nodes which tokens are no longer good, when the transaction commits.
    async fn announce_revoked(&self, transaction: &mut PgConnection, revoked: &Revoked) -> Result<(), Failure> {
        if revoked.tokens.is_empty() {
            return Ok(());
        }
        self.announce(transaction, Notice::of_tokens(&revoked.tokens)).await
    }

    /// Tells the other nodes, when the transaction commits.
    async fn announce(&self, transaction: &mut PgConnection, notice: Notice) -> Result<(), Failure> {
        let payload = feed::payload(self.node, notice)?;
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(feed::CHANNEL)
            .bind(payload)
            .execute(transaction)
            .await?;
        Ok(())
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let asked = async {
            sqlx::query("SELECT 1").execute(&mut *self.reader().await?).await?;
            Ok(())
        };
        self.call("answer", asked).await
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        self.feed.abort();
        self.pool.close().await;
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.feed.abort();
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, Failure> {
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| Err(Refused::TooSlow.into()))
}

/// The database in words, without the password.
pub(crate) fn place(options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    match options.get_socket() {
        Some(socket) => format!("the database `{database}` at `{}` as `{user}`", socket.display()),
        None => format!(
            "the database `{database}` at `{}:{}` as `{user}`",
            options.get_host(),
            options.get_port()
        ),
    }
}

pub(crate) async fn connect(options: &PgConnectOptions, timeout: Duration) -> Result<PgConnection, sqlx::Error> {
    let connected = tokio::time::timeout(timeout, options.connect()).await;
    connected.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// The lock under which a node makes what every store holds; any number that nothing else of ours locks.
const PREPARATION: i64 = 0x6b65_7977_6179;

/// Brings the tables up to date, and makes the top tenant. The migrator holds a lock, so that nodes that start at once take turns.
async fn prepare(connection: &mut PgConnection, random: &dyn Random) -> Result<(), MigrateError> {
    MIGRATIONS.run(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(PREPARATION)
        .execute(&mut *transaction)
        .await?;
    tenant::add_master(&mut transaction, random.uuid()).await?;
    tenant::add_missing_groups(&mut transaction, random).await?;
    receiver::renumber_restored(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}
