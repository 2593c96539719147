//! Attempts to log in: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{Paged, TenantId, Timestamp};
use keyway_core::port::{Attempt, AttemptStore, NewAttempt, StoreError};
use sqlx::QueryBuilder;

use super::list::{count, findable};
use super::{Connection, Database, DriverStore, SKIP_LOCKED};
use crate::failure::{Failure, explain};
use crate::row::AttemptRow;

#[async_trait]
impl AttemptStore for DriverStore {
    async fn record_attempt(&self, attempt: &NewAttempt) -> Result<(), StoreError> {
        let attempt = attempt.clone();
        self.write("record an attempt", move |connection| {
            Box::pin(async move { record(connection, &attempt).await })
        })
        .await
    }

    async fn list_attempts(
        &self,
        tenant: TenantId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<Attempt>, StoreError> {
        self.call("list attempts", async {
            list(&mut *self.reader().await?, tenant, (since, until), limit, offset).await
        })
        .await
    }

    async fn find_attempt(&self, tenant: TenantId, id: i64) -> Result<Option<Attempt>, StoreError> {
        self.call("find an attempt", async {
            find(&mut *self.reader().await?, tenant, id).await
        })
        .await
    }

    async fn sweep_attempts(&self, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
        self.write("remove old attempts", move |connection| {
            Box::pin(sweep(connection, before, batch))
        })
        .await
    }
}

/// The columns of an [`AttemptRow`]; the condition is to follow.
const SELECT: &str = "SELECT id, at, tenant, identity, actor, kind, success, message, client, user_agent, request_id \
    FROM login_attempt WHERE ";

async fn record(connection: &mut Connection, attempt: &NewAttempt) -> Result<(), Failure> {
    // No text that a stranger sends may keep an attempt out.
    sqlx::query(
        "INSERT INTO login_attempt (tenant, identity, actor, kind, success, message, client, user_agent, request_id, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(attempt.tenant.0)
    .bind(attempt.identity.map(|identity| identity.0))
    .bind(attempt.actor.map(|actor| actor.0))
    .bind(findable(&attempt.kind))
    .bind(attempt.success)
    .bind(findable(&attempt.message))
    .bind(findable(&attempt.client))
    .bind(findable(&attempt.user_agent))
    .bind(findable(&attempt.request_id))
    .bind(attempt.at.0)
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[], "tenant"))?;
    Ok(())
}

async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    (since, until): (Timestamp, Timestamp),
    limit: u32,
    offset: u32,
) -> Result<Paged<Attempt>, Failure> {
    let condition = |builder: &mut QueryBuilder<Database>| {
        builder.push("tenant = ").push_bind(tenant.0);
        builder.push(" AND at >= ").push_bind(since.0);
        builder.push(" AND at < ").push_bind(until.0);
    };
    let mut total = QueryBuilder::new("SELECT count(*) FROM login_attempt WHERE tenant = ");
    total.push_bind(tenant.0);
    let mut filtered = QueryBuilder::new("SELECT count(*) FROM login_attempt WHERE ");
    condition(&mut filtered);
    let mut items = QueryBuilder::new(SELECT);
    condition(&mut items);
    items
        .push(" ORDER BY at DESC, id DESC LIMIT ")
        .push_bind(i64::from(limit));
    items.push(" OFFSET ").push_bind(i64::from(offset));
    let total = count(connection, total).await?;
    let filtered = count(connection, filtered).await?;
    let rows: Vec<AttemptRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows.into_iter().map(Attempt::from).collect(),
        total,
        filtered,
    })
}

async fn find(connection: &mut Connection, tenant: TenantId, id: i64) -> Result<Option<Attempt>, Failure> {
    let mut select: QueryBuilder<Database> = QueryBuilder::new(SELECT);
    select.push("id = ").push_bind(id);
    select.push(" AND tenant = ").push_bind(tenant.0);
    let row: Option<AttemptRow> = select.build_query_as().fetch_optional(connection).await?;
    Ok(row.map(Attempt::from))
}

async fn sweep(connection: &mut Connection, before: Timestamp, batch: u32) -> Result<u64, Failure> {
    let mut delete =
        QueryBuilder::new("DELETE FROM login_attempt WHERE id IN (SELECT id FROM login_attempt WHERE at < ");
    delete.push_bind(before.0).push(" ORDER BY at LIMIT ");
    delete.push_bind(i64::from(batch)).push(SKIP_LOCKED).push(")");
    Ok(delete.build().execute(connection).await?.rows_affected())
}
