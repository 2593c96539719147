//! Policies.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{
    IdentityId, Paged, Policy, PolicyId, Query, TenantId, TenantScope, TenantTree, Timestamp, UserId, login_key,
};
use crate::port::{PolicyFilter, PolicyOrder, PolicyStore, RevokeTarget, Revoked, StoreError};

impl Tables {
    fn tree(&self) -> TenantTree {
        let tenants: Vec<_> = self.tenants.values().cloned().collect();
        TenantTree::new(&tenants)
    }

    fn is_top(&self, tenant: TenantId) -> bool {
        self.tenants
            .get(&tenant)
            .is_some_and(|tenant| tenant.parent == tenant.id)
    }

    /// Whether what belongs to `owner` can be seen from these tenants because it is shared by one above.
    fn is_above(&self, owner: TenantId, scope: TenantScope) -> bool {
        match scope {
            TenantScope::All => false,
            TenantScope::Only(viewer) | TenantScope::Subtree(viewer) => self.tree().is_within(viewer, owner),
        }
    }

    /// What a policy of this name and slug would be confused with.
    fn taken(&self, policy: &Policy) -> Option<&'static str> {
        let tree = self.tree();
        let meets = |known: &&Policy| {
            known.id != policy.id
                && (known.tenant == policy.tenant
                    || known.shared && tree.is_within(policy.tenant, known.tenant)
                    || policy.shared && tree.is_within(known.tenant, policy.tenant))
        };
        let met = || self.policies.values().filter(meets);
        if met().any(|known| login_key(&known.name) == login_key(&policy.name)) {
            return Some("policy name");
        }
        met()
            .any(|known| login_key(&known.slug) == login_key(&policy.slug))
            .then_some("policy slug")
    }
}

#[async_trait]
impl PolicyStore for MemoryStore {
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let mut tables = self.open("add a policy")?;
        if !tables.tenants.contains_key(&policy.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        if let Some(what) = tables.taken(policy) {
            return Err(StoreError::Conflict { what });
        }
        tables.policies.insert(policy.id, policy.clone());
        Ok(())
    }

    async fn find_policy(&self, id: PolicyId) -> Result<Option<Policy>, StoreError> {
        Ok(self.open("find a policy")?.policies.get(&id).cloned())
    }

    async fn find_policy_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError> {
        let tables = self.open("find a policy")?;
        let wanted = |policy: &&Policy| policy.tenant == tenant && login_key(&policy.name) == login_key(name);
        Ok(tables.policies.values().find(wanted).cloned())
    }

    async fn find_policy_by_slug(&self, tenant: TenantId, slug: &str) -> Result<Option<Policy>, StoreError> {
        let tables = self.open("find a policy")?;
        let named = || {
            let policies = tables.policies.values();
            policies.filter(|policy| login_key(&policy.slug) == login_key(slug))
        };
        let shared = |policy: &&Policy| policy.shared && tables.is_above(policy.tenant, TenantScope::Only(tenant));
        let own = named().find(|policy| policy.tenant == tenant);
        Ok(own.or_else(|| named().find(shared)).cloned())
    }

    async fn list_policies(&self, query: &Query<PolicyFilter, PolicyOrder>) -> Result<Paged<Policy>, StoreError> {
        let tables = self.open("list policies")?;
        let (tree, filter) = (tables.tree(), &query.filter);
        let is_own = |policy: &Policy| match query.scope {
            TenantScope::All => true,
            TenantScope::Only(tenant) => policy.tenant == tenant,
            TenantScope::Subtree(top) => tree.is_within(policy.tenant, top),
        };
        let visible = |policy: &&Policy| {
            (is_own(policy) || policy.shared && tables.is_above(policy.tenant, query.scope))
                && filter
                    .holder
                    .is_none_or(|holder| tables.attachments.contains(&(policy.id, holder)))
                && filter
                    .group
                    .is_none_or(|group| tables.group_policies.contains(&(group, policy.id)))
        };
        let fits = |policy: &Policy| {
            let read_only = policy.managed || !is_own(policy);
            filter.id.is_none_or(|id| policy.id == id)
                && filter.name.as_ref().is_none_or(|name| policy.name == *name)
                && filter.slug.as_ref().is_none_or(|slug| policy.slug == *slug)
                && filter
                    .description
                    .as_ref()
                    .is_none_or(|text| policy.description.as_ref() == Some(text))
                && filter.read_only.is_none_or(|wanted| read_only == wanted)
        };
        let key = |policy: &Policy| match query.order {
            PolicyOrder::Name => (login_key(&policy.name), policy.id),
            PolicyOrder::Slug => (login_key(&policy.slug), policy.id),
            PolicyOrder::Description => (policy.description.clone().unwrap_or_default(), policy.id),
            PolicyOrder::Id => (String::new(), policy.id),
        };
        let texts = |policy: &Policy| {
            let description = policy.description.clone().unwrap_or_default();
            vec![policy.name.clone(), policy.slug.clone(), description]
        };
        // The scope says less than what is visible, so it has been seen to above.
        let everything = Query {
            scope: TenantScope::All,
            filter: (),
            search: query.search.clone(),
            order: (),
            direction: query.direction,
            page: query.page,
        };
        let rows = tables.policies.values().filter(visible);
        Ok(tables.page(rows, &everything, |policy| policy.tenant, fits, texts, key))
    }

