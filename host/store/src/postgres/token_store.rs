//! Sessions and tokens in `PostgreSQL`.

use async_trait::async_trait;
use keyway_core::model::{Timestamp, TokenDigest, TokenRecord};
use keyway_core::port::{
    Opening, OpeningOutcome, RevocationMark, RevokeTarget, Revoked, StoreError, Swept, TokenStore,
};

use super::revocation::{self, Whole};
use super::{PostgresStore, token};

#[async_trait]
impl TokenStore for PostgresStore {
    async fn revocation_mark(&self) -> Result<RevocationMark, StoreError> {
        self.call("read the latest revocation", async {
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
        self.call("find a token", async {
            token::find_token(&mut *self.reader().await?, digest).await
        })
        .await
    }

    async fn revoke(&self, target: &RevokeTarget, at: Timestamp) -> Result<Revoked, StoreError> {
        if let (Some(whole), RevokeTarget::Plugin(_) | RevokeTarget::Tenant(_)) = (token::whole(target), target) {
            return self.revoke_many(target, whole, at).await;
        }
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = token::revoke(&mut transaction, target, at).await?;
            self.announce_revoked(&mut transaction, &outcome).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("revoke tokens", work).await
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

impl PostgresStore {
    /// In two transactions, because the second may take minutes and logins must not wait for it. From the first on, logins that were under
    /// way are refused; what they opened before is committed, so that the second finds it.
    async fn revoke_many(&self, target: &RevokeTarget, whole: Whole, at: Timestamp) -> Result<Revoked, StoreError> {
        let refuse = async {
            let mut transaction = self.begin().await?;
            revocation::lock_out(&mut transaction, whole).await?;
            revocation::note(&mut transaction, whole, at).await?;
            transaction.commit().await?;
            Ok(())
        };
        self.call("refuse logins", refuse).await?;
        let end = async {
            let mut transaction = self.begin_long().await?;
            let outcome = token::end(&mut transaction, target).await?;
            self.announce_revoked(&mut transaction, &outcome).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call_long("revoke tokens", end).await
    }
}
