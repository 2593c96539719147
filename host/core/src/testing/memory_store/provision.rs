//! What the configuration defines of the directory.

use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{Group, GroupId, Policy, PolicyId, login_key};
use crate::port::{ProvidedGroup, Provision, ProvisionStore, Random, StoreError};

#[async_trait]
impl ProvisionStore for MemoryStore {
    async fn provide(&self, provision: &Provision, random: Arc<dyn Random>) -> Result<(), StoreError> {
        let mut tables = self.open("put policies and groups of the configuration in place")?;
        let provided = tables.put_policies(&provision.policies)?;
        tables.remove_others(&provided);
        let system: Vec<_> = tables.groups_that(|group| group.system);
        tables.set_policies(&system, &provided, &provision.all_users);
        let slugs: Vec<_> = provision.groups.iter().map(|group| login_key(&group.slug)).collect();
        let released = tables.groups_that(|group| !slugs.contains(&login_key(&group.slug)));
        tables.provided.retain(|id| !released.contains(id));
        for wanted in &provision.groups {
            tables.add_missing_groups(wanted, &*random);
            let slug = login_key(&wanted.slug);
            let mut groups = tables.groups_that(|group| login_key(&group.slug) == slug);
            groups.retain(|id| tables.provided.contains(id));
            tables.set_policies(&groups, &provided, &wanted.policies);
        }
        Ok(())
    }
}

impl Tables {
    fn groups_that(&self, fit: impl Fn(&Group) -> bool) -> Vec<GroupId> {
        self.groups
            .values()
            .filter(|group| fit(group))
            .map(|group| group.id)
            .collect()
    }

    fn put_policies(&mut self, policies: &[Policy]) -> Result<Vec<(String, PolicyId)>, StoreError> {
        let mut provided = Vec::new();
        for wanted in policies {
            let slug = login_key(&wanted.slug);
            let mut own = self.policies.values().filter(|policy| policy.tenant == wanted.tenant);
            let named = |policy: &&Policy| login_key(&policy.name) == login_key(&wanted.name);
            if own.clone().filter(named).any(|policy| login_key(&policy.slug) != slug) {
                return Err(StoreError::Conflict { what: "policy name" });
            }
            let current = own.find(|policy| login_key(&policy.slug) == slug);
            let id = current.map_or(wanted.id, |policy| policy.id);
            let put = Policy {
                id,
                slug: current.map_or_else(|| wanted.slug.clone(), |policy| policy.slug.clone()),
                shared: true,
                managed: true,
                ..wanted.clone()
            };
            self.policies.insert(id, put);
            provided.push((slug, id));
        }
        Ok(provided)
    }

    fn remove_others(&mut self, provided: &[(String, PolicyId)]) {
        let is_provided = |id: PolicyId| provided.iter().any(|(_, known)| *known == id);
        let others = self
            .policies
            .values()
            .filter(|policy| policy.managed && !is_provided(policy.id));
        for id in others.map(|policy| policy.id).collect::<Vec<_>>() {
            let (groups, of_host) = (&self.groups, &self.provided);
            self.group_policies.retain(|(group, policy)| {
                *policy != id || !(of_host.contains(group) || groups.get(group).is_some_and(|group| group.system))
            });
            let is_held = self.attachments.iter().any(|(policy, _)| *policy == id)
                || self.group_policies.iter().any(|(_, policy)| *policy == id);
            if !is_held {
                self.policies.remove(&id);
            } else if let Some(policy) = self.policies.get_mut(&id) {
                policy.managed = false;
            }
        }
    }

    /// Attaches those of the policies that are wanted to each of the groups, and detaches the others.
    fn set_policies(&mut self, groups: &[GroupId], provided: &[(String, PolicyId)], wanted: &[String]) {
        for (slug, policy) in provided {
            let is_wanted = wanted.iter().any(|wanted| login_key(wanted) == *slug);
            for group in groups {
                if is_wanted {
                    self.group_policies.insert((*group, *policy));
                } else {
                    self.group_policies.remove(&(*group, *policy));
                }
            }
        }
    }

    fn add_missing_groups(&mut self, wanted: &ProvidedGroup, random: &dyn Random) {
        for tenant in self.tenants.keys().copied().collect::<Vec<_>>() {
            let is_taken = self.groups.values().any(|group| {
                group.tenant == tenant
                    && (login_key(&group.slug) == login_key(&wanted.slug)
                        || login_key(&group.name) == login_key(&wanted.name))
            });
            if is_taken {
                continue;
            }
            let group = Group {
                id: GroupId(random.uuid()),
                tenant,
                name: wanted.name.clone(),
                slug: wanted.slug.clone(),
                system: false,
            };
            self.provided.insert(group.id);
            self.groups.insert(group.id, group);
        }
    }
}
