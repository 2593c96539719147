//! Users, their verifiers, and the identities of backends' own subjects. Compiled once per driver.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::Secret;
use keyway_core::model::{BackendName, IdentityId, Page, Paged, TenantId, Timestamp, User, UserId, login_key};
use keyway_core::port::{NewUser, Revoked, StoredVerifier};
use uuid::Uuid;

use super::revocation::{self, Whole};
use super::token::BY_USER;
use super::{Connection, LOCKS_ROWS};
use crate::failure::{Failure, explain, text};
use crate::row::{UserRow, users};

/// Users with their email addresses, from the users that the condition picks.
macro_rules! users_where {
    ($which:literal) => {
        concat!(
            "SELECT u.id, u.tenant, u.login, u.display_name, u.enabled, u.created_at, e.address, e.main, e.confirmed \
             FROM (SELECT * FROM directory_user WHERE ",
            $which,
            ") u LEFT JOIN user_email e ON e.directory_user = u.id ORDER BY u.login_key, u.id, e.position"
        )
    };
}

pub(super) async fn add_user(connection: &mut Connection, new: &NewUser) -> Result<(), Failure> {
    let user = &new.user;
    sqlx::query(
        "INSERT INTO directory_user (id, tenant, login, login_key, display_name, enabled, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.id.0)
    .bind(user.tenant.0)
    .bind(text("directory_user.login", &user.login)?)
    .bind(login_key(&user.login))
    .bind(
        user.display_name
            .as_deref()
            .map(|name| text("directory_user.display_name", name))
            .transpose()?,
    )
    .bind(user.enabled)
    .bind(user.created_at.0)
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, &[("login_key", "login")], "tenant"))?;
    for (position, email) in (0_i32..).zip(&user.emails) {
        sqlx::query(
            "INSERT INTO user_email (tenant, address_key, address, directory_user, position, main, confirmed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(user.tenant.0)
        .bind(login_key(text("user_email.address", &email.address)?))
        .bind(&email.address)
        .bind(user.id.0)
        .bind(position)
        .bind(email.main)
        .bind(email.confirmed)
        .execute(&mut *connection)
        .await
        .map_err(|error| explain(error, &[("address_key", "email")], "tenant"))?;
    }
    if let Some(verifier) = &new.verifier {
        write_verifier(connection, user.id, verifier, user.created_at).await?;
    }
    Ok(())
}

async fn write_verifier(
    connection: &mut Connection,
    id: UserId,
    verifier: &StoredVerifier,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO user_password (directory_user, verifier, set_at) VALUES ($1, $2, $3) \
         ON CONFLICT (directory_user) DO UPDATE SET verifier = excluded.verifier, set_at = excluded.set_at",
    )
    .bind(id.0)
    .bind(text("user_password.verifier", verifier.expose())?)
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn find_user(connection: &mut Connection, id: UserId) -> Result<Option<User>, Failure> {
    let rows: Vec<UserRow> = sqlx::query_as(users_where!("id = $1"))
        .bind(id.0)
        .fetch_all(connection)
        .await?;
    Ok(users(rows).pop())
}

pub(super) async fn find_users_by_login(
    connection: &mut Connection,
    key: &str,
    tenant: Option<TenantId>,
) -> Result<Vec<User>, Failure> {
    let select = match tenant {
        Some(_) => users_where!("login_key = $1 AND tenant = $2"),
        None => users_where!("login_key = $1 AND $2 IS NULL ORDER BY id LIMIT 2"),
    };
    find_users_by(connection, select, key, tenant).await
}

pub(super) async fn find_users_by_email(
    connection: &mut Connection,
    key: &str,
    tenant: Option<TenantId>,
) -> Result<Vec<User>, Failure> {
    let select = match tenant {
        Some(_) => users_where!(
            "id IN (SELECT directory_user FROM user_email WHERE address_key = $1 AND tenant = $2 AND confirmed)"
        ),
        None => users_where!(
            "id IN (SELECT directory_user FROM user_email WHERE address_key = $1 AND $2 IS NULL AND confirmed) \
             ORDER BY id LIMIT 2"
        ),
    };
    find_users_by(connection, select, key, tenant).await
}

