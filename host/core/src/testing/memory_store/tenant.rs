//! Tenants, and what they set for themselves.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{
    Account, Group, GroupId, NewEvent, Paged, Query, Tenant, TenantId, TenantTree, Timestamp, account_key, login_key,
};
use crate::port::{
    NewTenant, Revoked, SettingKind, SettingStore, StoreError, StoredSetting, TenantFilter, TenantMove, TenantOrder,
    TenantStore,
};

#[async_trait]
impl TenantStore for MemoryStore {
    async fn add_tenant(&self, new: &NewTenant) -> Result<(), StoreError> {
        let mut tables = self.open("add a tenant")?;
        let tenant = &new.tenant;
        if !tables.tenants.contains_key(&tenant.parent) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        if tables.tenants.contains_key(&tenant.id) {
            return Err(StoreError::Conflict { what: "tenant id" });
        }
        tables.check_tenant(tenant)?;
        tables.tenants.insert(tenant.id, tenant.clone());
        tables.take_name(tenant.id);
        tables.add_all_users(new.all_users, tenant.id);
        let all_users = new.all_users_policies.iter().map(|policy| (new.all_users, *policy));
        tables.group_policies.extend(all_users);
        for (group, policies) in &new.groups {
            tables.provided.insert(group.id);
            tables.groups.insert(group.id, group.clone());
            tables
                .group_policies
                .extend(policies.iter().map(|policy| (group.id, *policy)));
        }
        tables.events.record(NewEvent::tenant_added(tenant));
        Ok(())
    }

