//! Tenants.

use std::sync::Arc;

use super::{DirectoryError, DirectoryService, validate};
use crate::model::{
    AuthenticationMethod, MAX_TENANT_SLUG, Paged, PostalAddress, Query, Tenant, TenantId, TenantScope, UserId,
    login_key, tenant_slug_of,
};
use crate::port::{Revoked, Store, StoreError, TenantFilter, TenantMove, TenantOrder};
use crate::token::to_the_end;

/// How many slugs are tried for a tenant that comes without one.
const SLUG_ATTEMPTS: usize = 4;

/// What can be changed of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantProfile {
    /// 1 to 128 characters, none of them a control character. Others may have the same one.
    pub name: Option<String>,
    /// 1 to 32 characters.
    pub phone: Option<String>,
    /// The user to speak to, in any tenant.
    pub contact: Option<UserId>,
    /// Where it is.
    pub address: PostalAddress,
    /// The domain names that stand for it, which no other tenant has.
    pub domains: Vec<String>,
    /// How its users prove who they are; not `default`.
    pub authentication_method: AuthenticationMethod,
}

impl Default for TenantProfile {
    fn default() -> Self {
        Self {
            name: None,
            phone: None,
            contact: None,
            address: PostalAddress::default(),
            domains: Vec::new(),
            authentication_method: AuthenticationMethod::Native,
        }
    }
}

impl From<&Tenant> for TenantProfile {
    fn from(tenant: &Tenant) -> Self {
        Self {
            name: tenant.name.clone(),
            phone: tenant.phone.clone(),
            contact: tenant.contact,
            address: tenant.address.clone(),
            domains: tenant.domains.clone(),
            authentication_method: tenant.authentication_method,
        }
    }
}

/// A tenant to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddTenant {
    /// Its id; a random one if absent.
    pub id: Option<TenantId>,
    /// The tenant above it.
    pub parent: TenantId,
    /// 1 to 10 ASCII letters, digits and underscores; made of the name if absent.
    pub slug: Option<String>,
    /// The SIP realm that stands for it.
    pub realm: Option<String>,
    /// The rest.
    pub profile: TenantProfile,
}

