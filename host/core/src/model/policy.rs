//! Named lists of accesses.

use serde::{Deserialize, Serialize};

use super::{PolicyId, TenantId};

/// A named list of access patterns that an operator attaches to identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// The owner.
    pub tenant: TenantId,
    /// Its name, unique within the tenant without regard to case.
    pub name: String,
    /// Access patterns, in the operator's order. A leading `!` denies.
    pub accesses: Vec<String>,
}
