//! Backends that tenants have of their own.

use async_trait::async_trait;

use super::{BackendFault, BackendSlot};
use crate::model::{BackendName, TenantId};

/// Backends that tenants have of their own, by what they said through an API. All of them go by one name, and the tenant tells them apart. The server
/// has the only implementation besides those of tests.
#[async_trait]
pub trait TenantBackends: Send + Sync {
    /// The name that all of them go by.
    fn name(&self) -> &BackendName;

    /// The tenant's; `None` if it has said nothing.
    ///
    /// # Errors
    /// [`BackendFault`], where it cannot be said or what was said is of no use.
    async fn find(&self, tenant: TenantId) -> Result<Option<BackendSlot>, BackendFault>;
}
