//! Accounts and profiles.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{Account, Closed, Profile, Session, TenantId, Timestamp, UserId, phone_key};
use crate::port::{AccountStore, RevokeTarget, Revoked, StoreError};

#[async_trait]
impl AccountStore for MemoryStore {
    async fn find_account(&self, tenant: TenantId) -> Result<Option<Account>, StoreError> {
        Ok(self.open("find an account")?.accounts.get(&tenant).cloned())
    }

    async fn list_accounts(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self.open("list accounts")?.accounts.values().cloned().collect())
    }

    async fn put_account(&self, account: &Account, at: Timestamp) -> Result<Revoked, StoreError> {
        let mut tables = self.open("put an account")?;
        if !tables.tenants.contains_key(&account.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        let others = tables.accounts.values().filter(|known| known.tenant != account.tenant);
        let mut taken: Vec<_> = others
            .flat_map(|known| &known.phone_numbers)
            .map(|number| number_key(number))
            .collect();
        for number in &account.phone_numbers {
            let key = number_key(number);
            if taken.contains(&key) {
                return Err(StoreError::Conflict { what: "phone number" });
            }
            taken.push(key);
        }
        let counted = tables.accounts.get(&account.tenant).map_or(0, |known| known.api_key);
        let written = Account {
            api_key: account.api_key.max(counted),
            ..account.clone()
        };
        tables.accounts.insert(account.tenant, written);
        Ok(match account.closed(at) {
            Some(_) => tables.revoke(&RevokeTarget::Tenant(account.tenant), at),
            None => Revoked::default(),
        })
    }

    async fn find_profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        Ok(self.open("find a profile")?.profiles.get(&user).cloned())
    }

    async fn list_profiles(&self, users: &[UserId]) -> Result<Vec<Profile>, StoreError> {
        let tables = self.open("list profiles")?;
        let profiles = tables.profiles.values();
        Ok(profiles
            .filter(|profile| users.contains(&profile.user))
            .cloned()
            .collect())
    }

    async fn put_profile(&self, profile: &Profile) -> Result<(), StoreError> {
        let mut tables = self.open("put a profile")?;
        if !tables.users.contains_key(&profile.user) {
            return Err(StoreError::Missing { what: "user" });
        }
        tables.profiles.insert(profile.user, profile.clone());
        Ok(())
    }
}

impl Tables {
    /// The tenants whose accounts must be open for this session: its own, and that of its directory user.
    pub(super) fn tenants_of(&self, session: &Session) -> [TenantId; 2] {
        let own = session.identity.tenant;
        let user = session.identity.user.and_then(|id| self.users.get(&id));
        [own, user.map_or(own, |(user, _)| user.tenant)]
    }

    /// Why nobody of these tenants may log in, as far as that is so.
    pub(super) fn closed(&self, tenants: [TenantId; 2], at: Timestamp) -> Option<Closed> {
        let mut accounts = tenants.into_iter().filter_map(|tenant| self.accounts.get(&tenant));
        accounts.find_map(|account| account.closed(at))
    }
}

/// Texts without a digit stand for themselves.
fn number_key(number: &str) -> String {
    phone_key(number).unwrap_or_else(|| number.to_owned())
}
