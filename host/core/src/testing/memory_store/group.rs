//! Groups.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{Group, GroupId, Paged, PolicyId, Query, TenantId, UserId, login_key};
use crate::port::{GroupFilter, GroupOrder, GroupStore, StoreError};

impl Tables {
    /// Makes a tenant's group of all its users.
    pub(super) fn add_all_users(&mut self, id: GroupId, tenant: TenantId) {
        let group = Group {
            id,
            tenant,
            name: Group::all_users_name(tenant),
            slug: Group::all_users_name(tenant),
            system: true,
        };
        self.groups.insert(id, group);
    }
}

#[async_trait]
impl GroupStore for MemoryStore {
    async fn add_group(&self, group: &Group) -> Result<(), StoreError> {
        let mut tables = self.open("add a group")?;
        if !tables.tenants.contains_key(&group.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        for known in tables.groups.values().filter(|known| known.tenant == group.tenant) {
            if login_key(&known.name) == login_key(&group.name) {
                return Err(StoreError::Conflict { what: "group name" });
            }
            if login_key(&known.slug) == login_key(&group.slug) {
                return Err(StoreError::Conflict { what: "group slug" });
            }
        }
        tables.groups.insert(group.id, group.clone());
        Ok(())
    }

    async fn find_group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        Ok(self.open("find a group")?.groups.get(&id).cloned())
    }

    async fn list_groups(&self, query: &Query<GroupFilter, GroupOrder>) -> Result<Paged<Group>, StoreError> {
        let tables = self.open("list groups")?;
        let filter = &query.filter;
        let fits = |group: &Group| {
            filter.id.is_none_or(|id| group.id == id)
                && filter.name.as_ref().is_none_or(|name| group.name == *name)
                && filter.slug.as_ref().is_none_or(|slug| group.slug == *slug)
                && filter.system.is_none_or(|system| group.system == system)
                && filter
                    .member
                    .is_none_or(|user| tables.members.contains(&(group.id, user)))
                && filter
                    .policy
                    .is_none_or(|policy| tables.group_policies.contains(&(group.id, policy)))
                && filter.policy_slug.as_ref().is_none_or(|slug| {
                    let mut policies = tables.policies.values().filter(|policy| policy.slug == *slug);
                    policies.any(|policy| tables.group_policies.contains(&(group.id, policy.id)))
                })
        };
        let key = |group: &Group| match query.order {
            GroupOrder::Name => (login_key(&group.name), group.id),
            GroupOrder::Slug => (login_key(&group.slug), group.id),
            GroupOrder::Id => (String::new(), group.id),
        };
        let texts = |group: &Group| vec![group.name.clone(), group.slug.clone()];
        let counted = |group: &&Group| {
            let member = filter.member;
            member.is_none_or(|user| tables.members.contains(&(group.id, user)))
        };
        let groups = tables.groups.values().filter(counted);
        Ok(tables.page(groups, query, |group| group.tenant, fits, texts, key))
    }

    async fn group_names(&self, member: UserId, limit: u32) -> Result<Vec<String>, StoreError> {
        let tables = self.open("list a user's groups")?;
        let groups = tables.groups.values().filter(|group| !group.system);
        let mut names: Vec<_> = groups
            .filter(|group| tables.members.contains(&(group.id, member)))
            .map(|group| (login_key(&group.name), group.name.clone()))
            .collect();
        names.sort();
        Ok(names.into_iter().map(|(_, name)| name).take(limit as usize).collect())
    }

    async fn rename_group(&self, id: GroupId, name: &str) -> Result<bool, StoreError> {
        let mut tables = self.open("rename a group")?;
        let Some(group) = tables.groups.get(&id).cloned() else {
            return Ok(false);
        };
        let taken =
            |known: &Group| known.tenant == group.tenant && known.id != id && login_key(&known.name) == login_key(name);
        if tables.groups.values().any(taken) {
            return Err(StoreError::Conflict { what: "group name" });
        }
        if let Some(group) = tables.groups.get_mut(&id) {
            name.clone_into(&mut group.name);
        }
        Ok(true)
    }

    async fn remove_group(&self, id: GroupId) -> Result<bool, StoreError> {
        let mut tables = self.open("remove a group")?;
        tables.members.retain(|(group, _)| *group != id);
        tables.group_policies.retain(|(group, _)| *group != id);
        Ok(tables.groups.remove(&id).is_some())
    }

    async fn add_group_member(&self, group: GroupId, user: UserId) -> Result<(), StoreError> {
        let mut tables = self.open("add a member to a group")?;
        if !tables.groups.contains_key(&group) {
            return Err(StoreError::Missing { what: "group" });
        }
        if !tables.users.contains_key(&user) {
            return Err(StoreError::Missing { what: "user" });
        }
        tables.members.insert((group, user));
        Ok(())
    }

    async fn remove_group_member(&self, group: GroupId, user: UserId) -> Result<bool, StoreError> {
        Ok(self
            .open("remove a member from a group")?
            .members
            .remove(&(group, user)))
    }

    async fn attach_group_policy(&self, group: GroupId, policy: PolicyId) -> Result<(), StoreError> {
        let mut tables = self.open("attach a policy to a group")?;
        if !tables.groups.contains_key(&group) {
            return Err(StoreError::Missing { what: "group" });
        }
        if !tables.policies.contains_key(&policy) {
            return Err(StoreError::Missing { what: "policy" });
        }
        tables.group_policies.insert((group, policy));
        Ok(())
    }

    async fn detach_group_policy(&self, group: GroupId, policy: PolicyId) -> Result<bool, StoreError> {
        let mut tables = self.open("detach a policy from a group")?;
        Ok(tables.group_policies.remove(&(group, policy)))
    }
}
