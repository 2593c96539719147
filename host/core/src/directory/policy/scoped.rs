//! Policies of a tenant, as a caller of an API sees and changes them.
//!
//! A caller passes on only what it holds itself, and lifts only what does not bind it: see [`super::grant`].

use uuid::Uuid;

use super::grant;
use crate::access::AccessList;
use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{MAX_SLUG, Policy, PolicyId, TenantId, TenantScope, slug_of};
use crate::port::StoreError;

/// How often a change is tried while others change the same policy.
const ATTEMPTS: u32 = 16;

/// A policy to be made.
#[derive(Debug, Clone, Default)]
pub struct NewPolicy {
    /// 1 to 80 characters.
    pub name: String,
    /// Letters, digits, `_` and `-`; made of the name if absent.
    pub slug: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Access patterns.
    pub accesses: Vec<String>,
    /// Whether the tenants below may use it.
    pub shared: bool,
}

/// What replaces the present content of a policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyChange {
    /// 1 to 80 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Access patterns.
    pub accesses: Vec<String>,
}

/// What cannot be changed by whoever asks: the configuration's, or a tenant's above.
pub(super) fn protected(policy: &Policy) -> DirectoryError {
    DirectoryError::Protected {
        what: "policy",
        name: policy.id.to_string(),
    }
}

