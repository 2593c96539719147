//! Policies, and to whom they are attached. Compiled once per driver.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::model::{IdentityId, Policy, TenantId, login_key};

use super::Connection;
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{PolicyRow, to_json};

const UNIQUE: &[(&str, &str)] = &[("slug_key", "policy slug"), ("name_key", "policy name")];

pub(super) async fn add_policy(connection: &mut Connection, policy: &Policy) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO policy (id, tenant, name, name_key, slug, slug_key, description, accesses, shared, managed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(policy.id.0)
    .bind(policy.tenant.0)
    .bind(text("policy.name", &policy.name)?)
    .bind(login_key(&policy.name))
    .bind(text("policy.slug", &policy.slug)?)
    .bind(login_key(&policy.slug))
    .bind(optional_text("policy.description", policy.description.as_deref())?)
    .bind(to_json("policy.accesses", &policy.accesses)?)
    .bind(policy.shared)
    .bind(policy.managed)
    .execute(connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(())
}

pub(super) async fn find_policy(
    connection: &mut Connection,
    tenant: TenantId,
    name: &str,
) -> Result<Option<Policy>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if name.contains('\0') {
        return Ok(None);
    }
    let row: Option<PolicyRow> =
        sqlx::query_as("SELECT id, tenant, name, slug, description, accesses, shared, managed FROM policy WHERE tenant = $1 AND name_key = $2")
            .bind(tenant.0)
            .bind(login_key(name))
            .fetch_optional(connection)
            .await?;
    Ok(row.map(Policy::try_from).transpose()?)
}

pub(super) async fn list_policies(connection: &mut Connection) -> Result<Vec<Policy>, Failure> {
    let rows: Vec<PolicyRow> = sqlx::query_as(
        "SELECT id, tenant, name, slug, description, accesses, shared, managed FROM policy ORDER BY name, id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Policy::try_from).collect::<Result<_, _>>()?)
}

pub(super) async fn remove_policy(connection: &mut Connection, tenant: TenantId, name: &str) -> Result<bool, Failure> {
    if name.contains('\0') {
        return Ok(false);
    }
    // Attachments go with it: the foreign key cascades.
    let removed = sqlx::query("DELETE FROM policy WHERE tenant = $1 AND name_key = $2")
        .bind(tenant.0)
        .bind(login_key(name))
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

pub(super) async fn attach_policy(connection: &mut Connection, policy: &Policy, to: IdentityId) -> Result<(), Failure> {
    sqlx::query("INSERT INTO policy_attachment (identity, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(to.0)
        .bind(policy.id.0)
        .execute(connection)
        .await
        .map_err(|error| explain(error, &[], "policy"))?;
    Ok(())
}

pub(super) async fn detach_policy(
    connection: &mut Connection,
    policy: &Policy,
    from: IdentityId,
) -> Result<bool, Failure> {
    let removed = sqlx::query("DELETE FROM policy_attachment WHERE identity = $1 AND policy = $2")
        .bind(from.0)
        .bind(policy.id.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

pub(super) async fn policies_of(connection: &mut Connection, identity: IdentityId) -> Result<Vec<Policy>, Failure> {
    let rows: Vec<PolicyRow> = sqlx::query_as(
        "SELECT p.id, p.tenant, p.name, p.slug, p.description, p.accesses, p.shared, p.managed FROM policy_attachment a JOIN policy p ON p.id = a.policy \
         WHERE a.identity = $1 ORDER BY p.name, p.id",
    )
    .bind(identity.0)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Policy::try_from).collect::<Result<_, _>>()?)
}
