//! Tenants in `PostgreSQL`.

use async_trait::async_trait;
use keyway_core::model::{Tenant, TenantId};
use keyway_core::port::{NewTenant, StoreError, TenantStore};

use super::feed::Notice;
use super::{PostgresStore, tenant};

#[async_trait]
impl TenantStore for PostgresStore {
    async fn add_tenant(&self, tenant: &NewTenant) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            tenant::add_tenant(&mut transaction, tenant).await?;
            self.announce(&mut transaction, Notice::Tenants).await?;
            transaction.commit().await?;
            Ok(())
        };
        self.call("add a tenant", work).await
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.call("list tenants", async {
            tenant::list_tenants(&mut *self.reader().await?).await
        })
        .await
    }

    async fn remove_tenant(&self, id: TenantId) -> Result<bool, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = tenant::remove_tenant(&mut transaction, id).await?;
            if outcome {
                self.announce(&mut transaction, Notice::Tenants).await?;
            }
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("remove a tenant", work).await
    }
}
