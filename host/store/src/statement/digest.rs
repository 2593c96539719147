//! Digests that stand for passwords. Compiled once per driver.

use keyway_core::model::{DigestAlgorithm, TenantId, User, UserId, login_key};
use keyway_core::port::{StoredDigest, StoredVerifier};

use super::{Connection, user, user_change};
use crate::failure::{Failure, text};
use crate::row::StoredDigestRow;

/// Puts these in the place of those that the user has.
pub(super) async fn write(connection: &mut Connection, id: UserId, digests: &[StoredDigest]) -> Result<(), Failure> {
    remove(connection, id).await?;
    for digest in digests {
        sqlx::query(
            "INSERT INTO user_digest (directory_user, algorithm, tenant, cost, hash) \
             SELECT id, $2, tenant, $3, $4 FROM directory_user WHERE id = $1",
        )
        .bind(id.0)
        .bind(digest.algorithm.as_str())
        .bind(text("user_digest.cost", &digest.cost)?)
        .bind(digest.hash.expose().as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn remove(connection: &mut Connection, id: UserId) -> Result<(), Failure> {
    sqlx::query("DELETE FROM user_digest WHERE directory_user = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a user's digests if it is called something else now: they are made of its name, too.
pub(super) async fn remove_outdated(connection: &mut Connection, before: &User, now: &User) -> Result<(), Failure> {
    if login_key(&before.name()) == login_key(&now.name()) {
        return Ok(());
    }
    remove(connection, now.id).await
}

/// As [`write`], if the password and the name still are those that the digests are made of; returns whether they are.
pub(super) async fn put(
    connection: &mut Connection,
    id: UserId,
    current: &StoredVerifier,
    login: &str,
    digests: &[StoredDigest],
) -> Result<bool, Failure> {
    let Some(user) = user_change::locked(connection, id).await? else {
        return Ok(false);
    };
    if login_key(&user.name()) != login_key(login) {
        return Ok(false);
    }
    let is_current = sqlx::query("SELECT 1 FROM user_password WHERE directory_user = $1 AND verifier = $2")
        .bind(id.0)
        .bind(text("user_password.verifier", current.expose())?)
        .fetch_optional(&mut *connection)
        .await?
        .is_some();
    if is_current {
        write(connection, id, digests).await?;
    }
    Ok(is_current)
}

pub(super) async fn find(connection: &mut Connection, id: UserId) -> Result<Vec<StoredDigest>, Failure> {
    let rows: Vec<StoredDigestRow> = sqlx::query_as(
        "SELECT directory_user, algorithm, cost, hash FROM user_digest WHERE directory_user = $1 ORDER BY algorithm",
    )
    .bind(id.0)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(StoredDigest::try_from).collect::<Result<_, _>>()?)
}

/// Each cost is looked up in the index after the one before: there are few, of many digests.
pub(super) async fn list_costs(
    connection: &mut Connection,
    tenant: TenantId,
    algorithm: DigestAlgorithm,
) -> Result<Vec<String>, Failure> {
    let costs = sqlx::query_scalar(
        "WITH RECURSIVE costs (cost) AS (\
         SELECT min(cost) FROM user_digest WHERE tenant = $1 AND algorithm = $2 \
         UNION ALL SELECT (SELECT min(d.cost) FROM user_digest d WHERE d.tenant = $1 AND d.algorithm = $2 AND d.cost > c.cost) \
         FROM costs c WHERE c.cost IS NOT NULL) \
         SELECT cost FROM costs WHERE cost IS NOT NULL",
    )
    .bind(tenant.0)
    .bind(algorithm.as_str())
    .fetch_all(connection)
    .await?;
    Ok(costs)
}

pub(super) async fn find_users(
    connection: &mut Connection,
    tenant: TenantId,
    digest: &StoredDigest,
) -> Result<Vec<User>, Failure> {
    if digest.cost.contains('\0') {
        return Ok(Vec::new());
    }
    user::find_users_by_digest(connection, tenant, digest).await
}