impl DirectoryService {
    /// Adds a tenant below `parent` (id, domain, realm or name; the top tenant if absent). Its name must not be a sibling's: whoever names
    /// tenants by name wants to tell them apart.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_tenant(
        &self,
        name: &str,
        parent: Option<&str>,
        realm: Option<&str>,
        domains: &[String],
    ) -> Result<Tenant, DirectoryError> {
        let parent = self.tenant_or_master(parent).await?;
        let is_sibling =
            |known: &Tenant| known.parent == parent && known.name.as_deref().map(login_key) == Some(login_key(name));
        if self.store.list_tenants().await?.iter().any(is_sibling) {
            return Err(StoreError::Conflict { what: "tenant name" }.into());
        }
        let profile = TenantProfile {
            name: Some(name.to_owned()),
            domains: domains.to_vec(),
            ..TenantProfile::default()
        };
        let new = AddTenant {
            id: None,
            parent,
            slug: None,
            realm: realm.map(str::to_owned),
            profile,
        };
        self.create_tenant(new).await
    }

    /// Adds a tenant with the groups that each tenant starts with.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn create_tenant(&self, new: AddTenant) -> Result<Tenant, DirectoryError> {
        check_profile(&new.profile)?;
        new.slug.as_deref().map_or(Ok(()), validate::tenant_slug)?;
        new.realm
            .as_deref()
            .map_or(Ok(()), |realm| validate::domain("realm", realm))?;
        let contact = new.profile.contact;
        let made = Tenant {
            realm: new.realm,
            ..new.profile.of(
                new.id.unwrap_or_else(|| TenantId(self.random.uuid())),
                new.parent,
                new.slug.clone().unwrap_or_default(),
            )
        };
        let added = match new.slug {
            Some(_) => self.insert_tenant(made).await,
            None => self.insert_with_a_slug(made).await,
        };
        added.map_err(|error| missing(error, contact, new.parent))
    }

    /// Tries the slug that the name makes, then others.
    async fn insert_with_a_slug(&self, tenant: Tenant) -> Result<Tenant, StoreError> {
        let mut slug = tenant_slug_of(tenant.name.as_deref().unwrap_or_default());
        let mut attempts = 1;
        loop {
            if slug.is_empty() {
                slug = self.random.uuid().simple().to_string().split_off(32 - MAX_TENANT_SLUG);
            }
            let made = Tenant {
                slug: slug.clone(),
                ..tenant.clone()
            };
            match self.insert_tenant(made).await {
                Err(StoreError::Conflict { what: "tenant slug" }) if attempts < SLUG_ATTEMPTS => slug.clear(),
                outcome => return outcome,
            }
            attempts += 1;
        }
    }

    async fn insert_tenant(&self, tenant: Tenant) -> Result<Tenant, StoreError> {
        let new = self.furnished(tenant.clone()).await?;
        self.changing("add a tenant", move |store| async move { store.add_tenant(&new).await })
            .await?;
        Ok(tenant)
    }

    /// All tenants, ordered by name, then id.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, DirectoryError> {
        let mut tenants = self.store.list_tenants().await?;
        tenants.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(tenants)
    }

    /// Tenants. A scope holds the tenants that it names.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_tenants_in(
        &self,
        query: &Query<TenantFilter, TenantOrder>,
    ) -> Result<Paged<Tenant>, DirectoryError> {
        Ok(self.store.list_tenants_in(query).await?)
    }

    /// The tenant with this id, if it is one of these.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_tenant(&self, id: TenantId, scope: TenantScope) -> Result<Tenant, DirectoryError> {
        if self.is_in_scope(id, scope).await?
            && let Some(tenant) = self.store.find_tenant(id).await?
        {
            return Ok(tenant);
        }
        Err(DirectoryError::not_found("tenant", &id.to_string()))
    }

    /// Puts a profile in the place of the tenant's own. Its realm and its slug stay.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn update_tenant(
        &self,
        id: TenantId,
        profile: TenantProfile,
        scope: TenantScope,
    ) -> Result<Tenant, DirectoryError> {
        check_profile(&profile)?;
        let current = self.get_tenant(id, scope).await?;
        self.replace_tenant(current, profile).await
    }

    /// As [`DirectoryService::update_tenant`], with another realm, or with none.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`StoreError::Conflict`] on `tenant realm`.
    pub async fn update_tenant_and_realm(
        &self,
        id: TenantId,
        profile: TenantProfile,
        realm: Option<String>,
        scope: TenantScope,
    ) -> Result<Tenant, DirectoryError> {
        realm
            .as_deref()
            .map_or(Ok(()), |realm| validate::domain("realm", realm))?;
        check_profile(&profile)?;
        let current = self.get_tenant(id, scope).await?;
        self.replace_tenant(Tenant { realm, ..current }, profile).await
    }

    async fn replace_tenant(&self, current: Tenant, profile: TenantProfile) -> Result<Tenant, DirectoryError> {
        let (id, contact) = (current.id, profile.contact);
        let updated = Tenant {
            realm: current.realm,
            ..profile.of(id, current.parent, current.slug)
        };
        let written = updated.clone();
        let outcome = self
            .changing("update a tenant", move |store| async move {
                store.update_tenant(&written).await
            })
            .await;
        if outcome.map_err(|error| missing(error, contact, id))? {
            Ok(updated)
        } else {
            Err(DirectoryError::not_found("tenant", &id.to_string()))
        }
    }

    /// Puts a tenant, and all that is below it, below another one. Both must be among `scope`. What an account above it closes is closed from here on.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`]; [`DirectoryError::Invalid`] for the top tenant, and for a parent that is the tenant itself or lies below it.
    pub async fn move_tenant(&self, id: TenantId, parent: TenantId, scope: TenantScope) -> Result<(), DirectoryError> {
        for tenant in [id, parent] {
            self.get_tenant(tenant, scope).await?;
        }
        let (at, cache) = (self.clock.now(), Arc::clone(&self.cache));
        let moved = self
            .changing("move a tenant", move |store| async move {
                let moved = store.move_tenant(id, parent, at).await;
                match &moved {
                    Ok(TenantMove::Moved(revoked)) => cache.forget(revoked),
                    Ok(TenantMove::Unknown | TenantMove::Circular) | Err(StoreError::Missing { .. }) => {}
                    // Whether a store that failed has written is not known, so the cache must not answer in its place.
                    Err(_) => cache.forget_all(),
                }
                moved
            })
            .await;
        match moved.map_err(|error| missing(error, None, parent))? {
            TenantMove::Moved(_) => Ok(()),
            TenantMove::Unknown => Err(DirectoryError::not_found("tenant", &id.to_string())),
            TenantMove::Circular => Err(DirectoryError::Invalid {
                field: "parent",
                rule: "a tenant other than itself and those below it; the top tenant has no other parent",
            }),
        }
    }

    /// Removes a tenant that owns nothing.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove_tenant(&self, selector: &str) -> Result<Tenant, DirectoryError> {
        let id = self.tenant_or_master(Some(selector)).await?;
        let tenant = self.get_tenant(id, TenantScope::All).await?;
        if tenant.parent == tenant.id {
            return Err(DirectoryError::Invalid {
                field: "tenant",
                rule: "the top tenant cannot be removed",
            });
        }
        let removed = self
            .changing(
                "remove a tenant",
                move |store| async move { store.remove_tenant(id).await },
            )
            .await?;
        if removed {
            Ok(tenant)
        } else {
            Err(DirectoryError::not_found("tenant", selector))
        }
    }

    /// Removes a tenant below `own` and all that it owns: users, groups, policies, sessions and the like.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`] outside `own`; [`DirectoryError::Protected`] for `own` itself and the top tenant; [`StoreError::InUse`] while
    /// there are tenants below it.
    pub async fn remove_whole_tenant(&self, id: TenantId, own: TenantId) -> Result<(), DirectoryError> {
        let tenant = self.get_tenant(id, TenantScope::Subtree(own)).await?;
        if tenant.id == own || tenant.parent == tenant.id {
            return Err(DirectoryError::Protected {
                what: "tenant",
                name: id.to_string(),
            });
        }
        let tenants = Arc::clone(&self.tenants);
        let removed = self.revoking("remove a tenant", move |store| async move {
            let outcome = store.remove_whole_tenant(id).await;
            tenants.invalidate();
            outcome
        });
        match removed.await? {
            Some(Revoked { .. }) => Ok(()),
            None => Err(DirectoryError::not_found("tenant", &id.to_string())),
        }
    }

    /// Runs a change of the tenants, and forgets the tree, to the end even if the caller hangs up. The tree is forgotten also where the store
    /// failed, since it may have written.
    async fn changing<T, F>(
        &self,
        action: &'static str,
        change: impl FnOnce(Arc<dyn Store>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (store, tenants) = (Arc::clone(&self.store), Arc::clone(&self.tenants));
        to_the_end(action, async move {
            let result = change(store).await;
            tenants.invalidate();
            result
        })
        .await
    }
}

