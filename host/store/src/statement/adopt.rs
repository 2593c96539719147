//! Another id for the top tenant: the one that it has in the system that this one takes over from. Compiled once per driver.

use keyway_core::model::{Group, GroupId, Tenant, TenantId, TokenDigest, login_key};
use keyway_core::port::{Revoked, StoreError};
use uuid::Uuid;

use super::{Connection, tenant};
use crate::failure::{Failure, explain};
use crate::row::DigestRow;

/// The tables that name a tenant.
const OWNING: [&str; 12] = [
    "UPDATE directory_user SET tenant = $2 WHERE tenant = $1",
    "UPDATE user_email SET tenant = $2 WHERE tenant = $1",
    "UPDATE policy SET tenant = $2 WHERE tenant = $1",
    "UPDATE directory_group SET tenant = $2 WHERE tenant = $1",
    "UPDATE session SET tenant = $2 WHERE tenant = $1",
    "UPDATE refresh_token SET tenant = $2 WHERE tenant = $1",
    "UPDATE tenant_domain SET tenant = $2 WHERE tenant = $1",
    "UPDATE factor SET tenant = $2 WHERE tenant = $1",
    "UPDATE event SET tenant = $2 WHERE tenant = $1",
    "UPDATE account SET tenant = $2 WHERE tenant = $1",
    "UPDATE account_number SET tenant = $2 WHERE tenant = $1",
    "UPDATE login_attempt SET tenant = $2 WHERE tenant = $1",
];

pub(super) async fn adopt_top_tenant(
    connection: &mut Connection,
    id: TenantId,
    all_users: GroupId,
) -> Result<(bool, Revoked), Failure> {
    let top: Uuid = sqlx::query_scalar("SELECT id FROM tenant WHERE parent = id")
        .fetch_one(&mut *connection)
        .await?;
    if top == id.0 {
        return Ok((false, Revoked::default()));
    }
    let Some(top) = tenant::find_tenant(connection, TenantId(top)).await? else {
        return Err(StoreError::Missing { what: "tenant" }.into());
    };
    let has_settings = sqlx::query("SELECT 1 FROM tenant_setting WHERE tenant = $1 LIMIT 1")
        .bind(top.id.0)
        .fetch_optional(&mut *connection)
        .await?
        .is_some();
    if has_settings {
        return Err(StoreError::InUse { what: "settings" }.into());
    }
    // What they are made of names the tenant: no login would ever fit them.
    sqlx::query("DELETE FROM user_digest WHERE tenant = $1")
        .bind(top.id.0)
        .execute(&mut *connection)
        .await?;
    move_top(connection, &top, id).await?;
    move_actors(connection, &top, id).await?;
    move_group(connection, id, all_users).await?;
    let tokens: Vec<DigestRow> =
        sqlx::query_as("SELECT t.hash, t.key_id FROM token t JOIN session s ON s.id = t.session WHERE s.tenant = $1 OR s.actor IS NOT NULL")
            .bind(id.0)
            .fetch_all(connection)
            .await?;
    let revoked = Revoked {
        tokens: tokens.iter().map(TokenDigest::try_from).collect::<Result<_, _>>()?,
        ..Revoked::default()
    };
    Ok((true, revoked))
}

/// Makes a tenant with the new id below the old one, hands everything over to it, and turns the two around: there is never a second top.
async fn move_top(connection: &mut Connection, top: &Tenant, id: TenantId) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO tenant (id, parent, name, name_key, slug, slug_key, phone, contact, address, authentication_method) \
         SELECT $2, id, name, name_key, $3, slug_key, phone, contact, address, authentication_method FROM tenant WHERE id = $1",
    )
    .bind(top.id.0)
    .bind(id.0)
    // No tenant's slug holds a hyphen.
    .bind("-")
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, &[("slug", "tenant slug"), ("id", "tenant id")], "tenant"))?;
    for statement in OWNING {
        sqlx::query(statement)
            .bind(top.id.0)
            .bind(id.0)
            .execute(&mut *connection)
            .await?;
    }
    for statement in [
        "UPDATE tenant SET parent = $2 WHERE parent = $1 AND id <> $2",
        "UPDATE tenant SET parent = $2 WHERE id = $2 AND parent = $1",
        "DELETE FROM tenant WHERE id = $1 AND parent = $2",
    ] {
        sqlx::query(statement)
            .bind(top.id.0)
            .bind(id.0)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("UPDATE tenant SET slug = $2, realm = $3, realm_key = $4 WHERE id = $1")
        .bind(id.0)
        .bind(&top.slug)
        .bind(&top.realm)
        .bind(top.realm.as_deref().map(login_key))
        .execute(connection)
        .await?;
    Ok(())
}

/// The same for those who act in somebody else's place. Within a text of JSON, a quotation mark is never followed by what follows it here.
async fn move_actors(connection: &mut Connection, top: &Tenant, id: TenantId) -> Result<(), Failure> {
    let member = |tenant: TenantId| format!("\"tenant\":\"{tenant}\"");
    sqlx::query("UPDATE session SET actor = replace(actor, $1, $2) WHERE actor_session IS NOT NULL")
        .bind(member(top.id))
        .bind(member(id))
        .execute(connection)
        .await?;
    Ok(())
}

/// The same for the group of all users: a group with the new id takes the members and the policies of the old one.
async fn move_group(connection: &mut Connection, tenant: TenantId, all_users: GroupId) -> Result<(), Failure> {
    let name = Group::all_users_name(tenant);
    let old: Option<Uuid> = sqlx::query_scalar("SELECT id FROM directory_group WHERE tenant = $1 AND system")
        .bind(tenant.0)
        .fetch_optional(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO directory_group (id, tenant, name, name_key, slug, slug_key, system) VALUES ($1, $2, $3, $3, $3, $3, $4)",
    )
    .bind(all_users.0)
    .bind(tenant.0)
    .bind(name)
    .bind(true)
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, &[("id", "group id")], "tenant"))?;
    for statement in [
        "UPDATE group_member SET directory_group = $2 WHERE directory_group = $1",
        "UPDATE group_policy SET directory_group = $2 WHERE directory_group = $1",
        "DELETE FROM directory_group WHERE id = $1 AND id <> $2",
    ] {
        sqlx::query(statement)
            .bind(old)
            .bind(all_users.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
