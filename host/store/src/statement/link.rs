//! What mailed links do to users: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{EmailId, Timestamp, UserId};
use keyway_core::port::{LinkStore, Revoked, StoreError};
use uuid::Uuid;

use super::ending::BY_USER;
use super::revocation::{self, Whole};
use super::{Connection, DriverStore, digest, user_change};
use crate::failure::Failure;

#[async_trait]
impl LinkStore for DriverStore {
    async fn find_email_owner(&self, id: EmailId) -> Result<Option<UserId>, StoreError> {
        self.call("find an address", async {
            find_owner(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn confirm_email(&self, id: EmailId) -> Result<bool, StoreError> {
        self.write("confirm an address", move |connection| {
            Box::pin(confirm(connection, id))
        })
        .await
    }

    async fn remove_verifier(&self, id: UserId, at: Timestamp) -> Result<Option<Revoked>, StoreError> {
        let work = self.write_revoking("remove a verifier", move |connection| {
            Box::pin(remove_verifier(connection, id, at))
        });
        let (found, revoked) = work.await?;
        Ok(found.then_some(revoked))
    }
}

async fn find_owner(connection: &mut Connection, id: EmailId) -> Result<Option<UserId>, Failure> {
    let owner: Option<Uuid> = sqlx::query_scalar("SELECT directory_user FROM user_email WHERE id = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(owner.map(UserId))
}

async fn confirm(connection: &mut Connection, id: EmailId) -> Result<bool, Failure> {
    let confirmed = sqlx::query("UPDATE user_email SET confirmed = $2 WHERE id = $1")
        .bind(id.0)
        .bind(true)
        .execute(connection)
        .await?;
    Ok(confirmed.rows_affected() == 1)
}

async fn remove_verifier(connection: &mut Connection, id: UserId, at: Timestamp) -> Result<(bool, Revoked), Failure> {
    if !user_change::lock(connection, id).await? {
        return Ok((false, Revoked::default()));
    }
    sqlx::query("DELETE FROM user_password WHERE directory_user = $1")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    digest::remove(connection, id).await?;
    let revoked = BY_USER.end(connection, id.0).await?;
    revocation::note(connection, Whole::Identity(id.into()), at).await?;
    Ok((true, revoked))
}
