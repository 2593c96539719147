//! What the configuration defines of the directory, put in place.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Random, StoreError};
use crate::model::Policy;

/// A group that each tenant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedGroup {
    /// What it is known by.
    pub slug: String,
    /// Its name where it is made; who changes it later may.
    pub name: String,
    /// The slugs of its policies.
    pub policies: Vec<String>,
}

/// What there is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provision {
    /// Policies of one tenant, the top one, each with the id that it gets if there is none of its slug.
    pub policies: Vec<Policy>,
    /// The slugs of those that all users of all tenants have.
    pub all_users: Vec<String>,
    /// The groups of each tenant.
    pub groups: Vec<ProvidedGroup>,
}

/// Puts in place what the configuration defines.
#[async_trait]
pub trait ProvisionStore: Send + Sync {
    /// Makes the store hold this, in one transaction, however many nodes do so at once. Doing it again changes nothing.
    ///
    /// - Policies get this content and become managed and shared; one that the top tenant has under the slug is taken over.
    /// - A managed policy that is not among them is detached from the groups that the host itself made. If nobody else has it, it goes; else it
    ///   stays, and is no longer managed.
    /// - The group of all users of each tenant has those of the policies that all users have, and no other managed one.
    /// - Each tenant gets the groups that it lacks. Those that were made in this way have the policies that they should, and no other managed one.
    ///   A group that a tenant made itself under such a slug or name is left alone. One that is not provided any more becomes the tenant's own.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on `policy name` if another policy of the tenant has the name of a provided one, [`StoreError::Unavailable`],
    /// [`StoreError::Inconsistent`].
    async fn provide(&self, provision: &Provision, random: Arc<dyn Random>) -> Result<(), StoreError>;
}
