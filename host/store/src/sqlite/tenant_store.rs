//! Tenants in `SQLite`.

use async_trait::async_trait;
use keyway_core::model::{Tenant, TenantId};
use keyway_core::port::{NewTenant, StoreError, TenantStore};

use super::{SqliteStore, tenant};
use crate::failure::during;

#[async_trait]
impl TenantStore for SqliteStore {
    async fn add_tenant(&self, tenant: &NewTenant) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        let work = self.writer.write("add a tenant", move |connection| {
            Box::pin(async move { tenant::add_tenant(connection, &tenant).await })
        });
        work.await
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        during("list tenants", async {
            tenant::list_tenants(&mut *self.reader().await?).await
        })
        .await
    }

    async fn remove_tenant(&self, id: TenantId) -> Result<bool, StoreError> {
        let work = self.writer.write("remove a tenant", move |connection| {
            Box::pin(async move { tenant::remove_tenant(connection, id).await })
        });
        work.await
    }
}
