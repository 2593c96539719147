//! Tenants. Compiled once per driver.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::model::{Tenant, TenantId, login_key};
use keyway_core::port::{NewTenant, StoreError};
use sqlx::error::ErrorKind;
use uuid::Uuid;

use super::Connection;
use crate::failure::{Failure, explain, text};
use crate::row::{DomainRow, TenantRow, tenants};

/// Makes the top tenant unless there is one.
pub(super) async fn add_master(connection: &mut Connection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO tenant (id, parent, name, name_key) SELECT $1, $1, 'master', 'master' \
         WHERE NOT EXISTS (SELECT 1 FROM tenant WHERE parent = id) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn add_tenant(connection: &mut Connection, tenant: &NewTenant) -> Result<(), Failure> {
    if tenant.id == tenant.parent {
        return Err(StoreError::Missing { what: "tenant" }.into());
    }
    let realm = tenant
        .realm
        .as_deref()
        .map(|realm| text("tenant.realm", realm))
        .transpose()?;
    sqlx::query("INSERT INTO tenant (id, parent, name, name_key, realm, realm_key) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(tenant.id.0)
        .bind(tenant.parent.0)
        .bind(text("tenant.name", &tenant.name)?)
        .bind(login_key(&tenant.name))
        .bind(realm)
        .bind(realm.map(login_key))
        .execute(&mut *connection)
        .await
        .map_err(|error| {
            explain(
                error,
                &[("realm_key", "tenant realm"), ("name_key", "tenant name")],
                "tenant",
            )
        })?;
    for (position, domain) in (0_i32..).zip(&tenant.domains) {
        sqlx::query("INSERT INTO tenant_domain (domain_key, domain, tenant, position) VALUES ($1, $2, $3, $4)")
            .bind(login_key(text("tenant_domain.domain", domain)?))
            .bind(domain)
            .bind(tenant.id.0)
            .bind(position)
            .execute(&mut *connection)
            .await
            .map_err(|error| explain(error, &[("domain_key", "tenant domain")], "tenant"))?;
    }
    Ok(())
}

pub(super) async fn list_tenants(connection: &mut Connection) -> Result<Vec<Tenant>, Failure> {
    let domains: Vec<DomainRow> = sqlx::query_as("SELECT tenant, domain FROM tenant_domain ORDER BY tenant, position")
        .fetch_all(&mut *connection)
        .await?;
    let rows: Vec<TenantRow> = sqlx::query_as("SELECT id, parent, name, realm FROM tenant ORDER BY name, id")
        .fetch_all(connection)
        .await?;
    Ok(tenants(rows, domains))
}

/// What a tenant may own, and how to find one of it. Sessions of backends' own subjects are the last that may be left.
const OWNED: [(&str, &str); 4] = [
    ("tenants", "SELECT 1 FROM tenant WHERE parent = $1 LIMIT 1"),
    ("users", "SELECT 1 FROM directory_user WHERE tenant = $1 LIMIT 1"),
    ("policies", "SELECT 1 FROM policy WHERE tenant = $1 LIMIT 1"),
    ("sessions", "SELECT 1 FROM session WHERE tenant = $1 LIMIT 1"),
];

pub(super) async fn remove_tenant(connection: &mut Connection, id: TenantId) -> Result<bool, Failure> {
    for (what, select) in OWNED {
        if sqlx::query(select)
            .bind(id.0)
            .fetch_optional(&mut *connection)
            .await?
            .is_some()
        {
            return Err(StoreError::InUse { what }.into());
        }
    }
    let removed = sqlx::query("DELETE FROM tenant WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await;
    match removed {
        Ok(removed) => Ok(removed.rows_affected() == 1),
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
        Some("policy") => "policies",
        Some("session") => "sessions",
        _ => "users",
    }
}
