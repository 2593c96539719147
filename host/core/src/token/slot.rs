//! Which backend is meant.

use std::sync::Arc;

use super::{TokenError, TokenService};
use crate::model::{BackendName, TenantId};
use crate::port::{BackendSlot, TenantBackends};

/// Whose backend is meant, where tenants have some of their own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    /// As a caller named the tenant.
    Named(Option<&'a str>),
    /// As the store has it.
    Tenant(TenantId),
}

impl TokenService {
    /// Lets tenants have backends of their own. What the operator configures under their name comes before them.
    #[must_use]
    pub fn with_tenant_backends(mut self, backends: Arc<dyn TenantBackends>) -> Self {
        self.tenant_backends = Some(backends);
        self
    }

    /// The names that a login may give, sorted, without aliases.
    pub fn backend_names(&self) -> Vec<BackendName> {
        let mut names = self.backends.names();
        names.extend(self.tenant_backends.iter().map(|owned| owned.name().clone()));
        names.sort();
        names.dedup();
        names
    }

    /// The backend of this name, or the tenant's own.
    pub(super) async fn find_slot(&self, name: &str, whose: Whose<'_>) -> Result<Option<BackendSlot>, TokenError> {
        if let Some(slot) = self.backends.find(name) {
            return Ok(Some(slot));
        }
        let Some(owned) = self
            .tenant_backends
            .as_ref()
            .filter(|owned| owned.name().as_str() == name)
        else {
            return Ok(None);
        };
        let tenant = match whose {
            Whose::Tenant(tenant) => Some(tenant),
            Whose::Named(None) => None,
            Whose::Named(Some(text)) => self.tenants.tree().await?.find(text),
        };
        let Some(tenant) = tenant else {
            return Ok(None);
        };
        let found = owned.find(tenant).await;
        found.map_err(|fault| TokenError::Backend {
            backend: owned.name().to_string(),
            fault,
        })
    }
}
