//! What the configuration defines of the directory: policies, the groups of each tenant, the first user.

use std::sync::Arc;

use super::{ADMIN_POLICY, DirectoryError, DirectoryService, validate};
use crate::Secret;
use crate::model::{
    Group, GroupId, MAX_SLUG, Page, Policy, PolicyId, Purpose, Query, Tenant, TenantId, TenantScope, User, UserId,
};
use crate::port::{NewTenant, NewUser, ProvidedGroup, Provision, StoreError, Uniqueness, UserFilter, UserOrder};

/// A policy that the configuration defines. It belongs to the top tenant, and all others may use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvidedPolicy {
    /// Its name and its slug.
    pub slug: String,
    /// Access patterns.
    pub accesses: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// For one that nobody wrote into the configuration: what an operator is told whose top tenant has such a policy of its own. Nothing takes that over.
    /// `None` for one of the configuration, which does.
    pub unless_taken: Option<&'static str>,
}

/// The user that is made where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstUser {
    /// Its login.
    pub login: String,
    /// Its password.
    pub password: Secret<Vec<u8>>,
    /// What it is there for.
    pub purpose: Purpose,
    /// The slug of its policy, which the configuration defines; `admin` otherwise stands for the one that grants everything.
    pub policy: String,
}

/// What the configuration defines of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provisions {
    /// The policies.
    pub policies: Vec<ProvidedPolicy>,
    /// The slugs of those that all users of all tenants have.
    pub all_users: Vec<String>,
    /// The groups of each tenant.
    pub groups: Vec<ProvidedGroup>,
    /// The first user.
    pub first_user: Option<FirstUser>,
    /// Whether what is there already is made to fit. If not, only new tenants and an empty directory get something.
    pub update: bool,
}

impl ProvidedPolicy {
    /// Whether it is one that could be.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`].
    pub fn check(&self) -> Result<(), DirectoryError> {
        validate::slug(&self.slug, MAX_SLUG)?;
        self.description.as_deref().map_or(Ok(()), validate::description)?;
        validate::accesses(&self.accesses)
    }
}

impl FirstUser {
    /// Whether its login and its password are acceptable.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`].
    pub fn check(&self) -> Result<(), DirectoryError> {
        validate::login(&self.login)?;
        validate::password(&self.password)
    }
}

/// Whether a group's name and slug are acceptable.
///
/// # Errors
/// [`DirectoryError::Invalid`].
pub fn check_provided_group(group: &ProvidedGroup) -> Result<(), DirectoryError> {
    validate::group_name(&group.name)?;
    validate::slug(&group.slug, MAX_SLUG)
}

impl DirectoryService {
    /// Puts in place what the configuration defines, and keeps it for the tenants that are made later. Doing it again changes nothing, and several
    /// nodes may do it at once.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Invalid`] for `rights` where a policy of the top tenant's own is in the way: see
    /// [`ProvidedPolicy::unless_taken`].
    pub async fn prepare(&self, mut provisions: Provisions) -> Result<(), DirectoryError> {
        if provisions.update {
            self.refuse_taken(&provisions.policies).await?;
        }
        let first_user = provisions.first_user.take();
        let provisions = Arc::new(provisions);
        self.provisions.store(Arc::clone(&provisions));
        if provisions.update {
            let provision = self.provision(&provisions).await?;
            self.store.provide(&provision, Arc::clone(&self.random)).await?;
        }
        match first_user {
            Some(first) => self.add_first_user(&first).await,
            None => Ok(()),
        }
    }

    /// Refuses policies that nobody wrote into the configuration, where the top tenant has other ones of its own by their names.
    async fn refuse_taken(&self, policies: &[ProvidedPolicy]) -> Result<(), DirectoryError> {
        let master = self.tenants.master().await?;
        for provided in policies {
            let Some(rule) = provided.unless_taken else {
                continue;
            };
            let current = self.store.find_policy_by_slug(master, &provided.slug).await?;
            if current.is_some_and(|current| !current.managed && current.accesses != provided.accesses) {
                return Err(DirectoryError::Invalid { field: "rights", rule });
            }
        }
        Ok(())
    }

