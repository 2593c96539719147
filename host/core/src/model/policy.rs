//! Named lists of accesses.

use serde::{Deserialize, Serialize};

use super::{PolicyId, TenantId};

/// A named list of access patterns that an operator attaches to identities and groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// The owner.
    pub tenant: TenantId,
    /// Its name, unique within the tenant without regard to case.
    pub name: String,
    /// A short name, unique within the tenant without regard to case.
    pub slug: String,
    /// What it is for.
    pub description: Option<String>,
    /// Access patterns, in the operator's order. A leading `!` denies.
    pub accesses: Vec<String>,
    /// Whether tenants below the owner may use it; they cannot change it.
    pub shared: bool,
    /// Whether the configuration defines it; then nothing else changes it.
    pub managed: bool,
}

impl Policy {
    /// A policy with a name and accesses and nothing else; its slug is made of its name.
    pub fn new(id: PolicyId, tenant: TenantId, name: &str, accesses: Vec<String>) -> Self {
        Self {
            id,
            tenant,
            name: name.to_owned(),
            slug: slug_of(name, MAX_SLUG),
            description: None,
            accesses,
            shared: false,
            managed: false,
        }
    }
}

/// The longest slug of a policy or a group in characters.
pub const MAX_SLUG: usize = 80;

/// A slug for something of this name: what of it may stand in one, with `-` for the rest.
pub fn slug_of(name: &str, longest: usize) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().take(longest).map(legal).collect()
}
