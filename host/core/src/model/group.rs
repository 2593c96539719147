//! Named lists of users.

use serde::{Deserialize, Serialize};

use super::{GroupId, TenantId};

/// A named list of users of one tenant. Its members have the accesses of the policies that are attached to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The owner.
    pub tenant: TenantId,
    /// Its name, unique within the tenant without regard to case.
    pub name: String,
    /// A short name, unique within the tenant without regard to case.
    pub slug: String,
    /// The host's own: a tenant's group of all its users. It cannot be changed or removed, and goes with the tenant.
    pub system: bool,
}

impl Group {
    /// The name and slug of the group that holds all users of a tenant.
    pub fn all_users_name(tenant: TenantId) -> String {
        format!("wazo-all-users-tenant-{tenant}")
    }
}