    async fn replace_policy(&self, current: &Policy, next: &Policy) -> Result<bool, StoreError> {
        let mut tables = self.open("change a policy")?;
        let renamed = Policy {
            slug: current.slug.clone(),
            ..next.clone()
        };
        if let Some(what) = tables.taken(&renamed) {
            return Err(StoreError::Conflict { what });
        }
        let Some(policy) = tables.policies.get_mut(&current.id) else {
            return Ok(false);
        };
        if policy.accesses != current.accesses || policy.managed != current.managed {
            return Ok(false);
        }
        policy.name.clone_from(&next.name);
        policy.description.clone_from(&next.description);
        policy.accesses.clone_from(&next.accesses);
        Ok(true)
    }

    async fn remove_policy(&self, id: PolicyId) -> Result<bool, StoreError> {
        let mut tables = self.open("remove a policy")?;
        tables.attachments.retain(|(policy, _)| *policy != id);
        tables.group_policies.retain(|(_, policy)| *policy != id);
        Ok(tables.policies.remove(&id).is_some())
    }

    async fn attach_policy(&self, policy: PolicyId, to: IdentityId) -> Result<(), StoreError> {
        let mut tables = self.open("attach a policy")?;
        if !tables.policies.contains_key(&policy) {
            return Err(StoreError::Missing { what: "policy" });
        }
        if !tables.attachments.contains(&(policy, to)) {
            tables.attachments.push((policy, to));
        }
        Ok(())
    }

    async fn detach_policy(&self, policy: PolicyId, from: IdentityId) -> Result<bool, StoreError> {
        let mut tables = self.open("detach a policy")?;
        let before = tables.attachments.len();
        tables.attachments.retain(|attached| *attached != (policy, from));
        Ok(tables.attachments.len() < before)
    }

    async fn take_policy(&self, policy: PolicyId, from: IdentityId, at: Timestamp) -> Result<Revoked, StoreError> {
        let mut tables = self.open("take a policy")?;
        tables.attachments.retain(|attached| *attached != (policy, from));
        Ok(tables.revoke(&RevokeTarget::Identity(from), at))
    }

    async fn accesses_for(
        &self,
        identity: IdentityId,
        user: Option<UserId>,
        default: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        let tables = self.open("find an identity's accesses")?;
        let part = |policy: &Policy| {
            let is_default = |slug| login_key(&policy.slug) == login_key(slug) && tables.is_top(policy.tenant);
            if user.is_some() && default.is_some_and(is_default) {
                return Some(0);
            }
            let in_group = |user| {
                let mut members = tables.members.iter().filter(|(_, member)| *member == user);
                members.any(|(group, _)| tables.group_policies.contains(&(*group, policy.id)))
            };
            if user.is_some_and(in_group) {
                return Some(1);
            }
            tables.attachments.contains(&(policy.id, identity)).then_some(2)
        };
        let mut held: Vec<_> = tables
            .policies
            .values()
            .filter_map(|policy| Some((part(policy)?, &policy.name, policy.id, &policy.accesses)))
            .collect();
        held.sort();
        Ok(held.into_iter().flat_map(|(.., accesses)| accesses.clone()).collect())
    }

    async fn accesses_of_users(&self, users: &[UserId], default: Option<&str>) -> Result<Vec<Vec<String>>, StoreError> {
        let mut all = Vec::with_capacity(users.len());
        for user in users {
            let is_there = self.open("find users' accesses")?.users.contains_key(user);
            let accesses = self.accesses_for((*user).into(), Some(*user), default).await?;
            all.push(if is_there { accesses } else { Vec::new() });
        }
        Ok(all)
    }
}
