//! Users and identities.

use async_trait::async_trait;

use super::MemoryStore;
use crate::model::{BackendName, IdentityId, Page, Paged, TenantId, Timestamp, User, UserId, login_key};
use crate::port::{DirectoryStore, NewUser, RevokeTarget, Revoked, StoreError, StoredVerifier};

#[async_trait]
impl DirectoryStore for MemoryStore {
    async fn add_user(&self, user: &NewUser) -> Result<(), StoreError> {
        let mut tables = self.open("add a user")?;
        let new = &user.user;
        if !tables.tenants.contains_key(&new.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        for (known, _) in tables.users.values().filter(|(known, _)| known.tenant == new.tenant) {
            if login_key(&known.login) == login_key(&new.login) {
                return Err(StoreError::Conflict { what: "login" });
            }
            if keys(known).any(|key| keys(new).any(|other| other == key)) {
                return Err(StoreError::Conflict { what: "email" });
            }
        }
        tables.users.insert(new.id, (new.clone(), user.verifier.clone()));
        Ok(())
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.open("find a user")?.users.get(&id).map(|(user, _)| user.clone()))
    }

    async fn find_users_by_login(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.find(tenant, |user| login_key(&user.login) == key)
    }

    async fn find_users_by_email(&self, key: &str, tenant: Option<TenantId>) -> Result<Vec<User>, StoreError> {
        self.find(tenant, |user| {
            user.emails
                .iter()
                .any(|email| email.confirmed && login_key(&email.address) == key)
        })
    }

    async fn list_users(&self, tenant: Option<TenantId>, page: Page) -> Result<Paged<User>, StoreError> {
        let tables = self.open("list users")?;
        let mut users: Vec<_> = tables.users.values().map(|(user, _)| user.clone()).collect();
        users.retain(|user| tenant.is_none_or(|tenant| user.tenant == tenant));
        users.sort_by_key(|user| (login_key(&user.login), user.id));
        Ok(Paged {
            total: users.len() as u64,
            items: users
                .into_iter()
                .skip(page.offset as usize)
                .take(page.limit as usize)
                .collect(),
        })
    }

    async fn remove_user(&self, id: UserId) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("remove a user")?;
        if tables.users.remove(&id).is_none() {
            return Ok(None);
        }
        tables.attachments.retain(|(_, identity)| *identity != id.into());
        Ok(Some(tables.remove(&RevokeTarget::Identity(id.into()))))
    }

    async fn find_verifier(&self, id: UserId) -> Result<Option<StoredVerifier>, StoreError> {
        let tables = self.open("find a verifier")?;
        Ok(tables.users.get(&id).and_then(|(_, verifier)| verifier.clone()))
    }

    async fn set_verifier(
        &self,
        id: UserId,
        verifier: &StoredVerifier,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("set a verifier")?;
        let Some((_, current)) = tables.users.get_mut(&id) else {
            return Ok(None);
        };
        *current = Some(verifier.clone());
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
}

impl MemoryStore {
    fn find(&self, tenant: Option<TenantId>, wanted: impl Fn(&User) -> bool) -> Result<Vec<User>, StoreError> {
        let tables = self.open("find users")?;
        let users = tables.users.values().map(|(user, _)| user);
        let fits = |user: &&User| tenant.is_none_or(|tenant| user.tenant == tenant) && wanted(user);
        Ok(users.filter(fits).take(2).cloned().collect())
    }
}

fn keys(user: &User) -> impl Iterator<Item = String> {
    user.emails.iter().map(|email| login_key(&email.address))
}
