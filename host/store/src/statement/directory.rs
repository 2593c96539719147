//! Users and the identities of backends' own subjects: the port. What is said of users in SQL is in `user.rs` and its neighbours. Compiled once per
//! driver.

use async_trait::async_trait;
use keyway_core::model::{
    AuthenticationMethod, BackendName, DigestAlgorithm, IdentityId, Paged, Query, TenantId, Timestamp, User, UserId,
};
use keyway_core::port::{
    DirectoryStore, EmailChange, NewPassword, NewUser, Revoked, StoreError, StoredDigest, StoredVerifier, Uniqueness,
    UserChange, UserFilter, UserOrder,
};
use uuid::Uuid;

use super::{Connection, DriverStore, digest, user, user_change, verifier};
use crate::failure::{Failure, text};

#[async_trait]
impl DirectoryStore for DriverStore {
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError> {
        let user = user.clone();
        self.write("add a user", move |connection| {
            Box::pin(async move { user_change::add(connection, &user).await })
        })
        .await
    }

    async fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        unique: Uniqueness,
        at: Timestamp,
    ) -> Result<Option<(User, Revoked)>, StoreError> {
        let change = change.clone();
        let work = self.write_revoking("change a user", move |connection| {
            Box::pin(async move { user_change::update(connection, id, &change, unique, at).await })
        });
        let (user, revoked) = work.await?;
        Ok(user.map(|user| (user, revoked)))
    }

    async fn set_emails(
        &self,
        id: UserId,
        emails: &[EmailChange],
        unique: Uniqueness,
    ) -> Result<Option<User>, StoreError> {
        let emails = emails.to_vec();
        self.write("set a user's addresses", move |connection| {
            Box::pin(user_change::set_emails(connection, id, emails, unique))
        })
        .await
    }

    async fn set_authentication_method(
        &self,
        users: &[UserId],
        method: AuthenticationMethod,
        instead_of: Option<AuthenticationMethod>,
    ) -> Result<(), StoreError> {
        let mut users = users.to_vec();
        // In one order, so that two calls never wait for each other.
        users.sort_unstable();
        self.write("set an authentication method", move |connection| {
            Box::pin(async move { verifier::set_method(connection, &users, method, instead_of).await })
        })
        .await
    }

    async fn find_authentication_method(&self, id: UserId) -> Result<Option<AuthenticationMethod>, StoreError> {
        self.call("find an authentication method", async {
            verifier::find_method(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.call("find a user", async {
            user::find_user(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.call("find a user", async {
            user::find_users_by_login(&mut *self.reader().await?, key, tenant).await
        })
        .await
    }

    async fn find_users_by_email(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.call("find a user", async {
            user::find_users_by_email(&mut *self.reader().await?, key, tenant).await
        })
        .await
    }

    async fn list_users(&self, query: &Query<UserFilter, UserOrder>) -> Result<Paged<User>, StoreError> {
        self.call("list users", async {
            user::list_users(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<Option<Revoked>, StoreError> {
        let work = self.write_revoking("remove a user", move |connection| {
            Box::pin(user_change::remove(connection, id))
        });
        let (found, revoked) = work.await?;
        Ok(found.then_some(revoked))
    }

    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError> {
        self.call("find a password verifier", async {
            verifier::find(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn set_verifier(
        &self,
        id: UserId,
        password: &NewPassword,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let password = password.clone();
        let work = self.write_revoking("set a password", move |connection| {
            Box::pin(async move { verifier::set(connection, id, &password, at).await })
        });
        let (found, revoked) = work.await?;
        Ok(found.then_some(revoked))
    }

    async fn change_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        password: &NewPassword,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let (current, password) = (current.clone(), password.clone());
        let work = self.write_revoking("change a password", move |connection| {
            Box::pin(async move { verifier::change(connection, id, &current, &password, at).await })
        });
        let (changed, revoked) = work.await?;
        Ok(changed.then_some(revoked))
    }

    async fn renew_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        renewed: &StoredVerifier,
    ) -> Result<bool, StoreError> {
        let (current, renewed) = (current.clone(), renewed.clone());
        self.write("renew a password verifier", move |connection| {
            Box::pin(async move { verifier::renew(connection, id, &current, &renewed).await })
        })
        .await
    }

    async fn put_digests(
        &self,
        id: UserId,
        current: &StoredVerifier,
        login: &str,
        digests: &[StoredDigest],
    ) -> Result<bool, StoreError> {
        let (current, login, digests) = (current.clone(), login.to_owned(), digests.to_vec());
        self.write("put a password's digests", move |connection| {
            Box::pin(async move { digest::put(connection, id, &current, &login, &digests).await })
        })
        .await
    }

    async fn list_digest_costs(&self, tenant: TenantId, algorithm: DigestAlgorithm) -> Result<Vec<String>, StoreError> {
        self.call("list what digests cost", async {
            digest::list_costs(&mut *self.reader().await?, tenant, algorithm).await
        })
        .await
    }

    async fn find_digests(&self, id: UserId) -> Result<Vec<StoredDigest>, StoreError> {
        self.call("find a password's digests", async {
            digest::find(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn find_users_by_digest(&self, tenant: TenantId, digest: &StoredDigest) -> Result<Vec<User>, StoreError> {
        self.call("find a user", async {
            digest::find_users(&mut *self.reader().await?, tenant, digest).await
        })
        .await
    }

    async fn resolve_identity(
        &self,
        backend: &BackendName,
        subject: &str,
        fresh: IdentityId,
        at: Timestamp,
    ) -> Result<IdentityId, StoreError> {
        let known = async { find_identity(&mut *self.reader().await?, backend, subject).await };
        if let Some(id) = self.call("resolve an identity", known).await? {
            return Ok(id);
        }
        let (backend, subject) = (backend.clone(), subject.to_owned());
        self.write("resolve an identity", move |connection| {
            Box::pin(async move { add_identity(connection, &backend, &subject, fresh, at).await })
        })
        .await
    }

    async fn find_subject(&self, id: IdentityId) -> Result<Option<String>, StoreError> {
        self.call("find a subject", async {
            let found = sqlx::query_scalar("SELECT subject FROM identity WHERE id = $1").bind(id.0);
            Ok(found.fetch_optional(&mut *self.reader().await?).await?)
        })
        .await
    }
}

async fn find_identity(
    connection: &mut Connection,
    backend: &BackendName,
    subject: &str,
) -> Result<Option<IdentityId>, Failure> {
    let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM identity WHERE backend = $1 AND subject = $2")
        .bind(backend.as_str())
        .bind(text("identity.subject", subject)?)
        .fetch_optional(connection)
        .await?;
    Ok(id.map(IdentityId))
}

/// Adds an identity; returns the one that is there, whoever added it.
async fn add_identity(
    connection: &mut Connection,
    backend: &BackendName,
    subject: &str,
    fresh: IdentityId,
    at: Timestamp,
) -> Result<IdentityId, Failure> {
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO identity (id, backend, subject, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (backend, subject) DO UPDATE SET subject = excluded.subject RETURNING id",
    )
    .bind(fresh.0)
    .bind(backend.as_str())
    .bind(text("identity.subject", subject)?)
    .bind(at.0)
    .fetch_one(connection)
    .await?;
    Ok(IdentityId(id))
}
