//! What tenants set for themselves: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::TenantId;
use keyway_core::port::{SettingKind, SettingStore, StoreError, StoredSetting};

use super::{Connection, DriverStore};
use crate::failure::{Failure, explain, text};
use crate::row::SettingRow;

#[async_trait]
impl SettingStore for DriverStore {
    async fn find_setting(&self, tenant: TenantId, kind: SettingKind) -> Result<Option<StoredSetting>, StoreError> {
        self.call("find a setting", async {
            find_setting(&mut *self.reader().await?, tenant, kind).await
        })
        .await
    }

    async fn put_setting(
        &self,
        tenant: TenantId,
        kind: SettingKind,
        setting: &StoredSetting,
    ) -> Result<(), StoreError> {
        let setting = setting.clone();
        self.write("write a setting", move |connection| {
            Box::pin(async move { put_setting(connection, tenant, kind, &setting).await })
        })
        .await
    }

    async fn remove_setting(&self, tenant: TenantId, kind: SettingKind) -> Result<bool, StoreError> {
        self.write("remove a setting", move |connection| {
            Box::pin(remove_setting(connection, tenant, kind))
        })
        .await
    }
}

async fn find_setting(
    connection: &mut Connection,
    tenant: TenantId,
    kind: SettingKind,
) -> Result<Option<StoredSetting>, Failure> {
    let row: Option<SettingRow> =
        sqlx::query_as("SELECT document, sealed FROM tenant_setting WHERE tenant = $1 AND kind = $2")
            .bind(tenant.0)
            .bind(kind.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(StoredSetting::from))
}

async fn put_setting(
    connection: &mut Connection,
    tenant: TenantId,
    kind: SettingKind,
    setting: &StoredSetting,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO tenant_setting (tenant, kind, document, sealed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant, kind) DO UPDATE SET document = excluded.document, sealed = excluded.sealed",
    )
    .bind(tenant.0)
    .bind(kind.as_str())
    .bind(text("tenant_setting.document", &setting.document)?)
    .bind(setting.sealed.as_deref())
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[], "tenant"))?;
    Ok(())
}

async fn remove_setting(connection: &mut Connection, tenant: TenantId, kind: SettingKind) -> Result<bool, Failure> {
    let removed = sqlx::query("DELETE FROM tenant_setting WHERE tenant = $1 AND kind = $2")
        .bind(tenant.0)
        .bind(kind.as_str())
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}
