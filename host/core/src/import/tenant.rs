//! Tenants, from the top down.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{ImportError, ImportKind, Outcome, Run, outcome, parse};
use crate::model::{AuthenticationMethod, GroupId, MAX_TENANT_SLUG, Tenant, TenantId, TenantTree, UserId, login_key};
use crate::port::{ForeignTenant, NewTenant};

/// What the tenants that are here already have for themselves.
struct Taken {
    tenants: HashSet<TenantId>,
    slugs: HashSet<String>,
    domains: HashSet<String>,
}

impl Run<'_> {
    pub(super) async fn tenants(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::Tenant, rows);
        let mut foreign = self.foreign.tenants().await.map_err(ImportError::Foreign)?;
        let tops: Vec<_> = foreign.iter().filter(|tenant| tenant.id == tenant.parent).collect();
        let [top] = tops.as_slice() else {
            return Err(ImportError::NoTop);
        };
        let top = ForeignTenant::clone(top);
        let mut taken = self.top_tenant(&top).await?;
        foreign.retain(|tenant| tenant.id != top.id);
        let mut below: HashMap<String, Vec<ForeignTenant>> = HashMap::new();
        for tenant in foreign {
            below.entry(tenant.parent.clone()).or_default().push(tenant);
        }
        let mut next = vec![top.id];
        while let Some(parent) = next.pop() {
            for tenant in below.remove(&parent).into_iter().flatten() {
                let became = self.tenant(&tenant, &mut taken).await?;
                self.note(ImportKind::Tenant, &tenant.id, became);
                next.push(tenant.id);
            }
        }
        for tenant in below.into_values().flatten() {
            let reason = "no path leads from it to the top tenant";
            self.note(ImportKind::Tenant, &tenant.id, Outcome::skipped(reason));
        }
        Ok(())
    }

    /// Makes the two top tenants one.
    async fn top_tenant(&mut self, foreign: &ForeignTenant) -> Result<Taken, ImportError> {
        let id = TenantId(parse(&foreign.id).map_err(|_| ImportError::NoTop)?);
        let all_users = self.group_of_all(foreign);
        let refused = |source| ImportError::Top { id: id.0, source };
        let current = self.store().list_tenants().await.map_err(ImportError::Store)?;
        let current = TenantTree::new(&current).master().ok_or(ImportError::NoTop)?;
        self.top = (id, id);
        if current != id {
            self.report.top_tenant_adopted = true;
            if self.how.dry_run {
                self.top.1 = current;
            } else {
                self.store().adopt_top_tenant(id, all_users).await.map_err(refused)?;
            }
        }
        self.tenants.insert(id);
        self.note(ImportKind::Tenant, &foreign.id, Outcome::Present);
        let known = self.store().list_tenants().await.map_err(ImportError::Store)?;
        let mut taken = Taken {
            tenants: known.iter().map(|tenant| tenant.id).collect(),
            slugs: known.iter().map(|tenant| tenant.slug.clone()).collect(),
            domains: HashSet::new(),
        };
        taken.domains.extend(
            known
                .iter()
                .flat_map(|tenant| &tenant.domains)
                .map(|domain| login_key(domain)),
        );
        self.top_domains(foreign, &known, &mut taken).await?;
        Ok(taken)
    }

    /// The top tenant is there before the import; its domains may not be.
    async fn top_domains(
        &mut self,
        foreign: &ForeignTenant,
        known: &[Tenant],
        taken: &mut Taken,
    ) -> Result<(), ImportError> {
        let here = self.here(self.top.0);
        let Some(top) = known.iter().find(|tenant| tenant.id == here) else {
            return Ok(());
        };
        let mut top = top.clone();
        let mut is_new = false;
        for domain in &foreign.domains {
            if top.domains.iter().any(|known| login_key(known) == login_key(domain)) {
                self.report.note(ImportKind::Domain, domain, Outcome::Present);
            } else if taken.domains.insert(login_key(domain)) {
                self.report.note(ImportKind::Domain, domain, Outcome::Added);
                top.domains.push(domain.clone());
                is_new = true;
            } else {
                self.report.note(ImportKind::Domain, domain, domain_is_taken());
            }
        }
        if is_new && !self.how.dry_run {
            self.store().update_tenant(&top).await.map_err(ImportError::Store)?;
        }
        Ok(())
    }

    async fn tenant(&mut self, foreign: &ForeignTenant, taken: &mut Taken) -> Result<Outcome, ImportError> {
        let (id, parent) = match (parse(&foreign.id), self.known_tenant(&foreign.parent)) {
            (Ok(id), Ok(parent)) => (TenantId(id), parent),
            (Err(skipped), _) => return Ok(skipped),
            (Ok(_), Err(_)) => return Ok(Outcome::skipped("the tenant above it was not brought in")),
        };
        if taken.tenants.contains(&id) {
            self.tenants.insert(id);
            return Ok(Outcome::Present);
        }
        let Some(method) = AuthenticationMethod::parse(&foreign.authentication_method) else {
            return Ok(Outcome::skipped("its authentication method is unknown"));
        };
        let mut slug = foreign.slug.clone();
        if !taken.slugs.insert(slug.clone()) {
            slug = self
                .importer
                .random
                .uuid()
                .simple()
                .to_string()
                .split_off(32 - MAX_TENANT_SLUG);
        }
        let tenant = Tenant {
            id,
            parent: self.here(parent),
            name: foreign.name.clone(),
            realm: None,
            domains: self.free_domains(foreign, taken),
            slug,
            phone: foreign.phone.clone(),
            // Users come later.
            contact: None,
            address: foreign.address.clone(),
            authentication_method: method,
        };
        let new = NewTenant::of(tenant, self.group_of_all(foreign));
        let became = if self.how.dry_run {
            Outcome::Added
        } else {
            outcome(self.store().add_tenant(&new).await)?
        };
        if became == Outcome::Added {
            self.tenants.insert(id);
        }
        Ok(became)
    }

    /// A tenant goes without a domain rather than be left out with all its users.
    fn free_domains(&mut self, foreign: &ForeignTenant, taken: &mut Taken) -> Vec<String> {
        let mut free = Vec::new();
        for domain in &foreign.domains {
            if taken.domains.insert(login_key(domain)) {
                self.report.note(ImportKind::Domain, domain, Outcome::Added);
                free.push(domain.clone());
            } else {
                self.report.note(ImportKind::Domain, domain, domain_is_taken());
            }
        }
        free
    }

    fn group_of_all(&self, foreign: &ForeignTenant) -> GroupId {
        let known = foreign
            .all_users
            .as_deref()
            .and_then(|id| Uuid::try_parse(id.trim()).ok());
        GroupId(known.unwrap_or_else(|| self.importer.random.uuid()))
    }

    /// Whom to speak to, for the tenants that do not say so yet.
    pub(super) async fn contacts(&mut self) -> Result<(), ImportError> {
        if self.how.dry_run {
            return Ok(());
        }
        for foreign in self.foreign.tenants().await.map_err(ImportError::Foreign)? {
            let (Ok(id), Some(Ok(contact))) = (parse(&foreign.id), foreign.contact.as_deref().map(parse)) else {
                continue;
            };
            if !self.users.contains(&contact) {
                continue;
            }
            let known = self
                .store()
                .find_tenant(TenantId(id))
                .await
                .map_err(ImportError::Store)?;
            if let Some(tenant) = known.filter(|tenant| tenant.contact.is_none()) {
                let tenant = Tenant {
                    contact: Some(UserId(contact)),
                    ..tenant
                };
                self.store().update_tenant(&tenant).await.map_err(ImportError::Store)?;
            }
        }
        Ok(())
    }
}

fn domain_is_taken() -> Outcome {
    Outcome::skipped("another tenant has it here; its own tenant goes without it")
}