    async fn find_tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        Ok(self.open("find a tenant")?.tenants.get(&id).cloned())
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let tables = self.open("list tenants")?;
        let mut tenants: Vec<_> = tables.tenants.values().cloned().collect();
        tenants.sort_by_key(|tenant| (tables.named.get(&tenant.id).copied(), tenant.id));
        Ok(tenants)
    }

    async fn list_tenants_in(&self, query: &Query<TenantFilter, TenantOrder>) -> Result<Paged<Tenant>, StoreError> {
        let tables = self.open("list tenants")?;
        let filter = &query.filter;
        let fits = |tenant: &Tenant| {
            filter.ids.as_ref().is_none_or(|ids| ids.contains(&tenant.id))
                && filter
                    .name
                    .as_ref()
                    .is_none_or(|name| tenant.name.as_ref() == Some(name))
                && filter.slug.as_ref().is_none_or(|slug| tenant.slug == *slug)
                && filter.domain.as_ref().is_none_or(|domain| has_domain(tenant, domain))
        };
        let key = |tenant: &Tenant| match query.order {
            TenantOrder::Name => (login_key(tenant.name.as_deref().unwrap_or_default()), tenant.id),
            TenantOrder::Slug => (login_key(&tenant.slug), tenant.id),
        };
        let texts = |tenant: &Tenant| {
            let names = tenant.name.iter().chain([&tenant.slug]);
            names.chain(&tenant.domains).cloned().collect()
        };
        Ok(tables.page(tables.tenants.values(), query, |tenant| tenant.id, fits, texts, key))
    }

    async fn update_tenant(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let mut tables = self.open("update a tenant")?;
        let Some(current) = tables.tenants.get(&tenant.id).cloned() else {
            return Ok(false);
        };
        let updated = Tenant {
            parent: current.parent,
            slug: current.slug,
            ..tenant.clone()
        };
        tables.check_tenant(&updated)?;
        let key = |name: Option<&str>| account_key(name.unwrap_or_default());
        if key(current.name.as_deref()) != key(updated.name.as_deref()) && current.parent != current.id {
            tables.take_name(updated.id);
        }
        let event = NewEvent::tenant_updated(updated.id, updated.name.as_deref());
        tables.events.record(event);
        tables.tenants.insert(updated.id, updated);
        Ok(true)
    }

    async fn move_tenant(&self, id: TenantId, parent: TenantId, at: Timestamp) -> Result<TenantMove, StoreError> {
        let mut tables = self.open("move a tenant")?;
        let tenants: Vec<_> = tables.tenants.values().cloned().collect();
        let tree = TenantTree::new(&tenants);
        if tree.master() == Some(id) || tree.is_within(parent, id) {
            return Ok(TenantMove::Circular);
        }
        if !tables.tenants.contains_key(&parent) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        let Some(tenant) = tables.tenants.get_mut(&id) else {
            return Ok(TenantMove::Unknown);
        };
        tenant.parent = parent;
        let event = NewEvent::tenant_updated(id, tenant.name.as_deref());
        tables.events.record(event);
        Ok(TenantMove::Moved(tables.confine(id, at)))
    }

    async fn adopt_top_tenant(&self, id: TenantId, all_users: GroupId) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("give the top tenant another id")?;
        let top = tables
            .tenants
            .values()
            .find(|tenant| tenant.parent == tenant.id)
            .cloned();
        let top = top.ok_or(StoreError::Missing { what: "tenant" })?;
        if top.id == id {
            return Ok(None);
        }
        if tables.tenants.contains_key(&id) {
            return Err(StoreError::Conflict { what: "tenant id" });
        }
        if tables.settings.keys().any(|(tenant, _)| *tenant == top.id) {
            return Err(StoreError::InUse { what: "settings" });
        }
        Ok(Some(tables.adopt(&top, id, all_users)))
    }

    async fn remove_tenant(&self, id: TenantId) -> Result<bool, StoreError> {
        let mut tables = self.open("remove a tenant")?;
        if tables.tenants.values().any(|tenant| tenant.parent == id) {
            return Err(StoreError::InUse { what: "tenants" });
        }
        if tables.users.values().any(|(user, _)| user.tenant == id) {
            return Err(StoreError::InUse { what: "users" });
        }
        let is_own = |group: &Group| group.tenant == id && !group.system && !tables.provided.contains(&group.id);
        if tables.groups.values().any(is_own) {
            return Err(StoreError::InUse { what: "groups" });
        }
        if tables.has_factors(id) {
            return Err(StoreError::InUse { what: "factors" });
        }
        tables.groups.retain(|_, group| group.tenant != id);
        tables.accounts.remove(&id);
        tables.attempts.remove(id);
        let removed = tables.tenants.remove(&id);
        if let Some(tenant) = &removed {
            tables.events.record(NewEvent::tenant_deleted(id, tenant.parent));
        }
        Ok(removed.is_some())
    }

    async fn remove_whole_tenant(&self, id: TenantId) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("remove a tenant and what it owns")?;
        if tables.tenants.values().any(|tenant| tenant.parent == id) {
            return Err(StoreError::InUse { what: "tenants" });
        }
        let Some(tenant) = tables.tenants.remove(&id) else {
            return Ok(None);
        };
        let ended = tables.sessions.values().filter(|session| session.identity.tenant == id);
        let ended: Vec<_> = ended.map(|session| session.id).collect();
        let tokens = tables.tokens.extract_if(|_, token| ended.contains(&token.session));
        let tokens: Vec<_> = tokens.map(|(digest, _)| digest).collect();
        let mut revoked = tables.drop_empty_sessions();
        revoked.tokens.extend(tokens);
        tables.end_refresh_tokens(|token| token.identity.tenant == id);
        tables.remove_owned(id);
        tables.events.record(NewEvent::tenant_deleted(id, tenant.parent));
        Ok(Some(revoked))
    }
}

impl Tables {
    fn adopt(&mut self, top: &Tenant, id: TenantId, all_users: GroupId) -> Revoked {
        self.tenants.remove(&top.id);
        let adopted = Tenant {
            id,
            parent: id,
            ..top.clone()
        };
        self.tenants.insert(id, adopted);
        self.named.remove(&top.id);
        let moved = |tenant: &mut TenantId| {
            if *tenant == top.id {
                *tenant = id;
            }
        };
        self.tenants.values_mut().for_each(|tenant| moved(&mut tenant.parent));
        // What digests are made of names the tenant: no login would ever fit them.
        let users = self.users.values().filter(|(user, _)| user.tenant == top.id);
        for (user, _) in users {
            self.digests.remove(&user.id);
        }
        self.users.values_mut().for_each(|(user, _)| moved(&mut user.tenant));
        self.policies.values_mut().for_each(|policy| moved(&mut policy.tenant));
        self.groups.values_mut().for_each(|group| moved(&mut group.tenant));
        self.sessions
            .values_mut()
            .for_each(|session| moved(&mut session.identity.tenant));
        self.refresh_tokens
            .values_mut()
            .for_each(|token| moved(&mut token.identity.tenant));
        self.move_factors(moved);
        self.attempts.move_all(moved);
        if let Some(account) = self.accounts.remove(&top.id) {
            self.accounts.insert(id, Account { tenant: id, ..account });
        }
        let actors = self.sessions.values_mut().filter_map(|session| session.actor.as_mut());
        actors.for_each(|actor| moved(&mut actor.tenant));
        let of_all = |group: &&Group| group.system && group.tenant == id;
        if let Some(old) = self.groups.values().find(of_all).map(|group| group.id) {
            self.groups.remove(&old);
            let renamed = |group: GroupId| if group == old { all_users } else { group };
            self.members = self
                .members
                .drain()
                .map(|(group, user)| (renamed(group), user))
                .collect();
            self.group_policies = self
                .group_policies
                .drain()
                .map(|(group, policy)| (renamed(group), policy))
                .collect();
        }
        self.add_all_users(all_users, id);
        Revoked {
            sessions: Vec::new(),
            tokens: self.tokens.keys().copied().collect(),
        }
    }

