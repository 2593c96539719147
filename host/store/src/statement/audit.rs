//! The audit: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{Paged, Timestamp, login_key};
use keyway_core::port::{AuditCount, AuditEntry, AuditFilter, AuditStore, NewAuditEntry, StoreError};
use sqlx::QueryBuilder;

use super::list::{count, findable, push_pattern};
use super::{Connection, Database, DriverStore, SKIP_LOCKED, STORE_NOW};
use crate::failure::Failure;
use crate::row::AuditRow;

#[async_trait]
impl AuditStore for DriverStore {
    async fn record_audit(&self, entry: &NewAuditEntry) -> Result<(), StoreError> {
        let entry = entry.clone();
        self.write("record what was asked", move |connection| {
            Box::pin(async move { record(connection, &entry).await })
        })
        .await
    }

    async fn list_audit(
        &self,
        filter: &AuditFilter,
        ascending: bool,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<AuditEntry>, StoreError> {
        self.call("list what was asked", async {
            list(&mut *self.reader().await?, filter, ascending, limit, offset).await
        })
        .await
    }

    async fn count_audit(&self, counted: &AuditCount<'_>) -> Result<u64, StoreError> {
        self.call("count what was asked", async {
            count_entries(&mut *self.reader().await?, counted).await
        })
        .await
    }

    async fn sweep_audit(&self, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
        self.write("remove old entries of the audit", move |connection| {
            Box::pin(sweep(connection, before, batch))
        })
        .await
    }
}

/// A text of an entry.
struct Column {
    /// Its name in a filter.
    name: &'static str,
    /// What is compared with a pattern: its lower-case form.
    key: &'static str,
    of: fn(&NewAuditEntry) -> &str,
}

macro_rules! columns {
    ($($name:literal, $column:literal, $field:ident;)*) => {
        /// The columns of an [`AuditRow`].
        const SELECT: &str = concat!("SELECT id, at, success, duration", $(", ", $column,)* " FROM audit WHERE ");

        const INSERT: &str = concat!("INSERT INTO audit (success, duration", $(", ", $column, ", ", $column, "_key",)* ") VALUES (");

        const COLUMNS: &[Column] = &[$(Column {
            name: $name,
            key: concat!("coalesce(", $column, "_key, lower(", $column, "))"),
            of: |entry| &entry.$field,
        }),*];
    };
}

columns! {
    "action", "action", action;
    "authentication", "authentication", authentication;
    // A `user` is something else in SQL.
    "user", "login", user;
    "realm", "realm", realm;
    "resolver", "resolver", resolver;
    "administrator", "administrator", administrator;
    "serial", "serial", serial;
    "token_type", "token_type", token_type;
    "policies", "policies", policies;
    "info", "info", info;
    "client", "client", client;
    "user_agent", "user_agent", user_agent;
    "request_id", "request_id", request_id;
}

async fn record(connection: &mut Connection, entry: &NewAuditEntry) -> Result<(), Failure> {
    let mut insert: QueryBuilder<Database> = QueryBuilder::new(INSERT);
    insert.push_bind(entry.success).push(", ");
    insert.push_bind(i64::try_from(entry.duration.as_micros()).unwrap_or(i64::MAX));
    for column in COLUMNS {
        // No text that a stranger sends may keep an entry out.
        let text = findable((column.of)(entry));
        let key = login_key(&text);
        let key = (key != text.to_ascii_lowercase()).then_some(key);
        insert.push(", ").push_bind(text).push(", ").push_bind(key);
    }
    insert.push(")");
    insert.build().execute(connection).await?;
    Ok(())
}

async fn list(
    connection: &mut Connection,
    filter: &AuditFilter,
    ascending: bool,
    limit: u32,
    offset: u32,
) -> Result<Paged<AuditEntry>, Failure> {
    let total = count(connection, QueryBuilder::new("SELECT count(*) FROM audit")).await?;
    let filtered = if *filter == AuditFilter::default() {
        total
    } else {
        let mut filtered = QueryBuilder::new("SELECT count(*) FROM audit WHERE ");
        push_conditions(&mut filtered, filter);
        count(connection, filtered).await?
    };
    let mut items = QueryBuilder::new(SELECT);
    push_conditions(&mut items, filter);
    items.push(if ascending { " ORDER BY id" } else { " ORDER BY id DESC" });
    items.push(" LIMIT ").push_bind(i64::from(limit));
    items.push(" OFFSET ").push_bind(i64::from(offset));
    let rows: Vec<AuditRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?,
        total,
        filtered,
    })
}

fn push_conditions(builder: &mut QueryBuilder<Database>, filter: &AuditFilter) {
    builder.push("1 = 1");
    for (name, pattern) in &filter.patterns {
        match COLUMNS.iter().find(|column| column.name == name) {
            Some(column) => push_pattern(builder, column.key, Some(pattern)),
            None => {
                builder.push(" AND 1 = 0");
            }
        }
    }
    if let Some(success) = filter.success {
        builder.push(" AND success = ").push_bind(success);
    }
    if let Some(since) = filter.since {
        builder.push(" AND at >= ").push_bind(since.0);
    }
}

async fn count_entries(connection: &mut Connection, counted: &AuditCount<'_>) -> Result<u64, Failure> {
    let user = findable(counted.user);
    // The index knows how a login begins. Were the login itself compared as it stands, SQLite would put the value into the condition before, and
    // not see the index any more.
    let mut entries = QueryBuilder::new("SELECT count(*) FROM audit WHERE substr(login, 1, 64) = substr(");
    entries.push_bind(user.clone());
    entries.push(", 1, 64) AND login || '' = ").push_bind(user);
    entries.push(" AND at >= ").push(STORE_NOW).push(" - ");
    entries.push_bind(i64::try_from(counted.within.as_micros()).unwrap_or(i64::MAX));
    entries.push(" AND realm = ").push_bind(findable(counted.realm));
    entries
        .push(" AND authentication = ")
        .push_bind(findable(counted.authentication));
    entries.push(" AND action IN (");
    let mut actions = entries.separated(", ");
    for action in counted.actions {
        actions.push_bind(findable(action));
    }
    // An empty list is no SQL.
    actions.push("NULL");
    entries.push(")");
    count(connection, entries).await
}

async fn sweep(connection: &mut Connection, before: Timestamp, batch: u32) -> Result<u64, Failure> {
    let mut delete = QueryBuilder::new("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ");
    delete.push_bind(before.0).push(" ORDER BY at LIMIT ");
    delete.push_bind(i64::from(batch)).push(SKIP_LOCKED).push(")");
    Ok(delete.build().execute(connection).await?.rows_affected())
}
