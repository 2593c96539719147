//! Policies in `SQLite`.

use async_trait::async_trait;
use keyway_core::model::{IdentityId, Policy, TenantId};
use keyway_core::port::{PolicyStore, StoreError};

use super::{SqliteStore, policy};
use crate::failure::during;

#[async_trait]
impl PolicyStore for SqliteStore {
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let policy = policy.clone();
        let work = self.writer.write("add a policy", move |connection| {
            Box::pin(async move { policy::add_policy(connection, &policy).await })
        });
        work.await
    }

    async fn find_policy(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError> {
        during("find a policy", async {
            policy::find_policy(&mut *self.reader().await?, tenant, name).await
        })
        .await
    }

    async fn list_policies(&self) -> Result<Vec<Policy>, StoreError> {
        during("list policies", async {
            policy::list_policies(&mut *self.reader().await?).await
        })
        .await
    }

    async fn remove_policy(&self, tenant: TenantId, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        let work = self.writer.write("remove a policy", move |connection| {
            Box::pin(async move { policy::remove_policy(connection, tenant, &name).await })
        });
        work.await
    }

    async fn attach_policy(&self, policy: &Policy, to: IdentityId) -> Result<(), StoreError> {
        let policy = policy.clone();
        let work = self.writer.write("attach a policy", move |connection| {
            Box::pin(async move { policy::attach_policy(connection, &policy, to).await })
        });
        work.await
    }

    async fn detach_policy(&self, policy: &Policy, from: IdentityId) -> Result<bool, StoreError> {
        let policy = policy.clone();
        let work = self.writer.write("detach a policy", move |connection| {
            Box::pin(async move { policy::detach_policy(connection, &policy, from).await })
        });
        work.await
    }

    async fn policies_of(&self, identity: IdentityId) -> Result<Vec<Policy>, StoreError> {
        during("find policies", async {
            policy::policies_of(&mut *self.reader().await?, identity).await
        })
        .await
    }
}
