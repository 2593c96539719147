//! Groups and their policies.

use std::collections::{HashMap, HashSet};

use super::{ImportError, ImportKind, Outcome, PAGE, Run, outcome, parse, taken_away};
use crate::model::{Group, GroupId, PolicyId, Query, TenantId, TenantScope, login_key};
use crate::port::{ForeignGroup, GroupFilter, PolicyFilter, Store};

impl Run<'_> {
    pub(super) async fn groups(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::Group, rows);
        let mut after = String::new();
        loop {
            let page = self.foreign.groups(&after, PAGE).await.map_err(ImportError::Foreign)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for group in page {
                let became = self.group(&group).await?;
                self.note(ImportKind::Group, &group.id, became);
                self.policies_of(&group).await?;
            }
        }
    }

    async fn group(&mut self, foreign: &ForeignGroup) -> Result<Outcome, ImportError> {
        let (id, there) = match (parse(&foreign.id), self.known_tenant(&foreign.tenant)) {
            (Ok(id), Ok(tenant)) => (GroupId(id), tenant),
            (Err(skipped), _) | (_, Err(skipped)) => return Ok(skipped),
        };
        let tenant = self.here(there);
        let is_here = self.store().find_group(id).await.map_err(ImportError::Store)?.is_some();
        if !self.group_names.contains_key(&tenant) {
            let known = GroupNames::of(self.store(), tenant).await?;
            self.group_names.insert(tenant, known);
        }
        let names = self.group_names.entry(tenant).or_default();
        let known = if is_here {
            Some(id)
        } else {
            match names.same(id, there, foreign) {
                Ok(known) => known,
                Err(skipped) => return Ok(skipped),
            }
        };
        if let Some(known) = known {
            self.groups.insert(id, known);
            return Ok(Outcome::Present);
        }
        let group = Group {
            id,
            tenant,
            name: foreign.name.clone(),
            slug: foreign.slug.clone(),
            system: false,
        };
        names.take(&group);
        let became = if self.how.dry_run {
            Outcome::Added
        } else {
            outcome(self.store().add_group(&group).await)?
        };
        if became == Outcome::Added {
            self.fresh.insert(id.0);
            self.groups.insert(id, id);
        }
        Ok(became)
    }

    /// Attaches the policies that the group does not have.
    async fn policies_of(&mut self, foreign: &ForeignGroup) -> Result<(), ImportError> {
        let Some(group) = parse(&foreign.id)
            .ok()
            .and_then(|id| self.groups.get(&GroupId(id)).copied())
        else {
            return Ok(());
        };
        let wanted = self.known_policies(&foreign.policies);
        if wanted.is_empty() {
            return Ok(());
        }
        let query = Query {
            filter: PolicyFilter {
                group: Some(group),
                ..PolicyFilter::default()
            },
            ..Query::all(TenantScope::All)
        };
        let held = self.store().list_policies(&query).await.map_err(ImportError::Store)?;
        let held: HashSet<PolicyId> = held.items.iter().map(|policy| policy.id).collect();
        let tenant = parse(&foreign.tenant).unwrap_or_default();
        let is_settled = self.earlier.is_some() && !self.fresh.contains(&group.0) && !self.fresh.contains(&tenant);
        for policy in wanted {
            let became = if held.contains(&policy) {
                Outcome::Present
            } else if is_settled && !self.fresh.contains(&policy.0) {
                taken_away()
            } else if self.how.dry_run {
                Outcome::Added
            } else {
                outcome(self.store().attach_group_policy(group, policy).await)?
            };
            self.report
                .note(ImportKind::Attachment, &format!("{group}/{policy}"), became);
        }
        Ok(())
    }

    /// The groups here that stand for these there, without those that were not brought in.
    pub(super) fn known_groups(&self, ids: &[String]) -> Vec<GroupId> {
        let known = |id: &String| self.groups.get(&GroupId(parse(id).ok()?)).copied();
        ids.iter().filter_map(known).collect()
    }
}

/// The names and slugs of one tenant's groups, without regard to case.
#[derive(Default)]
pub(super) struct GroupNames {
    all_users: Option<GroupId>,
    names: HashMap<String, GroupId>,
    slugs: HashMap<String, GroupId>,
}

impl GroupNames {
    async fn of(store: &dyn Store, tenant: TenantId) -> Result<Self, ImportError> {
        let groups = store.list_groups(&Query::all(TenantScope::Only(tenant))).await;
        let mut known = Self::default();
        for group in groups.map_err(ImportError::Store)?.items {
            if group.system {
                known.all_users = Some(group.id);
            }
            known.take(&group);
        }
        Ok(known)
    }

    fn take(&mut self, group: &Group) {
        self.names.insert(login_key(&group.name), group.id);
        self.slugs.insert(login_key(&group.slug), group.id);
    }

    /// The group here that this one is, `None` if it is new, an error if it cannot be any.
    fn same(&self, id: GroupId, tenant: TenantId, foreign: &ForeignGroup) -> Result<Option<GroupId>, Outcome> {
        if foreign.system && foreign.name == Group::all_users_name(tenant) {
            // In a dry run its tenant may not be here yet.
            return Ok(Some(self.all_users.unwrap_or(id)));
        }
        let by_slug = self.slugs.get(&login_key(&foreign.slug));
        let Some(known) = by_slug.or_else(|| self.names.get(&login_key(&foreign.name))) else {
            return Ok(None);
        };
        // Only those that operators have defined on both sides are meant to be the same.
        if foreign.system && self.all_users != Some(*known) {
            Ok(Some(*known))
        } else {
            Err(Outcome::skipped("its tenant has a group of this name or slug here"))
        }
    }
}

/// The groups of one user.
pub(super) fn groups_of(user: crate::model::UserId) -> Query<GroupFilter, crate::port::GroupOrder> {
    Query {
        filter: GroupFilter {
            member: Some(user),
            ..GroupFilter::default()
        },
        ..Query::all(TenantScope::All)
    }
}
