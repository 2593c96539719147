//! The server's own keys, sealed. Compiled once per driver.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::port::{KeyPurpose, SealedKey};

use super::Connection;
use crate::failure::Failure;
use crate::row::KeyRow;

pub(super) async fn list_keys(connection: &mut Connection, purpose: KeyPurpose) -> Result<Vec<SealedKey>, Failure> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT id, purpose, sealed, created_at FROM server_key WHERE purpose = $1 ORDER BY created_at, id",
    )
    .bind(purpose.as_str())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(SealedKey::try_from).collect::<Result<_, _>>()?)
}

pub(super) async fn add_key(connection: &mut Connection, key: &SealedKey) -> Result<bool, Failure> {
    let added = sqlx::query(
        "INSERT INTO server_key (id, purpose, sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(key.id.0)
    .bind(key.purpose.as_str())
    .bind(key.sealed.as_slice())
    .bind(key.created_at.0)
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}
