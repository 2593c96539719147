//! Tenants. Compiled once per driver.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::model::{Group, PolicyId, Tenant, TenantId, login_key};
use keyway_core::port::{NewTenant, Random, StoreError};
use sqlx::error::ErrorKind;
use uuid::Uuid;

use super::{Connection, group};
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{DomainRow, TenantRow, tenants, to_json};

/// Makes the top tenant unless there is one.
pub(super) async fn add_master(connection: &mut Connection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO tenant (id, parent, name, name_key, slug, slug_key) SELECT $1, $1, 'master', 'master', 'master', 'master' \
         WHERE NOT EXISTS (SELECT 1 FROM tenant WHERE parent = id) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the group of all users of each tenant that has none.
pub(super) async fn add_missing_groups(connection: &mut Connection, random: &dyn Random) -> Result<(), sqlx::Error> {
    let select =
        "SELECT id FROM tenant t WHERE NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant = t.id AND g.system)";
    let tenants: Vec<Uuid> = sqlx::query_scalar(select).fetch_all(&mut *connection).await?;
    for tenant in tenants {
        let (group, name) = (random.uuid(), Group::all_users_name(TenantId(tenant)));
        sqlx::query(
            "INSERT INTO directory_group (id, tenant, name, name_key, slug, slug_key, system) VALUES ($1, $2, $3, $3, $3, $3, $4)",
        )
        .bind(group)
        .bind(tenant)
        .bind(name)
        .bind(true)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO group_member (directory_group, directory_user) SELECT $1, id FROM directory_user WHERE tenant = $2",
        )
        .bind(group)
        .bind(tenant)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[
    ("realm_key", "tenant realm"),
    ("slug_key", "tenant slug"),
    ("name_key", "tenant name"),
];

pub(super) async fn add_tenant(connection: &mut Connection, new: &NewTenant) -> Result<(), Failure> {
    let tenant = &new.tenant;
    if tenant.id == tenant.parent {
        return Err(StoreError::Missing { what: "tenant" }.into());
    }
    let realm = optional_text("tenant.realm", tenant.realm.as_deref())?;
    sqlx::query(
        "INSERT INTO tenant (id, parent, name, name_key, realm, realm_key, slug, slug_key, phone, contact, address, \
         authentication_method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(tenant.id.0)
    .bind(tenant.parent.0)
    .bind(text("tenant.name", &tenant.name)?)
    .bind(login_key(&tenant.name))
    .bind(realm)
    .bind(realm.map(login_key))
    .bind(text("tenant.slug", &tenant.slug)?)
    .bind(login_key(&tenant.slug))
    .bind(optional_text("tenant.phone", tenant.phone.as_deref())?)
    .bind(tenant.contact)
    .bind(to_json("tenant.address", &tenant.address)?)
    .bind(tenant.authentication_method.as_str())
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    add_domains(connection, tenant).await?;
    let all_users = Group {
        id: new.all_users,
        tenant: tenant.id,
        name: Group::all_users_name(tenant.id),
        slug: Group::all_users_name(tenant.id),
        system: true,
    };
    add_group(connection, &all_users, &new.all_users_policies).await?;
    for (group, policies) in &new.groups {
        add_group(connection, group, policies).await?;
    }
    Ok(())
}

async fn add_group(connection: &mut Connection, group: &Group, policies: &[PolicyId]) -> Result<(), Failure> {
    group::add_group(connection, group).await?;
    for policy in policies {
        group::attach_policy(connection, group.id, *policy).await?;
    }
    Ok(())
}

async fn add_domains(connection: &mut Connection, tenant: &Tenant) -> Result<(), Failure> {
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
    let rows: Vec<TenantRow> = sqlx::query_as("SELECT id, parent, name, realm, slug, phone, contact, address, authentication_method FROM tenant ORDER BY name, id")
        .fetch_all(connection)
        .await?;
    Ok(tenants(rows, domains)?)
}

/// What a tenant may own, and how to find one of it. Sessions of backends' own subjects are the last that may be left.
const OWNED: [(&str, &str); 5] = [
    ("tenants", "SELECT 1 FROM tenant WHERE parent = $1 LIMIT 1"),
    ("users", "SELECT 1 FROM directory_user WHERE tenant = $1 LIMIT 1"),
    (
        "groups",
        "SELECT 1 FROM directory_group WHERE tenant = $1 AND NOT system LIMIT 1",
    ),
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
    sqlx::query("DELETE FROM directory_group WHERE tenant = $1 AND system")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
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
        Some("directory_group") => "groups",
        Some("policy") => "policies",
        Some("session") => "sessions",
        _ => "users",
    }
}