impl TenantProfile {
    fn of(self, id: TenantId, parent: TenantId, slug: String) -> Tenant {
        Tenant {
            id,
            parent,
            name: self.name,
            realm: None,
            domains: self.domains,
            slug,
            phone: self.phone,
            contact: self.contact,
            address: self.address,
            authentication_method: self.authentication_method,
        }
    }
}

fn check_profile(profile: &TenantProfile) -> Result<(), DirectoryError> {
    let address = &profile.address;
    profile.name.as_deref().map_or(Ok(()), validate::tenant_name)?;
    validate::tenant_line("phone", profile.phone.as_deref(), 32)?;
    validate::tenant_line("line_1", address.line_1.as_deref(), 256)?;
    validate::tenant_line("line_2", address.line_2.as_deref(), 256)?;
    validate::tenant_line("city", address.city.as_deref(), 128)?;
    validate::tenant_line("state", address.state.as_deref(), 128)?;
    validate::tenant_line("country", address.country.as_deref(), 128)?;
    validate::tenant_line("zip_code", address.zip_code.as_deref(), 16)?;
    for domain in &profile.domains {
        validate::domain("domain", domain)?;
    }
    if profile.authentication_method == AuthenticationMethod::Default {
        return Err(DirectoryError::Invalid {
            field: "authentication method",
            rule: "one that a tenant can have",
        });
    }
    Ok(())
}

/// What a tenant refers to and is not there, by its id.
fn missing(error: StoreError, contact: Option<UserId>, parent: TenantId) -> DirectoryError {
    match (error, contact) {
        (StoreError::Missing { what: "user" }, Some(user)) => DirectoryError::not_found("user", &user.to_string()),
        (StoreError::Missing { what: "tenant" }, _) => DirectoryError::not_found("tenant", &parent.to_string()),
        (error, _) => error.into(),
    }
}
