//! Groups and their policies.

use std::collections::HashSet;

use super::{ImportError, ImportKind, Outcome, PAGE, Run, outcome, parse};
use crate::model::{Group, GroupId, PolicyId, Query, TenantId, TenantScope, login_key};
use crate::port::{ForeignGroup, GroupFilter, PolicyFilter};

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
        if let Some(known) = self.known_group(id, there, tenant, foreign).await? {
            return Ok(match known {
                Ok(known) => {
                    self.groups.insert(id, known);
                    Outcome::Present
                }
                Err(skipped) => skipped,
            });
        }
        let group = Group {
            id,
            tenant,
            name: foreign.name.clone(),
            slug: foreign.slug.clone(),
            system: false,
        };
        let became = if self.how.dry_run {
            Outcome::Added
        } else {
            outcome(self.store().add_group(&group).await)?
        };
        if became == Outcome::Added {
            self.groups.insert(id, id);
        }
        Ok(became)
    }

    /// The group here that this one is; why it cannot be any; `None` if it is new.
    async fn known_group(
        &self,
        id: GroupId,
        there: TenantId,
        tenant: TenantId,
        foreign: &ForeignGroup,
    ) -> Result<Option<Result<GroupId, Outcome>>, ImportError> {
        if self.store().find_group(id).await.map_err(ImportError::Store)?.is_some() {
            return Ok(Some(Ok(id)));
        }
        let groups = self.store().list_groups(&Query::all(TenantScope::Only(tenant))).await;
        let groups = groups.map_err(ImportError::Store)?.items;
        if foreign.system && foreign.name == Group::all_users_name(there) {
            // In a dry run its tenant may not be here yet.
            let own = groups.iter().find(|group| group.system);
            return Ok(Some(Ok(own.map_or(id, |group| group.id))));
        }
        let (name, slug) = (login_key(&foreign.name), login_key(&foreign.slug));
        let namesake = groups
            .iter()
            .find(|group| login_key(&group.slug) == slug || login_key(&group.name) == name);
        Ok(namesake.map(|known| {
            // Only those that operators have defined on both sides are meant to be the same.
            if foreign.system && !known.system {
                Ok(known.id)
            } else {
                Err(Outcome::skipped("its tenant has a group of this name or slug here"))
            }
        }))
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
        for policy in wanted {
            let became = if held.contains(&policy) {
                Outcome::Present
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
