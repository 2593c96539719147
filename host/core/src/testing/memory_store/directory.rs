//! Users and identities.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{
    AuthenticationMethod, BackendName, DigestAlgorithm, Group, IdentityId, Paged, PolicyId, Query, TenantId, Timestamp,
    User, UserId, login_key,
};
use crate::port::{
    DirectoryStore, EmailChange, NewPassword, NewUser, RevokeTarget, Revoked, StoreError, StoredDigest, StoredVerifier,
    Uniqueness, UserChange, UserFilter, UserOrder,
};

#[async_trait]
impl DirectoryStore for MemoryStore {
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError> {
        let mut tables = self.open("add a user")?;
        let new = &user.user;
        if !tables.tenants.contains_key(&new.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        if user.policies.iter().any(|policy| !tables.policies.contains_key(policy)) {
            return Err(StoreError::Missing { what: "policy" });
        }
        let identity = IdentityId::from(new.id);
        if tables.users.contains_key(&new.id) || tables.identities.values().any(|known| *known == identity) {
            return Err(StoreError::Conflict { what: "user id" });
        }
        tables.check_free("login", key_of(new).as_slice(), new, user.unique)?;
        tables.check_free("email", &keys(new), new, user.unique)?;
        let verifier = user.password.as_ref().map(|password| password.verifier.clone());
        tables.users.insert(new.id, (new.clone(), verifier));
        let digests = user.password.iter().flat_map(|password| password.digests.clone());
        tables.digests.insert(new.id, digests.collect());
        tables.attachments.retain(|(_, known)| *known != identity);
        tables.remove_factors(|owner| owner.identity == identity);
        tables
            .attachments
            .extend(user.policies.iter().map(|policy| (*policy, identity)));
        let system = |group: &&Group| group.system && group.tenant == new.tenant;
        let group = tables.groups.values().find(system).map(|group| group.id);
        tables.members.extend(group.map(|group| (group, new.id)));
        if user.chosen_id {
            tables.revoke(&RevokeTarget::Identity(identity), new.created_at);
        }
        Ok(())
    }

    async fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        unique: Uniqueness,
        at: Timestamp,
    ) -> Result<Option<(User, Revoked)>, StoreError> {
        let mut tables = self.open("change a user")?;
        let Some(current) = tables.users.get(&id).map(|(user, _)| user.clone()) else {
            return Ok(None);
        };
        let UserChange {
            login,
            firstname,
            lastname,
            purpose,
            authentication_method,
            enabled,
        } = change.clone();
        let user = User {
            login,
            firstname,
            lastname,
            purpose: purpose.unwrap_or(current.purpose),
            authentication_method: authentication_method.unwrap_or(current.authentication_method),
            enabled: enabled.unwrap_or(current.enabled),
            ..current.clone()
        };
        if key_of(&user) != key_of(&current) {
            tables.check_free("login", key_of(&user).as_slice(), &user, unique)?;
        }
        tables.replace(&user);
        let mut revoked = Revoked::default();
        if current.enabled && !user.enabled {
            revoked = tables.revoke(&RevokeTarget::Identity(id.into()), at);
        }
        Ok(Some((user, revoked)))
    }

    async fn set_emails(
        &self,
        id: UserId,
        emails: &[EmailChange],
        unique: Uniqueness,
    ) -> Result<Option<User>, StoreError> {
        let mut tables = self.open("set a user's addresses")?;
        let Some(current) = tables.users.get(&id).map(|(user, _)| user.clone()) else {
            return Ok(None);
        };
        let known = |address: &str| {
            let mut emails = current.emails.iter();
            emails.find(|email| login_key(&email.address) == login_key(address))
        };
        let new: Vec<String> = emails
            .iter()
            .filter(|email| known(&email.address).is_none())
            .map(|email| login_key(&email.address))
            .collect();
        tables.check_free("email", &new, &current, unique)?;
        let emails = emails.iter().map(|email| email.clone().apply(known(&email.address)));
        let user = User {
            emails: emails.collect(),
            ..current.clone()
        };
        tables.replace(&user);
        Ok(Some(user))
    }

    async fn set_authentication_method(
        &self,
        users: &[UserId],
        method: AuthenticationMethod,
        instead_of: Option<AuthenticationMethod>,
    ) -> Result<(), StoreError> {
        let mut tables = self.open("set an authentication method")?;
        for id in users {
            if let Some((user, _)) = tables.users.get_mut(id)
                && instead_of.is_none_or(|current| user.authentication_method == current)
            {
                user.authentication_method = method;
            }
        }
        Ok(())
    }

