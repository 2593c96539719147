//! Accounts and profiles.

use std::collections::HashSet;

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{Account, Profile, Session, TenantId, Timestamp, UserId, phone_key};
use crate::port::{AccountStore, RevokeTarget, Revoked, StoreError};

impl MemoryStore {
    /// Puts an account in the place of whatever is there.
    ///
    /// # Errors
    /// As [`AccountStore::put_account`].
    pub async fn set_account(&self, account: &Account, at: Timestamp) -> Result<Revoked, StoreError> {
        let before = self.find_account(account.tenant).await?;
        let before = before.unwrap_or_else(|| Account::of(account.tenant));
        let put = self.put_account(&before, account, at).await?;
        Ok(put.unwrap_or_default())
    }
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn find_account(&self, tenant: TenantId) -> Result<Option<Account>, StoreError> {
        Ok(self.open("find an account")?.accounts.get(&tenant).cloned())
    }

    async fn list_accounts(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self.open("list accounts")?.accounts.values().cloned().collect())
    }

    async fn put_account(
        &self,
        before: &Account,
        account: &Account,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("put an account")?;
        if !tables.tenants.contains_key(&account.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        if tables.account(account.tenant) != *before {
            return Ok(None);
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
        tables.accounts.insert(account.tenant, account.clone());
        Ok(Some(tables.confine(account.tenant, at)))
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

    async fn put_profile(&self, before: &Profile, profile: &Profile) -> Result<bool, StoreError> {
        let mut tables = self.open("put a profile")?;
        if !tables.users.contains_key(&profile.user) {
            return Err(StoreError::Missing { what: "user" });
        }
        let current = tables.profiles.get(&profile.user).cloned();
        let is_current = current.unwrap_or_else(|| Profile::of(profile.user)) == *before;
        if is_current {
            tables.profiles.insert(profile.user, profile.clone());
        }
        Ok(is_current)
    }
}

impl Tables {
    /// The tenants whose accounts must be open for this session: its own, and that of its directory user.
    pub(super) fn tenants_of(&self, session: &Session) -> [TenantId; 2] {
        let own = session.identity.tenant;
        let user = session.identity.user.and_then(|id| self.users.get(&id));
        [own, user.map_or(own, |(user, _)| user.tenant)]
    }

    fn account(&self, tenant: TenantId) -> Account {
        let known = self.accounts.get(&tenant).cloned();
        known.unwrap_or_else(|| Account::of(tenant))
    }

    /// The accounts of a tenant and of those above it, the nearest first.
    pub(super) fn lineage(&self, tenant: TenantId) -> Vec<Account> {
        let mut found = vec![self.account(tenant)];
        let mut at = tenant;
        while let Some(above) = self.tenants.get(&at).filter(|known| known.parent != at) {
            at = above.parent;
            found.push(self.account(at));
        }
        found
    }

    /// Does to what those of a tenant and of those below it hold what its account and those above it say: ends it where one is closed, and cuts it to the
    /// earliest end of a trial.
    pub(super) fn confine(&mut self, tenant: TenantId, at: Timestamp) -> Revoked {
        let lineage = self.lineage(tenant);
        let all: Vec<_> = self.tenants.keys().copied().collect();
        let is_below = |id: &TenantId| self.lineage(*id).iter().any(|account| account.tenant == tenant);
        let below: HashSet<_> = all.into_iter().filter(is_below).collect();
        let mut revoked = Revoked::default();
        if Account::closed_among(&lineage, at).is_some() {
            for id in below {
                let ended = self.revoke(&RevokeTarget::Tenant(id), at);
                revoked.sessions.extend(ended.sessions);
                revoked.tokens.extend(ended.tokens);
            }
        } else if let Some(end) = Account::trial_end_among(&lineage) {
            let is_of = |session: &&Session| self.tenants_of(session).iter().any(|id| below.contains(id));
            let mut cut: HashSet<_> = self.sessions.values().filter(is_of).map(|session| session.id).collect();
            let acted = self.sessions.values().filter(|session| {
                let actor = session.actor.as_ref();
                actor.is_some_and(|actor| cut.contains(&actor.session))
            });
            let acted: Vec<_> = acted.map(|session| session.id).collect();
            cut.extend(acted);
            for token in self.tokens.values_mut() {
                if token.expires_at > end && cut.contains(&token.session) {
                    token.expires_at = end;
                    revoked.tokens.push(token.digest);
                }
            }
        }
        revoked
    }
}

/// Texts without a digit stand for themselves.
fn number_key(number: &str) -> String {
    phone_key(number).unwrap_or_else(|| number.to_owned())
}