    /// Puts a tenant behind all others that have a name. The top one stays in front of all.
    fn take_name(&mut self, id: TenantId) {
        let last = self.named.values().max().copied();
        self.named.insert(id, last.map_or(0, |last| last + 1));
    }

    /// What a tenant must not have in common with others.
    fn check_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        if tenant.contact.is_some_and(|user| !self.users.contains_key(&user)) {
            return Err(StoreError::Missing { what: "user" });
        }
        for known in self.tenants.values().filter(|known| known.id != tenant.id) {
            if known.slug == tenant.slug {
                return Err(StoreError::Conflict { what: "tenant slug" });
            }
            if tenant.domains.iter().any(|domain| has_domain(known, domain)) {
                return Err(StoreError::Conflict { what: "tenant domain" });
            }
            let realm = |tenant: &Tenant| tenant.realm.as_deref().map(login_key);
            if realm(tenant).is_some() && realm(tenant) == realm(known) {
                return Err(StoreError::Conflict { what: "tenant realm" });
            }
        }
        Ok(())
    }

    fn remove_owned(&mut self, id: TenantId) {
        let users: Vec<_> = self.users.values().filter(|(user, _)| user.tenant == id).collect();
        let users: Vec<_> = users.into_iter().map(|(user, _)| user.id).collect();
        let groups: Vec<_> = self.groups.values().filter(|group| group.tenant == id).collect();
        let groups: Vec<_> = groups.into_iter().map(|group| group.id).collect();
        let policies: Vec<_> = self.policies.values().filter(|policy| policy.tenant == id).collect();
        let policies: Vec<_> = policies.into_iter().map(|policy| policy.id).collect();
        self.users.retain(|user, _| !users.contains(user));
        self.digests.retain(|user, _| !users.contains(user));
        self.profiles.retain(|user, _| !users.contains(user));
        self.accounts.remove(&id);
        self.attempts.remove(id);
        self.groups.retain(|group, _| !groups.contains(group));
        self.policies.retain(|policy, _| !policies.contains(policy));
        self.members
            .retain(|(group, user)| !groups.contains(group) && !users.contains(user));
        self.group_policies
            .retain(|(group, policy)| !groups.contains(group) && !policies.contains(policy));
        self.attachments.retain(|(policy, identity)| {
            !policies.contains(policy) && users.iter().all(|user| *identity != (*user).into())
        });
        self.settings.retain(|(tenant, _), _| *tenant != id);
        self.refresh_tokens.retain(|_, token| token.identity.tenant != id);
        self.remove_factors(|owner| owner.tenant == id || users.iter().any(|user| owner.identity == (*user).into()));
    }
}

fn has_domain(tenant: &Tenant, domain: &str) -> bool {
    let wanted = login_key(domain);
    tenant.domains.iter().any(|known| login_key(known) == wanted)
}

#[async_trait]
impl SettingStore for MemoryStore {
    async fn find_setting(&self, tenant: TenantId, kind: SettingKind) -> Result<Option<StoredSetting>, StoreError> {
        Ok(self.open("find a setting")?.settings.get(&(tenant, kind)).cloned())
    }

    async fn put_setting(
        &self,
        tenant: TenantId,
        kind: SettingKind,
        setting: &StoredSetting,
    ) -> Result<(), StoreError> {
        let mut tables = self.open("write a setting")?;
        if !tables.tenants.contains_key(&tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        tables.settings.insert((tenant, kind), setting.clone());
        Ok(())
    }

    async fn remove_setting(&self, tenant: TenantId, kind: SettingKind) -> Result<bool, StoreError> {
        Ok(self
            .open("remove a setting")?
            .settings
            .remove(&(tenant, kind))
            .is_some())
    }
}
