//! Policies.

use std::collections::BTreeSet;

use super::{ImportError, ImportKind, Outcome, PAGE, Run, outcome, parse};
use crate::model::{Policy, PolicyId, TenantId};
use crate::port::ForeignPolicy;

impl Run<'_> {
    pub(super) async fn policies(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::Policy, rows);
        let mut after = String::new();
        loop {
            let page = self
                .foreign
                .policies(&after, PAGE)
                .await
                .map_err(ImportError::Foreign)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for policy in page {
                let became = self.policy(&policy).await?;
                self.note(ImportKind::Policy, &policy.id, became);
            }
        }
    }

    async fn policy(&mut self, foreign: &ForeignPolicy) -> Result<Outcome, ImportError> {
        let (id, tenant) = match (parse(&foreign.id), self.known_tenant(&foreign.tenant)) {
            (Ok(id), Ok(tenant)) => (PolicyId(id), self.here(tenant)),
            (Err(skipped), _) | (_, Err(skipped)) => return Ok(skipped),
        };
        if self
            .store()
            .find_policy(id)
            .await
            .map_err(ImportError::Store)?
            .is_some()
        {
            self.policies.insert(id, id);
            return Ok(Outcome::Present);
        }
        if let Some(known) = self.namesake(foreign, tenant).await? {
            // What is attached to the one would be attached to the other: only where both grant the same, or where operators have defined both
            // on purpose, under the same name.
            let same = set(&known.accesses) == set(&foreign.accesses) || known.managed && foreign.managed;
            if !same {
                let reason = "a policy of this name or slug is here, which grants other accesses";
                return Ok(Outcome::skipped(reason));
            }
            self.policies.insert(id, known.id);
            return Ok(Outcome::Present);
        }
        let policy = Policy {
            id,
            tenant,
            name: foreign.name.clone(),
            slug: foreign.slug.clone(),
            description: foreign.description.clone(),
            accesses: foreign.accesses.clone(),
            shared: foreign.shared,
            managed: false,
        };
        let became = if self.how.dry_run {
            Outcome::Added
        } else {
            outcome(self.store().add_policy(&policy).await)?
        };
        if became == Outcome::Added {
            self.fresh.insert(id.0);
            self.policies.insert(id, id);
        }
        Ok(became)
    }

    async fn namesake(&self, foreign: &ForeignPolicy, tenant: TenantId) -> Result<Option<Policy>, ImportError> {
        let store = self.store();
        let by_slug = store.find_policy_by_slug(tenant, &foreign.slug).await;
        let by_slug = by_slug.map_err(ImportError::Store)?;
        if by_slug.is_some() {
            return Ok(by_slug);
        }
        let by_name = store.find_policy_by_name(tenant, &foreign.name).await;
        by_name.map_err(ImportError::Store)
    }

    /// The policies here that stand for these there, without those that were not brought in.
    pub(super) fn known_policies(&self, ids: &[String]) -> Vec<PolicyId> {
        let known = |id: &String| self.policies.get(&PolicyId(parse(id).ok()?)).copied();
        ids.iter().filter_map(known).collect()
    }
}

fn set(accesses: &[String]) -> BTreeSet<&str> {
    accesses.iter().map(String::as_str).collect()
}
