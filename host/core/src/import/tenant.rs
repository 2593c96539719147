//! Tenants, from the top down.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{ImportError, ImportKind, Outcome, RenamedTenant, Run, outcome, parse};
use crate::model::{AuthenticationMethod, GroupId, MAX_TENANT_SLUG, Tenant, TenantId, TenantTree, UserId, login_key};
use crate::port::{ForeignTenant, NewTenant, StoreError};

/// What the tenants that are here already have for themselves.
struct Taken {
    tenants: HashMap<TenantId, Tenant>,
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
        let mut taken = Taken::by(known);
        if let Some(top) = taken.tenants.get(&self.top.1).cloned() {
            let [here, there] = [Some(top.authentication_method), method(foreign)].map(default_method);
            self.top_method = there.filter(|there| Some(*there) != here);
            self.missing_domains(top, foreign, &mut taken).await?;
        }
        Ok(taken)
    }

    async fn tenant(&mut self, foreign: &ForeignTenant, taken: &mut Taken) -> Result<Outcome, ImportError> {
        let (id, parent) = match (parse(&foreign.id), self.known_tenant(&foreign.parent)) {
            (Ok(id), Ok(parent)) => (TenantId(id), parent),
            (Err(skipped), _) => return Ok(skipped),
            (Ok(_), Err(_)) => return Ok(Outcome::skipped("the tenant above it was not brought in")),
        };
        if let Some(known) = taken.tenants.get(&id).cloned() {
            self.tenants.insert(id);
            self.missing_domains(known, foreign, taken).await?;
            return Ok(Outcome::Present);
        }
        let Some(method) = method(foreign) else {
            return Ok(Outcome::skipped("its authentication method is unknown"));
        };
        let is_slug_taken = taken.slugs.contains(&foreign.slug);
        let slug = if is_slug_taken {
            self.new_slug()
        } else {
            foreign.slug.clone()
        };
        let (free, refused) = taken.free_domains(foreign);
        let tenant = Tenant {
            id,
            parent: self.here(parent),
            name: foreign.name.clone(),
            realm: None,
            domains: free.clone(),
            slug: slug.clone(),
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
        if became != Outcome::Added {
            return Ok(became);
        }
        self.tenants.insert(id);
        self.fresh.insert(id.0);
        taken.slugs.insert(slug);
        if is_slug_taken {
            let (id, slug) = (foreign.id.clone(), foreign.slug.clone());
            self.report.renamed.push(RenamedTenant { id, slug });
        }
        // A tenant goes without a domain rather than be left out with all its users.
        self.note_domains(&free, &Outcome::Added, taken);
        self.note_domains(&refused, &domain_is_taken(), taken);
        Ok(became)
    }

    /// A tenant that is here keeps its domains, and gets those that it lacks.
    async fn missing_domains(
        &mut self,
        known: Tenant,
        foreign: &ForeignTenant,
        taken: &mut Taken,
    ) -> Result<(), ImportError> {
        let own: HashSet<_> = known.domains.iter().map(|domain| login_key(domain)).collect();
        let (free, refused) = taken.free_domains(foreign);
        let (present, refused): (Vec<_>, Vec<_>) =
            refused.into_iter().partition(|domain| own.contains(&login_key(domain)));
        let mut became = Outcome::Added;
        if !free.is_empty() && !self.how.dry_run {
            let mut tenant = known;
            tenant.domains.extend(free.iter().cloned());
            became = self.update(&tenant).await?;
        }
        self.note_domains(&present, &Outcome::Present, taken);
        self.note_domains(&free, &became, taken);
        self.note_domains(&refused, &domain_is_taken(), taken);
        Ok(())
    }

    fn note_domains(&mut self, domains: &[String], became: &Outcome, taken: &mut Taken) {
        for domain in domains {
            taken.domains.insert(login_key(domain));
            self.report.note(ImportKind::Domain, domain, became.clone());
        }
    }

    async fn update(&self, tenant: &Tenant) -> Result<Outcome, ImportError> {
        let updated = self.store().update_tenant(tenant).await;
        let gone = StoreError::Missing { what: "tenant" };
        outcome(updated.and_then(|is_here| is_here.then_some(()).ok_or(gone)))
    }

    fn new_slug(&self) -> String {
        let random = self.importer.random.uuid().simple().to_string();
        random.chars().take(MAX_TENANT_SLUG).collect()
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
        for foreign in self.foreign.tenants().await.map_err(ImportError::Foreign)? {
            let (Ok(id), Some(contact)) = (self.known_tenant(&foreign.id), foreign.contact.as_deref()) else {
                continue;
            };
            let became = self.contact(self.here(id), contact).await?;
            self.report.note(ImportKind::Contact, &foreign.id, became);
        }
        Ok(())
    }

    async fn contact(&self, tenant: TenantId, contact: &str) -> Result<Outcome, ImportError> {
        let contact = match parse(contact) {
            Ok(user) if self.users.contains_key(&user) => UserId(user),
            Ok(_) | Err(_) => return Ok(Outcome::skipped("the user was not brought in")),
        };
        let known = self.store().find_tenant(tenant).await.map_err(ImportError::Store)?;
        match known {
            Some(known) if known.contact.is_some() => Ok(Outcome::Present),
            _ if self.how.dry_run => Ok(Outcome::Added),
            Some(mut known) => {
                known.contact = Some(contact);
                self.update(&known).await
            }
            None => Ok(Outcome::skipped("its tenant is not here")),
        }
    }
}

impl Taken {
    fn by(known: Vec<Tenant>) -> Self {
        Self {
            slugs: known.iter().map(|tenant| tenant.slug.clone()).collect(),
            domains: known
                .iter()
                .flat_map(|tenant| &tenant.domains)
                .map(|domain| login_key(domain))
                .collect(),
            tenants: known.into_iter().map(|tenant| (tenant.id, tenant)).collect(),
        }
    }

    /// The domains that no tenant has, and those that some tenant has.
    fn free_domains(&self, foreign: &ForeignTenant) -> (Vec<String>, Vec<String>) {
        let mut own = HashSet::new();
        foreign.domains.iter().cloned().partition(|domain| {
            let key = login_key(domain);
            !self.domains.contains(&key) && own.insert(key)
        })
    }
}

fn method(foreign: &ForeignTenant) -> Option<AuthenticationMethod> {
    AuthenticationMethod::parse(&foreign.authentication_method)
}

/// What a tenant's method means for the users who have none of their own.
fn default_method(tenant: Option<AuthenticationMethod>) -> Option<AuthenticationMethod> {
    tenant.map(|tenant| AuthenticationMethod::Default.resolve(tenant))
}

fn domain_is_taken() -> Outcome {
    Outcome::skipped("another tenant has it here; its own tenant goes without it")
}