    async fn find_authentication_method(&self, id: UserId) -> Result<Option<AuthenticationMethod>, StoreError> {
        Ok(self.open("find an authentication method")?.method_of(id))
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.open("find a user")?.users.get(&id).map(|(user, _)| user.clone()))
    }

    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.find(tenant, |user| key_of(user).as_deref() == Some(key))
    }

    async fn find_users_by_email(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.find(tenant, |user| {
            user.emails
                .iter()
                .any(|email| email.confirmed && login_key(&email.address) == key)
        })
    }

    async fn list_users(&self, query: &Query<UserFilter, UserOrder>) -> Result<Paged<User>, StoreError> {
        let tables = self.open("list users")?;
        let users: Vec<User> = tables.users.values().map(|(user, _)| user.clone()).collect();
        let key = |user: &User| {
            let text = match query.order {
                UserOrder::Login => &user.login,
                UserOrder::Firstname => &user.firstname,
                UserOrder::Lastname => &user.lastname,
            };
            (text.as_deref().map(login_key).unwrap_or_default(), user.id)
        };
        let texts = |user: &User| {
            let addresses = user.emails.iter().map(|email| email.address.clone());
            let names = user.login.iter().chain(&user.firstname).chain(&user.lastname).cloned();
            names.chain(addresses).collect()
        };
        let fits = |user: &User| tables.fits(user, &query.filter);
        let counted = |user: &&User| {
            let group = query.filter.group;
            group.is_none_or(|group| tables.members.contains(&(group, user.id)))
        };
        let users = users.iter().filter(counted);
        Ok(tables.page(users, query, |user| user.tenant, fits, texts, key))
    }

    async fn remove_user(&self, id: UserId) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("remove a user")?;
        if tables.users.remove(&id).is_none() {
            return Ok(None);
        }
        tables.attachments.retain(|(_, identity)| *identity != id.into());
        tables.remove_factors(|owner| owner.identity == id.into());
        tables.members.retain(|(_, user)| *user != id);
        tables.digests.remove(&id);
        tables.profiles.remove(&id);
        Ok(Some(tables.remove(&RevokeTarget::Identity(id.into()))))
    }

    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError> {
        let tables = self.open("find a verifier")?;
        if tables.method_of(id) != Some(AuthenticationMethod::Native) {
            return Ok(None);
        }
        Ok(tables.users.get(&id).and_then(|(_, verifier)| verifier.clone()))
    }

    async fn set_verifier(
        &self,
        id: UserId,
        password: &NewPassword,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("set a verifier")?;
        let Some((_, current)) = tables.users.get_mut(&id) else {
            return Ok(None);
        };
        *current = Some(password.verifier.clone());
        tables.digests.insert(id, password.digests.clone());
        Ok(Some(tables.revoke(&RevokeTarget::Identity(id.into()), at)))
    }

    async fn change_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        password: &NewPassword,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("change a verifier")?;
        let stored = tables.users.get_mut(&id).and_then(|(_, stored)| stored.as_mut());
        let Some(stored) = stored.filter(|stored| *stored == current) else {
            return Ok(None);
        };
        *stored = password.verifier.clone();
        tables.digests.insert(id, password.digests.clone());
        Ok(Some(tables.revoke(&RevokeTarget::Identity(id.into()), at)))
    }

    async fn renew_verifier(
        &self,
        id: UserId,
        current: &StoredVerifier,
        renewed: &StoredVerifier,
    ) -> Result<bool, StoreError> {
        let mut tables = self.open("renew a verifier")?;
        let stored = tables.users.get_mut(&id).and_then(|(_, verifier)| verifier.as_mut());
        let Some(verifier) = stored.filter(|verifier| *verifier == current) else {
            return Ok(false);
        };
        *verifier = renewed.clone();
        Ok(true)
    }

    async fn put_digests(
        &self,
        id: UserId,
        current: &StoredVerifier,
        login: &str,
        digests: &[StoredDigest],
    ) -> Result<bool, StoreError> {
        let mut tables = self.open("put digests")?;
        let is_same = tables.users.get(&id).is_some_and(|(user, verifier)| {
            verifier.as_ref() == Some(current) && login_key(&user.name()) == login_key(login)
        });
        if is_same {
            tables.digests.insert(id, digests.to_vec());
        }
        Ok(is_same)
    }

    async fn list_digest_costs(&self, tenant: TenantId, algorithm: DigestAlgorithm) -> Result<Vec<String>, StoreError> {
        let tables = self.open("list what digests cost")?;
        let digests = tables.digests_in(tenant).map(|(_, digest)| digest);
        let costs = digests.filter(|digest| digest.algorithm == algorithm);
        let costs: BTreeSet<_> = costs.map(|digest| digest.cost.clone()).collect();
        Ok(costs.into_iter().collect())
    }

    async fn find_digests(&self, id: UserId) -> Result<Vec<StoredDigest>, StoreError> {
        Ok(self.open("find digests")?.digests.get(&id).cloned().unwrap_or_default())
    }

    async fn find_users_by_digest(&self, tenant: TenantId, digest: &StoredDigest) -> Result<Vec<User>, StoreError> {
        let tables = self.open("find users by a digest")?;
        let fits = |(user, known): &(&User, &StoredDigest)| {
            *known == digest && tables.method_of(user.id) == Some(AuthenticationMethod::Native)
        };
        let users = tables.digests_in(tenant).filter(fits);
        let mut users: Vec<_> = users.map(|(user, _)| user.clone()).collect();
        users.sort_by_key(|user| (user.created_at, user.id));
        users.truncate(2);
        Ok(users)
    }

    async fn resolve_identity(
        &self,
        backend: &BackendName,
        subject: &str,
        fresh: IdentityId,
        _at: Timestamp,
    ) -> Result<IdentityId, StoreError> {
        let mut tables = self.open("resolve an identity")?;
        let key = (backend.clone(), subject.to_owned());
        Ok(*tables.identities.entry(key).or_insert(fresh))
    }

    async fn find_subject(&self, id: IdentityId) -> Result<Option<String>, StoreError> {
        let tables = self.open("find a subject")?;
        let mut known = tables.identities.iter();
        Ok(known
            .find(|(_, known)| **known == id)
            .map(|((_, subject), _)| subject.clone()))
    }
}