impl DirectoryService {
    /// The policy with this uuid that can be seen from these tenants: theirs, or the shared one of a tenant above. A slug is looked for only
    /// where it says which policy is meant: in the tenant that the scope names, then above it.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_policy_in(&self, selector: &str, scope: TenantScope) -> Result<Policy, DirectoryError> {
        let found = if let Some(id) = policy_id(selector) {
            match self.store.find_policy(id).await? {
                Some(policy) if self.is_visible(&policy, scope).await? => Some(policy),
                _ => None,
            }
        } else {
            let tenant = match scope {
                TenantScope::All => self.tenants.master().await?,
                TenantScope::Only(tenant) | TenantScope::Subtree(tenant) => tenant,
            };
            self.store.find_policy_by_slug(tenant, selector).await?
        };
        found.ok_or_else(|| DirectoryError::not_found("policy", selector))
    }

    /// Makes a policy. `held` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::AccessDenied`] for an access that the caller lacks.
    pub async fn create_policy(
        &self,
        tenant: TenantId,
        new: NewPolicy,
        held: &AccessList,
    ) -> Result<Policy, DirectoryError> {
        validate_content(&new.name, new.description.as_deref(), &new.accesses)?;
        new.slug
            .as_deref()
            .map_or(Ok(()), |slug| validate::slug(slug, MAX_SLUG))?;
        grant::may_change(held, &[], &new.accesses)?;
        let named = new.slug.is_some();
        let mut policy = Policy {
            id: PolicyId(self.random.uuid()),
            tenant,
            slug: new.slug.unwrap_or_else(|| slug_of(&new.name, MAX_SLUG)),
            name: new.name,
            description: new.description,
            accesses: new.accesses,
            shared: new.shared,
            managed: false,
        };
        match self.store.add_policy(&policy).await {
            // Two names may make one slug. Who chose none does not mind which one it is.
            Err(StoreError::Conflict { what: "policy slug" }) if !named => {
                let (start, end) = (slug_of(&policy.name, MAX_SLUG - 9), policy.id.0.simple().to_string());
                policy.slug = format!("{start}-{}", end.get(..8).unwrap_or_default());
                self.store.add_policy(&policy).await?;
            }
            outcome => outcome?,
        }
        Ok(policy)
    }

    /// Replaces the content of a policy. Its slug, and whether it is shared, stay.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Protected`]; [`DirectoryError::AccessDenied`] for an access that the caller lacks and the change
    /// adds or removes.
    pub async fn update_policy(
        &self,
        selector: &str,
        change: &PolicyChange,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<Policy, DirectoryError> {
        validate_content(&change.name, change.description.as_deref(), &change.accesses)?;
        let edit = |current: &Policy| {
            grant::may_change(held, &current.accesses, &change.accesses)?;
            Ok(Policy {
                name: change.name.clone(),
                description: change.description.clone(),
                accesses: change.accesses.clone(),
                ..current.clone()
            })
        };
        self.edit_policy(selector, scope, edit).await
    }

    /// Adds an access at the end of a policy.
    ///
    /// # Errors
    /// As [`DirectoryService::update_policy`]; [`StoreError::Conflict`] on `policy access` if it is there already.
    pub async fn add_policy_access(
        &self,
        selector: &str,
        access: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<Policy, DirectoryError> {
        let edit = |current: &Policy| {
            let (mut next, mut others) = (current.clone(), current.accesses.clone());
            next.accesses.push(access.to_owned());
            validate::accesses(&next.accesses)?;
            others.retain(|known| known != access);
            grant::may_change(held, &others, &next.accesses)?;
            if current.accesses.iter().any(|known| known == access) {
                return Err(StoreError::Conflict { what: "policy access" }.into());
            }
            Ok(next)
        };
        self.edit_policy(selector, scope, edit).await
    }

    /// Removes an access from a policy; one that is not there is no error.
    ///
    /// # Errors
    /// As [`DirectoryService::update_policy`].
    pub async fn remove_policy_access(
        &self,
        selector: &str,
        access: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<Policy, DirectoryError> {
        let edit = |current: &Policy| {
            let (mut next, mut others) = (current.clone(), current.accesses.clone());
            next.accesses.retain(|known| known != access);
            others.push(access.to_owned());
            grant::may_change(held, &others, &next.accesses)?;
            Ok(next)
        };
        self.edit_policy(selector, scope, edit).await
    }

    /// Removes a policy and its attachments.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Protected`]; [`DirectoryError::AccessDenied`] if it denies what the caller lacks.
    pub async fn delete_policy(
        &self,
        selector: &str,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<Policy, DirectoryError> {
        let policy = self.get_own_policy(selector, scope).await?;
        grant::may_take(held, &policy)?;
        if self.store.remove_policy(policy.id).await? {
            Ok(policy)
        } else {
            Err(DirectoryError::not_found("policy", selector))
        }
    }

    /// Changes a policy as `edit` says of its present content, which is asked again when somebody else was quicker.
    async fn edit_policy(
        &self,
        selector: &str,
        scope: TenantScope,
        edit: impl Fn(&Policy) -> Result<Policy, DirectoryError> + Sync,
    ) -> Result<Policy, DirectoryError> {
        for _ in 0..ATTEMPTS {
            let current = self.get_own_policy(selector, scope).await?;
            let next = edit(&current)?;
            if self.store.replace_policy(&current, &next).await? {
                return Ok(next);
            }
        }
        Err(DirectoryError::Store(StoreError::Unavailable {
            action: "change a policy",
            source: "others change it all the time".into(),
        }))
    }

    /// A policy that may be changed from these tenants.
    async fn get_own_policy(&self, selector: &str, scope: TenantScope) -> Result<Policy, DirectoryError> {
        let policy = self.get_policy_in(selector, scope).await?;
        if policy.managed || !self.is_in_scope(policy.tenant, scope).await? {
            return Err(protected(&policy));
        }
        Ok(policy)
    }

    async fn is_visible(&self, policy: &Policy, scope: TenantScope) -> Result<bool, DirectoryError> {
        if self.is_in_scope(policy.tenant, scope).await? {
            return Ok(true);
        }
        Ok(match scope {
            TenantScope::All => true,
            TenantScope::Only(viewer) | TenantScope::Subtree(viewer) => {
                policy.shared && self.tenants.tree().await?.is_within(viewer, policy.tenant)
            }
        })
    }
}

/// An id only in the form with hyphens: anything else may be a slug.
fn policy_id(selector: &str) -> Option<PolicyId> {
    let hyphenated = selector.len() == 36;
    hyphenated
        .then(|| Uuid::try_parse(selector).ok().map(PolicyId))
        .flatten()
}

fn validate_content(name: &str, description: Option<&str>, accesses: &[String]) -> Result<(), DirectoryError> {
    validate::policy_name(name)?;
    description.map_or(Ok(()), validate::description)?;
    validate::accesses(accesses)
}
