//! Tenants.

use std::sync::Arc;

use super::{DirectoryError, DirectoryService, validate};
use crate::model::{GroupId, Tenant, TenantId};
use crate::port::{NewTenant, Store, StoreError};
use crate::token::to_the_end;

impl DirectoryService {
    /// Adds a tenant below `parent` (id, domain, realm or name; the top tenant if absent).
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_tenant(
        &self,
        name: &str,
        parent: Option<&str>,
        realm: Option<&str>,
        domains: &[String],
    ) -> Result<Tenant, DirectoryError> {
        validate::tenant_name(name)?;
        realm.map_or(Ok(()), |realm| validate::domain("realm", realm))?;
        for domain in domains {
            validate::domain("domain", domain)?;
        }
        let id = TenantId(self.random.uuid());
        let tenant = Tenant {
            realm: realm.map(str::to_owned),
            domains: domains.to_vec(),
            ..Tenant::new(id, self.tenant_or_master(parent).await?, name)
        };
        let new = NewTenant::of(tenant.clone(), GroupId(self.random.uuid()));
        self.changing("add a tenant", move |store| async move { store.add_tenant(&new).await })
            .await?;
        Ok(tenant)
    }

    /// All tenants.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, DirectoryError> {
        Ok(self.store.list_tenants().await?)
    }

    /// Removes a tenant that owns nothing.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove_tenant(&self, selector: &str) -> Result<Tenant, DirectoryError> {
        let id = self.tenant_or_master(Some(selector)).await?;
        let not_found = || DirectoryError::not_found("tenant", selector);
        let tenants = self.store.list_tenants().await?;
        let tenant = tenants
            .into_iter()
            .find(|tenant| tenant.id == id)
            .ok_or_else(not_found)?;
        if tenant.parent == tenant.id {
            return Err(DirectoryError::Invalid {
                field: "tenant",
                rule: "the top tenant cannot be removed",
            });
        }
        let removed = self
            .changing(
                "remove a tenant",
                move |store| async move { store.remove_tenant(id).await },
            )
            .await?;
        if removed { Ok(tenant) } else { Err(not_found()) }
    }

    /// Runs a change of the tenants, and forgets the tree, to the end even if the caller hangs up. The tree is forgotten also where the store
    /// failed, since it may have written.
    async fn changing<T, F>(
        &self,
        action: &'static str,
        change: impl FnOnce(Arc<dyn Store>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (store, tenants) = (Arc::clone(&self.store), Arc::clone(&self.tenants));
        to_the_end(action, async move {
            let result = change(store).await;
            tenants.invalidate();
            result
        })
        .await
    }
}