    /// A tenant to be made, with the policies and the groups that each tenant starts with.
    pub(super) async fn furnished(&self, tenant: Tenant) -> Result<NewTenant, StoreError> {
        let provisions = self.provisions.load();
        let mut all_users_policies = Vec::new();
        for slug in &provisions.all_users {
            all_users_policies.extend(self.managed_policy(slug).await?);
        }
        let mut groups = Vec::new();
        for wanted in &provisions.groups {
            let group = Group {
                id: GroupId(self.random.uuid()),
                tenant: tenant.id,
                name: wanted.name.clone(),
                slug: wanted.slug.clone(),
                system: false,
            };
            let mut policies = Vec::new();
            for slug in &wanted.policies {
                policies.extend(self.managed_policy(slug).await?);
            }
            groups.push((group, policies));
        }
        Ok(NewTenant {
            all_users_policies,
            groups,
            ..NewTenant::of(tenant, GroupId(self.random.uuid()))
        })
    }

    /// The policy of this slug, if the configuration defines it; one that it would define once it may update is none.
    async fn managed_policy(&self, slug: &str) -> Result<Option<PolicyId>, StoreError> {
        let master = self.tenants.master().await?;
        let policy = self.store.find_policy_by_slug(master, slug).await?;
        Ok(policy.filter(|policy| policy.managed).map(|policy| policy.id))
    }

    async fn provision(&self, provisions: &Provisions) -> Result<Provision, DirectoryError> {
        let master = self.tenants.master().await?;
        let policies = provisions.policies.iter().map(|policy| self.policy(master, policy));
        provisions.groups.iter().try_for_each(check_provided_group)?;
        Ok(Provision {
            policies: policies.collect::<Result<_, _>>()?,
            all_users: provisions.all_users.clone(),
            groups: provisions.groups.clone(),
        })
    }

    fn policy(&self, master: TenantId, provided: &ProvidedPolicy) -> Result<Policy, DirectoryError> {
        provided.check()?;
        Ok(Policy {
            slug: provided.slug.clone(),
            description: provided.description.clone(),
            shared: true,
            managed: true,
            ..Policy::new(
                PolicyId(self.random.uuid()),
                master,
                &provided.slug,
                provided.accesses.clone(),
            )
        })
    }

    /// Makes the first user in the top tenant, unless there is any user at all: one that was removed does not come back.
    async fn add_first_user(&self, first: &FirstUser) -> Result<(), DirectoryError> {
        let any = Query::<UserFilter, UserOrder> {
            page: Page { offset: 0, limit: 1 },
            ..Query::all(TenantScope::All)
        };
        if self.store.list_users(&any).await?.total > 0 {
            return Ok(());
        }
        first.check()?;
        let tenant = self.tenants.master().await?;
        let policy = match self.store.find_policy_by_slug(tenant, &first.policy).await? {
            Some(policy) => policy,
            None if first.policy == ADMIN_POLICY => self.ensure_admin_policy().await?,
            None => return Err(DirectoryError::not_found("policy", &first.policy)),
        };
        let password = self.hashed(tenant, &first.login, &first.password).await?;
        let id = UserId(self.random.uuid());
        let user = User {
            purpose: first.purpose,
            authentication_method: super::method_for(first.purpose),
            ..User::new(id, tenant, &first.login, self.clock.now())
        };
        let new = NewUser {
            unique: Uniqueness::Everywhere,
            policies: vec![policy.id],
            ..NewUser::of(user, Some(password))
        };
        match self.store.add_user(&new).await {
            // Another node was quicker.
            Err(StoreError::Conflict { .. }) => Ok(()),
            Ok(()) => {
                tracing::info!(login = first.login, "the first user was made");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
