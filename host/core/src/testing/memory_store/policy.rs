//! Policies.

use async_trait::async_trait;

use super::MemoryStore;
use crate::model::{IdentityId, Policy, TenantId, login_key};
use crate::port::{PolicyStore, StoreError};

#[async_trait]
impl PolicyStore for MemoryStore {
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let mut tables = self.open("add a policy")?;
        let same = |known: &Policy| known.tenant == policy.tenant && login_key(&known.name) == login_key(&policy.name);
        if tables.policies.values().any(same) {
            return Err(StoreError::Conflict { what: "policy name" });
        }
        tables.policies.insert(policy.id, policy.clone());
        Ok(())
    }

    async fn find_policy(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError> {
        let tables = self.open("find a policy")?;
        let wanted = |policy: &&Policy| policy.tenant == tenant && login_key(&policy.name) == login_key(name);
        Ok(tables.policies.values().find(wanted).cloned())
    }

    async fn list_policies(&self) -> Result<Vec<Policy>, StoreError> {
        let mut policies: Vec<_> = self.open("list policies")?.policies.values().cloned().collect();
        policies.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(policies)
    }

    async fn remove_policy(&self, tenant: TenantId, name: &str) -> Result<bool, StoreError> {
        let Some(policy) = self.find_policy(tenant, name).await? else {
            return Ok(false);
        };
        let mut tables = self.open("remove a policy")?;
        tables.attachments.retain(|(id, _)| *id != policy.id);
        Ok(tables.policies.remove(&policy.id).is_some())
    }

    async fn attach_policy(&self, policy: &Policy, to: IdentityId) -> Result<(), StoreError> {
        let mut tables = self.open("attach a policy")?;
        if !tables.policies.contains_key(&policy.id) {
            return Err(StoreError::Missing { what: "policy" });
        }
        if !tables.attachments.contains(&(policy.id, to)) {
            tables.attachments.push((policy.id, to));
        }
        Ok(())
    }

    async fn detach_policy(&self, policy: &Policy, from: IdentityId) -> Result<bool, StoreError> {
        let mut tables = self.open("detach a policy")?;
        let before = tables.attachments.len();
        tables.attachments.retain(|attached| *attached != (policy.id, from));
        Ok(tables.attachments.len() < before)
    }

    async fn policies_of(&self, identity: IdentityId) -> Result<Vec<Policy>, StoreError> {
        let attached: Vec<_> = {
            let tables = self.open("find an identity's policies")?;
            tables
                .attachments
                .iter()
                .filter(|(_, to)| *to == identity)
                .map(|(id, _)| *id)
                .collect()
        };
        let mut policies = self.list_policies().await?;
        policies.retain(|policy| attached.contains(&policy.id));
        Ok(policies)
    }
}
