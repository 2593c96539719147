//! Sessions and tokens in `SQLite`.

use async_trait::async_trait;
use keyway_core::model::{Timestamp, TokenDigest, TokenRecord};
use keyway_core::port::{
    Opening, OpeningOutcome, RevocationMark, RevokeTarget, Revoked, StoreError, Swept, TokenStore,
};

use super::{SqliteStore, revocation, token};
use crate::failure::during;

#[async_trait]
impl TokenStore for SqliteStore {
    async fn revocation_mark(&self) -> Result<RevocationMark, StoreError> {
        during("read the latest revocation", async {
            revocation::latest_mark(&mut *self.reader().await?).await
        })
        .await
    }

    async fn open_session(&self, opening: Opening) -> Result<OpeningOutcome, StoreError> {
        let work = self.write_revoking("open a session", move |connection| {
            Box::pin(async move { token::open_session(connection, &opening).await })
        });
        Ok(work.await?.0)
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        during("find a token", async {
            token::find_token(&mut *self.reader().await?, digest).await
        })
        .await
    }

    async fn revoke(&self, target: &RevokeTarget, at: Timestamp) -> Result<Revoked, StoreError> {
        let target = target.clone();
        let work = self.writer.write("revoke tokens", move |connection| {
            Box::pin(async move { token::revoke(connection, &target, at).await })
        });
        work.await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        let work = self.writer.write("remove expired tokens", move |connection| {
            Box::pin(async move { token::sweep(connection, now, limit).await })
        });
        work.await
    }
}
