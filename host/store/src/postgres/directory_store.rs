//! Users and identities in `PostgreSQL`.

use async_trait::async_trait;
use keyway_core::model::{BackendName, IdentityId, Paged, Query, TenantId, Timestamp, User, UserId};
use keyway_core::port::{DirectoryStore, NewUser, Revoked, StoreError, StoredVerifier, UserFilter, UserOrder};

use super::{PostgresStore, directory};

#[async_trait]
impl DirectoryStore for PostgresStore {
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            directory::add_user(&mut transaction, user).await?;
            transaction.commit().await?;
            Ok(())
        };
        self.call("add a user", work).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.call("find a user", async {
            directory::find_user(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.call("find a user", async {
            directory::find_users_by_login(&mut *self.reader().await?, key, tenant).await
        })
        .await
    }

    async fn find_users_by_email(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.call("find a user", async {
            directory::find_users_by_email(&mut *self.reader().await?, key, tenant).await
        })
        .await
    }

    async fn list_users(&self, query: &Query<UserFilter, UserOrder>) -> Result<Paged<User>, StoreError> {
        self.call("list users", async {
            directory::list_users(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<Option<Revoked>, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = directory::remove_user(&mut transaction, id).await?;
            if let Some(revoked) = &outcome {
                self.announce_revoked(&mut transaction, revoked).await?;
            }
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("remove a user", work).await
    }

    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError> {
        self.call("find a password verifier", async {
            directory::find_verifier(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn set_verifier(
        &self,
        id: UserId,
        verifier: &StoredVerifier,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = directory::set_verifier(&mut transaction, id, verifier, at).await?;
            if let Some(revoked) = &outcome {
                self.announce_revoked(&mut transaction, revoked).await?;
            }
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("set a password", work).await
    }

    async fn renew_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        renewed: &StoredVerifier,
    ) -> Result<bool, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = directory::renew_verifier(&mut transaction, id, current, renewed).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("renew a password verifier", work).await
    }

    async fn resolve_identity(
        &self,
        backend: &BackendName,
        subject: &str,
        fresh: IdentityId,
        at: Timestamp,
    ) -> Result<IdentityId, StoreError> {
        let known = async { directory::find_identity(&mut *self.reader().await?, backend, subject).await };
        if let Some(id) = self.call("resolve an identity", known).await? {
            return Ok(id);
        }
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = directory::add_identity(&mut transaction, backend, subject, fresh, at).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("resolve an identity", work).await
    }
}
