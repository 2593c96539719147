//! All accounts, for questions about who has which name and who is above whom. A value: whoever holds one decides when it is out of date.

use std::collections::HashMap;
use std::sync::Arc;

use super::AccountKeys;
use crate::Secret;
use crate::model::{Account, Closed, Tenant, TenantId, TenantTree, Timestamp, account_key, login_key, phone_key};
use crate::port::StoreError;

/// How many accounts of one name are looked at.
pub const MAX_SAME_NAME: usize = 8;

/// All accounts. A tenant of which nobody said anything is one too: see [`Account::of`].
pub struct AccountIndex {
    tree: Arc<TenantTree>,
    master: TenantId,
    accounts: HashMap<TenantId, (Tenant, Account)>,
    children: HashMap<TenantId, Vec<TenantId>>,
    phones: HashMap<String, TenantId>,
    realms: HashMap<String, TenantId>,
    names: HashMap<String, Vec<TenantId>>,
    /// By [`AccountKeys::place`].
    api_keys: HashMap<[u8; 32], TenantId>,
    keys: Arc<AccountKeys>,
}

impl AccountIndex {
    /// `tree` is of these tenants, which are in the order in which they took their names.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] if there is no top tenant.
    pub(super) fn new(
        tree: Arc<TenantTree>,
        tenants: Vec<Tenant>,
        accounts: Vec<Account>,
        keys: Arc<AccountKeys>,
    ) -> Result<Self, StoreError> {
        let master = tenants.iter().find(|tenant| tenant.parent == tenant.id);
        let master = master.ok_or_else(|| StoreError::Inconsistent {
            what: "there is no top tenant".to_owned(),
        })?;
        let mut index = Self {
            tree,
            master: master.id,
            accounts: HashMap::with_capacity(tenants.len()),
            children: HashMap::new(),
            phones: HashMap::new(),
            realms: HashMap::new(),
            names: HashMap::new(),
            api_keys: HashMap::new(),
            keys,
        };
        // A realm comes before a domain of the same name.
        for tenant in &tenants {
            index
                .realms
                .extend(tenant.realm.as_deref().map(|realm| (login_key(realm), tenant.id)));
        }
        let mut said: HashMap<_, _> = accounts.into_iter().map(|account| (account.tenant, account)).collect();
        for tenant in tenants {
            let account = said.remove(&tenant.id).unwrap_or_else(|| Account::of(tenant.id));
            index.add(tenant, account);
        }
        let accounts = &index.accounts;
        let name = |id: &TenantId| accounts.get(id).and_then(|(tenant, _)| tenant.name.clone());
        for children in index.children.values_mut() {
            children.sort_by_cached_key(|id| (name(id).unwrap_or_default(), *id));
        }
        Ok(index)
    }

    fn add(&mut self, tenant: Tenant, account: Account) {
        let id = tenant.id;
        if tenant.parent != id {
            self.children.entry(tenant.parent).or_default().push(id);
        }
        for domain in &tenant.domains {
            self.realms.entry(login_key(domain)).or_insert(id);
        }
        let name = account_key(tenant.name.as_deref().unwrap_or_default());
        if !name.is_empty() {
            self.names.entry(name).or_default().push(id);
        }
        let numbers = account.phone_numbers.iter().filter_map(|number| phone_key(number));
        self.phones.extend(numbers.map(|number| (number, id)));
        if account.api_key > 0 {
            let place = self.keys.place(self.keys.key(id, account.api_key).expose());
            self.api_keys.extend(place.map(|place| (place, id)));
        }
        self.accounts.insert(id, (tenant, account));
    }

    pub(super) fn is_over(&self, tree: &Arc<TenantTree>) -> bool {
        Arc::ptr_eq(&self.tree, tree)
    }

    /// The top account.
    pub fn master(&self) -> TenantId {
        self.master
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Never, since there is a top account.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The account with this id.
    pub fn get(&self, id: TenantId) -> Option<(&Tenant, &Account)> {
        self.accounts.get(&id).map(|(tenant, account)| (tenant, account))
    }

    /// The account of this phone number, compared by [`phone_key`].
    pub fn find_by_phone(&self, number: &str) -> Option<TenantId> {
        self.phones.get(&phone_key(number)?).copied()
    }

    /// The account of this realm, else of this domain name, without regard to case.
    pub fn find_by_realm(&self, realm: &str) -> Option<TenantId> {
        self.realms.get(&login_key(realm)).copied()
    }

    /// The accounts of this name, compared by [`account_key`]: at the most [`MAX_SAME_NAME`] of them, those that had it first. Whoever takes a name later
    /// does not get in front of them.
    pub fn find_by_name(&self, name: &str) -> &[TenantId] {
        let found = self.names.get(&account_key(name)).map_or(&[][..], Vec::as_slice);
        found.get(..MAX_SAME_NAME).unwrap_or(found)
    }

    /// The account of this API key, 64 hexadecimal digits in lower case.
    pub fn find_by_api_key(&self, key: &str) -> Option<TenantId> {
        let id = *self.api_keys.get(&self.keys.place(key)?)?;
        let (_, account) = self.accounts.get(&id)?;
        (self.keys.key(id, account.api_key) == Secret::new(key.to_owned())).then_some(id)
    }

    /// The accounts above this one, the top one first; none for one that is unknown.
    pub fn ancestors(&self, id: TenantId) -> Vec<TenantId> {
        let mut found = Vec::new();
        let mut at = id;
        while let Some((tenant, _)) = self.accounts.get(&at) {
            // A circle, which no store should hold, has an end here.
            if tenant.parent == at || tenant.parent == id || found.len() > self.accounts.len() {
                break;
            }
            at = tenant.parent;
            found.push(at);
        }
        found.reverse();
        found
    }

    /// Why this account is closed at this time, by what is said of it and of those above it; `None` if it is not, and for one that is unknown.
    pub fn closed(&self, id: TenantId, now: Timestamp) -> Option<Closed> {
        let lineage = [id].into_iter().chain(self.ancestors(id).into_iter().rev());
        let lineage = lineage.filter_map(|id| self.accounts.get(&id));
        Account::closed_among(lineage.map(|(_, account)| account), now)
    }

    /// The accounts right below this one, in the order of their names, then ids.
    pub fn children(&self, id: TenantId) -> Vec<TenantId> {
        self.children.get(&id).cloned().unwrap_or_default()
    }

    /// All accounts below this one, each before those below it.
    pub fn descendants(&self, id: TenantId) -> Vec<TenantId> {
        let mut found = Vec::new();
        let below = |id: &TenantId| self.children.get(id).into_iter().flatten().rev().copied();
        let mut open: Vec<_> = below(&id).collect();
        while let Some(next) = open.pop() {
            if found.len() > self.accounts.len() {
                break;
            }
            found.push(next);
            open.extend(below(&next));
        }
        found
    }

    /// The reseller of an account: the nearest one above it that resells, else the top one. `None` for the top account and an unknown one.
    pub fn reseller_of(&self, id: TenantId) -> Option<TenantId> {
        let ancestors = self.ancestors(id);
        let resells = |id: &&TenantId| self.accounts.get(id).is_some_and(|(_, account)| account.reseller);
        ancestors.iter().rev().find(resells).or(ancestors.first()).copied()
    }

    /// Whether `id` is `ancestor` or lies below it.
    pub fn is_within(&self, id: TenantId, ancestor: TenantId) -> bool {
        self.tree.is_within(id, ancestor)
    }
}
