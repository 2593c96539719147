//! Users and identities in `SQLite`.

use async_trait::async_trait;
use keyway_core::model::{BackendName, IdentityId, Paged, Query, TenantId, Timestamp, User, UserId};
use keyway_core::port::{DirectoryStore, NewUser, Revoked, StoreError, StoredVerifier, UserFilter, UserOrder};

use super::{SqliteStore, directory};
use crate::failure::during;

#[async_trait]
impl DirectoryStore for SqliteStore {
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError> {
        let user = user.clone();
        let work = self.writer.write("add a user", move |connection| {
            Box::pin(async move { directory::add_user(connection, &user).await })
        });
        work.await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        during("find a user", async {
            directory::find_user(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        during("find a user", async {
            directory::find_users_by_login(&mut *self.reader().await?, key, tenant).await
        })
        .await
    }

    async fn find_users_by_email(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        during("find a user", async {
            directory::find_users_by_email(&mut *self.reader().await?, key, tenant).await
        })
        .await
    }

    async fn list_users(&self, query: &Query<UserFilter, UserOrder>) -> Result<Paged<User>, StoreError> {
        during("list users", async {
            directory::list_users(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<Option<Revoked>, StoreError> {
        let work = self.writer.write("remove a user", move |connection| {
            Box::pin(async move { directory::remove_user(connection, id).await })
        });
        work.await
    }

    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError> {
        during("find a password verifier", async {
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
        let verifier = verifier.clone();
        let work = self.writer.write("set a password", move |connection| {
            Box::pin(async move { directory::set_verifier(connection, id, &verifier, at).await })
        });
        work.await
    }

    async fn renew_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        renewed: &StoredVerifier,
    ) -> Result<bool, StoreError> {
        let current = current.clone();
        let renewed = renewed.clone();
        let work = self.writer.write("renew a password verifier", move |connection| {
            Box::pin(async move { directory::renew_verifier(connection, id, &current, &renewed).await })
        });
        work.await
    }

    async fn resolve_identity(
        &self,
        backend: &BackendName,
        subject: &str,
        fresh: IdentityId,
        at: Timestamp,
    ) -> Result<IdentityId, StoreError> {
        let known = async { directory::find_identity(&mut *self.reader().await?, backend, subject).await };
        if let Some(id) = during("resolve an identity", known).await? {
            return Ok(id);
        }
        let (backend, subject) = (backend.clone(), subject.to_owned());
        let work = self.writer.write("resolve an identity", move |connection| {
            Box::pin(async move { directory::add_identity(connection, &backend, &subject, fresh, at).await })
        });
        work.await
    }
}
