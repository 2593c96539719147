//! Policies in `PostgreSQL`.

use async_trait::async_trait;
use keyway_core::model::{IdentityId, Policy, TenantId};
use keyway_core::port::{PolicyStore, StoreError};

use super::{PostgresStore, policy};

#[async_trait]
impl PolicyStore for PostgresStore {
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            policy::add_policy(&mut transaction, policy).await?;
            transaction.commit().await?;
            Ok(())
        };
        self.call("add a policy", work).await
    }

    async fn find_policy(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError> {
        self.call("find a policy", async {
            policy::find_policy(&mut *self.reader().await?, tenant, name).await
        })
        .await
    }

    async fn list_policies(&self) -> Result<Vec<Policy>, StoreError> {
        self.call("list policies", async {
            policy::list_policies(&mut *self.reader().await?).await
        })
        .await
    }

    async fn remove_policy(&self, tenant: TenantId, name: &str) -> Result<bool, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = policy::remove_policy(&mut transaction, tenant, name).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("remove a policy", work).await
    }

    async fn attach_policy(&self, policy: &Policy, to: IdentityId) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            policy::attach_policy(&mut transaction, policy, to).await?;
            transaction.commit().await?;
            Ok(())
        };
        self.call("attach a policy", work).await
    }

    async fn detach_policy(&self, policy: &Policy, from: IdentityId) -> Result<bool, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = policy::detach_policy(&mut transaction, policy, from).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("detach a policy", work).await
    }

    async fn policies_of(&self, identity: IdentityId) -> Result<Vec<Policy>, StoreError> {
        self.call("find policies", async {
            policy::policies_of(&mut *self.reader().await?, identity).await
        })
        .await
    }
}