impl MemoryStore {
    fn find(&self, tenant: Option<TenantId>, wanted: impl Fn(&User) -> bool) -> Result<Vec<User>, StoreError> {
        let tables = self.open("find users")?;
        let users = tables.users.values().map(|(user, _)| user);
        let fits = |user: &&User| tenant.is_none_or(|tenant| user.tenant == tenant) && wanted(user);
        let mut found: Vec<User> = users.filter(fits).cloned().collect();
        found.sort_by_key(|user| (user.created_at, user.id));
        found.truncate(2);
        Ok(found)
    }
}

impl Tables {
    /// # Errors
    /// [`StoreError::Conflict`] on `what` if somebody else has one of these, as a login or as an address.
    fn check_free(
        &self,
        what: &'static str,
        names: &[String],
        owner: &User,
        unique: Uniqueness,
    ) -> Result<(), StoreError> {
        let counts = |user: &&User| {
            unique == Uniqueness::Everywhere || user.tenant == owner.tenant || user.created_at > owner.created_at
        };
        let others = self.users.values().map(|(user, _)| user);
        let others = others.filter(|user| user.id != owner.id).filter(counts);
        let mut taken = others.flat_map(|user| key_of(user).into_iter().chain(keys(user)));
        if taken.any(|name| names.contains(&name)) {
            return Err(StoreError::Conflict { what });
        }
        Ok(())
    }

    /// The digests of a tenant's users.
    fn digests_in(&self, tenant: TenantId) -> impl Iterator<Item = (&User, &StoredDigest)> {
        let users = self.users.values().map(|(user, _)| user);
        let users = users.filter(move |user| user.tenant == tenant);
        users.flat_map(|user| {
            let digests = self.digests.get(&user.id).into_iter().flatten();
            digests.map(move |digest| (user, digest))
        })
    }

    /// Digests are made of what the user is called, too.
    fn replace(&mut self, user: &User) {
        let current = self.users.get(&user.id).map(|(user, _)| login_key(&user.name()));
        if current != Some(login_key(&user.name())) {
            self.digests.remove(&user.id);
        }
        if let Some((current, _)) = self.users.get_mut(&user.id) {
            current.clone_from(user);
        }
    }

    /// How a user proves who it is in its tenant.
    fn method_of(&self, id: UserId) -> Option<AuthenticationMethod> {
        let (user, _) = self.users.get(&id)?;
        let tenant = self.tenants.get(&user.tenant)?;
        Some(user.authentication_method.resolve(tenant.authentication_method))
    }

    fn fits(&self, user: &User, filter: &UserFilter) -> bool {
        let own = |policy: &PolicyId| self.attachments.contains(&(*policy, user.id.into()));
        let of_group = |policy: &PolicyId| {
            let mut groups = self.group_policies.iter().filter(|(_, attached)| attached == policy);
            groups.any(|(group, _)| self.members.contains(&(*group, user.id)))
        };
        let named = |slug: &str| -> Vec<PolicyId> {
            let policies = self.policies.values().filter(|policy| policy.slug == slug);
            policies.map(|policy| policy.id).collect()
        };
        filter.id.is_none_or(|id| user.id == id)
            && filter
                .login
                .as_ref()
                .is_none_or(|login| user.login.as_ref() == Some(login))
            && filter
                .firstname
                .as_ref()
                .is_none_or(|name| user.firstname.as_ref() == Some(name))
            && filter
                .lastname
                .as_ref()
                .is_none_or(|name| user.lastname.as_ref() == Some(name))
            && filter.purpose.is_none_or(|purpose| user.purpose == purpose)
            && filter
                .email
                .as_ref()
                .is_none_or(|address| user.emails.iter().any(|email| email.address == *address))
            && filter
                .group
                .is_none_or(|group| self.members.contains(&(group, user.id)))
            && filter.policy.as_ref().is_none_or(own)
            && filter
                .policy_slug
                .as_ref()
                .is_none_or(|slug| named(slug).iter().any(own))
            && filter.has_policy.as_ref().is_none_or(|id| own(id) || of_group(id))
            && filter
                .has_policy_slug
                .as_ref()
                .is_none_or(|slug| named(slug).iter().any(|id| own(id) || of_group(id)))
    }
}

fn key_of(user: &User) -> Option<String> {
    user.login.as_deref().map(login_key)
}

fn keys(user: &User) -> Vec<String> {
    user.emails.iter().map(|email| login_key(&email.address)).collect()
}
