//! How tenants are removed: alone, if they own nothing, or with all that they own. Compiled once per driver.

use keyway_core::model::{NewEvent, TenantId};
use keyway_core::port::{Revoked, StoreError};
use sqlx::error::ErrorKind;
use uuid::Uuid;

use super::ending::BY_TENANT;
use super::{Connection, LOCKS_ROWS, event};
use crate::failure::Failure;

/// What a tenant may own, and how to find one of it. Sessions and factors of backends' own subjects are the last that may be left.
const OWNED: [(&str, &str); 7] = [
    ("tenants", HAS_CHILDREN),
    ("users", "SELECT 1 FROM directory_user WHERE tenant = $1 LIMIT 1"),
    (
        "groups",
        "SELECT 1 FROM directory_group WHERE tenant = $1 AND NOT (system OR provided) LIMIT 1",
    ),
    ("policies", "SELECT 1 FROM policy WHERE tenant = $1 LIMIT 1"),
    ("sessions", "SELECT 1 FROM session WHERE tenant = $1 LIMIT 1"),
    (
        "refresh tokens",
        "SELECT 1 FROM refresh_token WHERE tenant = $1 LIMIT 1",
    ),
    ("factors", "SELECT 1 FROM factor WHERE tenant = $1 LIMIT 1"),
];

const HAS_CHILDREN: &str = "SELECT 1 FROM tenant WHERE parent = $1 LIMIT 1";

pub(super) async fn remove(connection: &mut Connection, id: TenantId) -> Result<bool, Failure> {
    for (what, select) in OWNED {
        check_owns_none(connection, id, what, select).await?;
    }
    sqlx::query("DELETE FROM directory_group WHERE tenant = $1 AND (system OR provided)")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    remove_row(connection, id).await
}

async fn check_owns_none(
    connection: &mut Connection,
    id: TenantId,
    what: &'static str,
    select: &'static str,
) -> Result<(), Failure> {
    let found = sqlx::query(select).bind(id.0).fetch_optional(connection).await?;
    match found {
        None => Ok(()),
        Some(_) => Err(StoreError::InUse { what }.into()),
    }
}

async fn remove_row(connection: &mut Connection, id: TenantId) -> Result<bool, Failure> {
    // All rows are fetched: SQLite looks at foreign keys when the statement ends.
    let removed: Result<Vec<Uuid>, _> = sqlx::query_scalar("DELETE FROM tenant WHERE id = $1 RETURNING parent")
        .bind(id.0)
        .fetch_all(&mut *connection)
        .await;
    match removed {
        Ok(parents) => {
            let events: Vec<_> = parents
                .iter()
                .map(|parent| NewEvent::tenant_deleted(id, TenantId(*parent)))
                .collect();
            event::record(connection, &events).await?;
            Ok(!events.is_empty())
        }
        // Somebody gave the tenant something after the questions above.
        Err(error) => match error
            .as_database_error()
            .map(|database| (database.kind(), database.table()))
        {
            Some((ErrorKind::ForeignKeyViolation, owner)) => Err(StoreError::InUse { what: owner_of(owner) }.into()),
            _ => Err(error.into()),
        },
    }
}

fn owner_of(table: Option<&str>) -> &'static str {
    match table {
        Some("tenant") => "tenants",
        Some("directory_group") => "groups",
        Some("policy") => "policies",
        Some("session") => "sessions",
        Some("refresh_token") => "refresh tokens",
        Some("factor") => "factors",
        _ => "users",
    }
}

/// Removes what a tenant owns, in an order in which no row refers to one that is gone.
const REMOVE_OWNED: [&str; 7] = [
    "DELETE FROM factor WHERE tenant = $1 OR owner IN (SELECT id FROM directory_user WHERE tenant = $1)",
    "DELETE FROM refresh_token WHERE tenant = $1",
    "DELETE FROM policy_attachment WHERE identity IN (SELECT id FROM directory_user WHERE tenant = $1)",
    "DELETE FROM directory_group WHERE tenant = $1",
    "DELETE FROM policy WHERE tenant = $1",
    "DELETE FROM directory_user WHERE tenant = $1",
    "DELETE FROM tenant_setting WHERE tenant = $1",
];

pub(super) async fn remove_whole(connection: &mut Connection, id: TenantId) -> Result<(bool, Revoked), Failure> {
    if LOCKS_ROWS {
        // Users before the tenant: a login holds its user when it opens a session in the tenant. Once both are locked, nobody can log in
        // there, and nothing can be added.
        for lock in [
            "SELECT id FROM directory_user WHERE tenant = $1 ORDER BY id FOR UPDATE",
            "SELECT id FROM tenant WHERE id = $1 FOR UPDATE",
        ] {
            sqlx::query(lock).bind(id.0).execute(&mut *connection).await?;
        }
    }
    check_owns_none(connection, id, "tenants", HAS_CHILDREN).await?;
    let revoked = BY_TENANT.end(connection, id.0).await?;
    for statement in REMOVE_OWNED {
        sqlx::query(statement).bind(id.0).execute(&mut *connection).await?;
    }
    Ok((remove_row(connection, id).await?, revoked))
}
