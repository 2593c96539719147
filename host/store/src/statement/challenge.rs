//! Challenges: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::Timestamp;
use keyway_core::port::{ChallengeStore, StoreError, StoredChallenge};
use sqlx::QueryBuilder;

use super::{Connection, DriverStore, SKIP_LOCKED};
use crate::failure::Failure;
use crate::row::ChallengeRow;

#[async_trait]
impl ChallengeStore for DriverStore {
    async fn add_challenge(&self, challenge: &StoredChallenge) -> Result<(), StoreError> {
        let challenge = challenge.clone();
        self.write("add a challenge", move |connection| {
            Box::pin(async move { add(connection, &challenge).await })
        })
        .await
    }

    async fn find_challenge(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<StoredChallenge>, StoreError> {
        self.call("find a challenge", async {
            find(&mut *self.reader().await?, digest, now).await
        })
        .await
    }

    async fn finish_challenge(&self, digest: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        let digest = *digest;
        self.write("finish a challenge", move |connection| {
            Box::pin(async move { finish(connection, &digest, now).await })
        })
        .await
    }

    async fn sweep_challenges(&self, now: Timestamp, batch: u32) -> Result<u64, StoreError> {
        self.write("remove expired challenges", move |connection| {
            Box::pin(sweep(connection, now, batch))
        })
        .await
    }
}

async fn add(connection: &mut Connection, challenge: &StoredChallenge) -> Result<(), Failure> {
    sqlx::query("INSERT INTO challenge (digest, sealed, expires_at, answered) VALUES ($1, $2, $3, $4)")
        .bind(challenge.digest.as_slice())
        .bind(challenge.sealed.as_slice())
        .bind(challenge.expires_at.0)
        .bind(challenge.answered)
        .execute(connection)
        .await?;
    Ok(())
}

async fn find(
    connection: &mut Connection,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<StoredChallenge>, Failure> {
    let row: Option<ChallengeRow> = sqlx::query_as(
        "SELECT digest, sealed, expires_at, answered FROM challenge WHERE digest = $1 AND expires_at > $2",
    )
    .bind(digest.as_slice())
    .bind(now.0)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(StoredChallenge::try_from).transpose()?)
}

async fn finish(connection: &mut Connection, digest: &[u8; 32], now: Timestamp) -> Result<bool, Failure> {
    let finished =
        sqlx::query("UPDATE challenge SET answered = $3 WHERE digest = $1 AND expires_at > $2 AND NOT answered")
            .bind(digest.as_slice())
            .bind(now.0)
            .bind(true)
            .execute(connection)
            .await?;
    Ok(finished.rows_affected() == 1)
}

async fn sweep(connection: &mut Connection, now: Timestamp, batch: u32) -> Result<u64, Failure> {
    let mut delete =
        QueryBuilder::new("DELETE FROM challenge WHERE digest IN (SELECT digest FROM challenge WHERE expires_at < ");
    delete.push_bind(now.0).push(" ORDER BY expires_at LIMIT ");
    delete.push_bind(i64::from(batch)).push(SKIP_LOCKED).push(")");
    Ok(delete.build().execute(connection).await?.rows_affected())
}