async fn find_users_by(
    connection: &mut Connection,
    select: &'static str,
    key: &str,
    tenant: Option<TenantId>,
) -> Result<Vec<User>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if key.contains('\0') {
        return Ok(Vec::new());
    }
    let rows: Vec<UserRow> = sqlx::query_as(select)
        .bind(key)
        .bind(tenant.map(|tenant| tenant.0))
        .fetch_all(connection)
        .await?;
    Ok(users(rows))
}

pub(super) async fn list_users(
    connection: &mut Connection,
    tenant: Option<TenantId>,
    page: Page,
) -> Result<Paged<User>, Failure> {
    let tenant = tenant.map(|tenant| tenant.0);
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM directory_user WHERE $1 IS NULL OR tenant = $1")
        .bind(tenant)
        .fetch_one(&mut *connection)
        .await?;
    let select = users_where!("$1 IS NULL OR tenant = $1 ORDER BY login_key, id LIMIT $2 OFFSET $3");
    let rows: Vec<UserRow> = sqlx::query_as(select)
        .bind(tenant)
        .bind(i64::from(page.limit))
        .bind(i64::from(page.offset))
        .fetch_all(connection)
        .await?;
    Ok(Paged {
        items: users(rows),
        total: u64::try_from(total).unwrap_or(0),
    })
}

pub(super) async fn remove_user(connection: &mut Connection, id: UserId) -> Result<Option<Revoked>, Failure> {
    if !lock_user(connection, id).await? {
        return Ok(None);
    }
    let revoked = BY_USER.end(connection, id.0).await?;
    sqlx::query("DELETE FROM policy_attachment WHERE identity = $1")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM directory_user WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(Some(revoked))
}

/// Whether there is such a user. From here on no session of the user can be opened until the transaction ends.
async fn lock_user(connection: &mut Connection, id: UserId) -> Result<bool, Failure> {
    let select = if LOCKS_ROWS {
        "SELECT id FROM directory_user WHERE id = $1 FOR UPDATE"
    } else {
        "SELECT id FROM directory_user WHERE id = $1"
    };
    Ok(sqlx::query(select)
        .bind(id.0)
        .fetch_optional(connection)
        .await?
        .is_some())
}

pub(super) async fn find_verifier(connection: &mut Connection, id: UserId) -> Result<Option<StoredVerifier>, Failure> {
    let verifier: Option<String> = sqlx::query_scalar("SELECT verifier FROM user_password WHERE directory_user = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(verifier.map(Secret::new))
}

pub(super) async fn set_verifier(
    connection: &mut Connection,
    id: UserId,
    verifier: &StoredVerifier,
    at: Timestamp,
) -> Result<Option<Revoked>, Failure> {
    if !lock_user(connection, id).await? {
        return Ok(None);
    }
    write_verifier(connection, id, verifier, at).await?;
    let revoked = BY_USER.end(connection, id.0).await?;
    revocation::note(connection, Whole::Identity(id.into()), at).await?;
    Ok(Some(revoked))
}

pub(super) async fn renew_verifier(
    connection: &mut Connection,
    id: UserId,
    current: &StoredVerifier,
    renewed: &StoredVerifier,
) -> Result<bool, Failure> {
    let updated = sqlx::query("UPDATE user_password SET verifier = $3 WHERE directory_user = $1 AND verifier = $2")
        .bind(id.0)
        .bind(text("user_password.verifier", current.expose())?)
        .bind(text("user_password.verifier", renewed.expose())?)
        .execute(connection)
        .await?;
    Ok(updated.rows_affected() == 1)
}

pub(super) async fn find_identity(
    connection: &mut Connection,
    backend: &BackendName,
    subject: &str,
) -> Result<Option<IdentityId>, Failure> {
    let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM identity WHERE backend = $1 AND subject = $2")
        .bind(backend.as_str())
        .bind(text("identity.subject", subject)?)
        .fetch_optional(connection)
        .await?;
    Ok(id.map(IdentityId))
}

/// Adds an identity; returns the one that is there, whoever added it.
pub(super) async fn add_identity(
    connection: &mut Connection,
    backend: &BackendName,
    subject: &str,
    fresh: IdentityId,
    at: Timestamp,
) -> Result<IdentityId, Failure> {
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO identity (id, backend, subject, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (backend, subject) DO UPDATE SET subject = excluded.subject RETURNING id",
    )
    .bind(fresh.0)
    .bind(backend.as_str())
    .bind(text("identity.subject", subject)?)
    .bind(at.0)
    .fetch_one(connection)
    .await?;
    Ok(IdentityId(id))
}
