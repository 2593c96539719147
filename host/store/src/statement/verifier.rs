//! Passwords' verifiers, and by which method a user proves who it is. Compiled once per driver.

use keyway_core::Secret;
use keyway_core::model::{AuthenticationMethod, Timestamp, UserId};
use keyway_core::port::{NewPassword, Revoked, StoredVerifier};

use super::ending::BY_USER;
use super::revocation::{self, Whole};
use super::{Connection, digest, user_change};
use crate::failure::{Failure, text};
use crate::row::method;

pub(super) async fn find(connection: &mut Connection, id: UserId) -> Result<Option<StoredVerifier>, Failure> {
    // A tenant's own `default` is `native`: see `AuthenticationMethod::resolve`.
    let verifier: Option<String> = sqlx::query_scalar(
        "SELECT p.verifier FROM user_password p JOIN directory_user u ON u.id = p.directory_user JOIN tenant t ON t.id = u.tenant \
         WHERE p.directory_user = $1 AND (u.authentication_method = 'native' \
         OR (u.authentication_method = 'default' AND t.authentication_method IN ('native', 'default')))",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await?;
    Ok(verifier.map(Secret::new))
}

pub(super) async fn set(
    connection: &mut Connection,
    id: UserId,
    password: &NewPassword,
    at: Timestamp,
) -> Result<(bool, Revoked), Failure> {
    if !user_change::lock(connection, id).await? {
        return Ok((false, Revoked::default()));
    }
    write(connection, id, password, at).await?;
    let revoked = BY_USER.end(connection, id.0).await?;
    revocation::note(connection, Whole::Identity(id.into()), at).await?;
    Ok((true, revoked))
}

/// As [`set`], if the present verifier is `current`; returns whether it was.
pub(super) async fn change(
    connection: &mut Connection,
    id: UserId,
    current: &StoredVerifier,
    password: &NewPassword,
    at: Timestamp,
) -> Result<(bool, Revoked), Failure> {
    if !user_change::lock(connection, id).await? {
        return Ok((false, Revoked::default()));
    }
    let statement = "UPDATE user_password SET verifier = $3, set_at = $4 WHERE directory_user = $1 AND verifier = $2";
    let changed = sqlx::query(statement)
        .bind(id.0)
        .bind(text("user_password.verifier", current.expose())?)
        .bind(text("user_password.verifier", password.verifier.expose())?)
        .bind(at.0)
        .execute(&mut *connection)
        .await?;
    if changed.rows_affected() == 0 {
        return Ok((false, Revoked::default()));
    }
    digest::write(connection, id, &password.digests).await?;
    let revoked = BY_USER.end(connection, id.0).await?;
    revocation::note(connection, Whole::Identity(id.into()), at).await?;
    Ok((true, revoked))
}

pub(super) async fn write(
    connection: &mut Connection,
    id: UserId,
    password: &NewPassword,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO user_password (directory_user, verifier, set_at) VALUES ($1, $2, $3) \
         ON CONFLICT (directory_user) DO UPDATE SET verifier = excluded.verifier, set_at = excluded.set_at",
    )
    .bind(id.0)
    .bind(text("user_password.verifier", password.verifier.expose())?)
    .bind(at.0)
    .execute(&mut *connection)
    .await?;
    digest::write(connection, id, &password.digests).await
}

pub(super) async fn renew(
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

pub(super) async fn set_method(
    connection: &mut Connection,
    users: &[UserId],
    wanted: AuthenticationMethod,
    instead_of: Option<AuthenticationMethod>,
) -> Result<(), Failure> {
    for user in users {
        sqlx::query(
            "UPDATE directory_user SET authentication_method = $2 WHERE id = $1 AND authentication_method = coalesce($3, authentication_method)",
        )
        .bind(user.0)
        .bind(wanted.as_str())
        .bind(instead_of.map(AuthenticationMethod::as_str))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn find_method(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<AuthenticationMethod>, Failure> {
    let methods: Option<(String, String)> = sqlx::query_as(
        "SELECT u.authentication_method, t.authentication_method FROM directory_user u JOIN tenant t ON t.id = u.tenant WHERE u.id = $1",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await?;
    let Some((own, tenants)) = methods else {
        return Ok(None);
    };
    let own = method("directory_user", id.0, &own)?;
    let tenants = method("the tenant of directory_user", id.0, &tenants)?;
    Ok(Some(own.resolve(tenants)))
}
