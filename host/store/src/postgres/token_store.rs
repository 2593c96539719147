//! Sessions and tokens in `PostgreSQL`.

use async_trait::async_trait;
use keyway_core::model::{Timestamp, TokenDigest, TokenRecord};
use keyway_core::port::{Opening, RevokeTarget, Revoked, StoreError, Swept, TokenStore};
use sqlx::PgTransaction;

use super::{PostgresStore, token};

#[async_trait]
impl TokenStore for PostgresStore {
    async fn open_session(&self, opening: Opening) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            token::open_session(&mut transaction, &opening).await?;
            transaction.commit().await?;
            Ok(())
        };
        self.call("open a session", work).await
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        self.call("find a token", async {
            token::find_token(&mut *self.reader().await?, digest).await
        })
        .await
    }

    async fn revoke(&self, target: &RevokeTarget) -> Result<Revoked, StoreError> {
        let work = async |mut transaction: PgTransaction<'static>| {
            let outcome = token::revoke(&mut transaction, target).await?;
            self.announce_revoked(&mut transaction, &outcome).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        if let RevokeTarget::Plugin(_) = target {
            self.call_long("revoke a plugin's tokens", async {
                work(self.begin_long().await?).await
            })
            .await
        } else {
            self.call("revoke tokens", async { work(self.begin().await?).await })
                .await
        }
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = token::sweep(&mut transaction, now, limit).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("remove expired tokens", work).await
    }
}
