//! Second factors.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{
    Factor, FactorId, FactorKind, FactorOwner, FactorState, IdentityId, Paged, TenantId, Timestamp, login_key,
};
use crate::port::{
    FactorChange, FactorFilter, FactorOrder, FactorQuery, FactorStore, NewFactor, OtpUse, StoreError, StoredFactor,
};

/// A factor and the digests of its codes that are left.
type Row = (StoredFactor, HashSet<[u8; 32]>);

/// All factors.
#[derive(Default)]
pub(super) struct Factors(HashMap<FactorId, Row>);

impl Tables {
    fn factor(&mut self, id: FactorId) -> Option<&mut Row> {
        self.factors.0.get_mut(&id)
    }

    fn by_serial(&self, serial: &str) -> Option<&StoredFactor> {
        let mut rows = self.factors.0.values().map(|(stored, _)| stored);
        rows.find(|stored| stored.factor.serial.eq_ignore_ascii_case(serial))
    }

    fn check_owner(&self, owner: Option<&FactorOwner>) -> Result<(), StoreError> {
        if owner.is_some_and(|owner| !self.tenants.contains_key(&owner.tenant)) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        Ok(())
    }

    /// Whether somebody has a factor in this tenant.
    pub(super) fn has_factors(&self, tenant: TenantId) -> bool {
        let mut owners = self
            .factors
            .0
            .values()
            .filter_map(|(stored, _)| stored.factor.owner.as_ref());
        owners.any(|owner| owner.tenant == tenant)
    }

    /// Removes the factors of owners who are gone.
    pub(super) fn remove_factors(&mut self, is_gone: impl Fn(&FactorOwner) -> bool) {
        self.factors
            .0
            .retain(|_, (stored, _)| !stored.factor.owner.as_ref().is_some_and(&is_gone));
    }

    /// Gives each owner's tenant another id, perhaps.
    pub(super) fn move_factors(&mut self, moved: impl Fn(&mut TenantId)) {
        let factors = self.factors.0.values_mut();
        factors
            .filter_map(|(stored, _)| stored.factor.owner.as_mut())
            .for_each(|owner| moved(&mut owner.tenant));
    }
}

#[async_trait]
impl FactorStore for MemoryStore {
    async fn add_factor(&self, new: &NewFactor) -> Result<(), StoreError> {
        let mut tables = self.open("add a factor")?;
        let factor = &new.stored.factor;
        if tables.by_serial(&factor.serial).is_some() {
            return Err(StoreError::Conflict { what: "serial" });
        }
        tables.check_owner(factor.owner.as_ref())?;
        let row = (new.stored.clone(), new.codes.iter().copied().collect());
        tables.factors.0.insert(factor.id, row);
        Ok(())
    }

    async fn find_factor(&self, serial: &str) -> Result<Option<StoredFactor>, StoreError> {
        Ok(self.open("find a factor")?.by_serial(serial).cloned())
    }

    async fn active_factors(&self, owner: IdentityId) -> Result<Vec<StoredFactor>, StoreError> {
        let tables = self.open("find somebody's factors")?;
        let rows = tables.factors.0.values().map(|(stored, _)| stored);
        let mut active: Vec<_> = rows
            .filter(|stored| stored.factor.state == FactorState::Active)
            .filter(|stored| stored.factor.owner.as_ref().map(|owner| owner.identity) == Some(owner))
            .cloned()
            .collect();
        active.sort_by(|one, other| by_serial(&one.factor, &other.factor));
        Ok(active)
    }

    async fn otp_lengths(&self) -> Result<Vec<u8>, StoreError> {
        let tables = self.open("find the lengths of one-time passwords")?;
        let rows = tables.factors.0.values().map(|(stored, _)| &stored.factor);
        let asked = rows.filter(|factor| factor.state == FactorState::Active && factor.owner.is_some());
        let asked = asked.filter(|factor| factor.kind != FactorKind::Recovery);
        let lengths: BTreeSet<_> = asked.map(|factor| factor.parameters.digits).collect();
        Ok(lengths.into_iter().collect())
    }

    async fn list_factors(&self, query: &FactorQuery) -> Result<Paged<Factor>, StoreError> {
        let tables = self.open("list factors")?;
        let all: Vec<_> = tables.factors.0.values().map(|(stored, _)| &stored.factor).collect();
        let total = all.len() as u64;
        let mut rows: Vec<_> = all
            .into_iter()
            .filter(|factor| is_meant(factor, &query.filter))
            .collect();
        rows.sort_by(|one, other| by(query.order, one, other).then_with(|| by_serial(one, other)));
        if query.descending {
            rows.reverse();
        }
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(Paged {
            total,
            filtered: rows.len() as u64,
            items: rows
                .into_iter()
                .skip(query.offset as usize)
                .take(limit)
                .cloned()
                .collect(),
        })
    }

    async fn change_factor(&self, id: FactorId, change: &FactorChange) -> Result<bool, StoreError> {
        let mut tables = self.open("change a factor")?;
        tables.check_owner(change.owner.as_ref().and_then(Option::as_ref))?;
        let Some((StoredFactor { factor, .. }, _)) = tables.factor(id) else {
            return Ok(false);
        };
        let owner = factor.owner.as_ref().map(|owner| owner.identity);
        if change.only_in.is_some_and(|state| state != factor.state) || change.only_of.is_some_and(|of| of != owner) {
            return Ok(false);
        }
        replace(&mut factor.state, change.state.as_ref());
        replace(&mut factor.owner, change.owner.as_ref());
        replace(&mut factor.pin, change.pin.as_ref());
        replace(&mut factor.failures, change.failures.as_ref());
        replace(&mut factor.max_failures, change.max_failures.as_ref());
        replace(&mut factor.window, change.window.as_ref());
        replace(&mut factor.sync_window, change.sync_window.as_ref());
        replace(&mut factor.description, change.description.as_ref());
        replace(&mut factor.attributes, change.attributes.as_ref());
        Ok(true)
    }

    async fn remove_factor(&self, id: FactorId) -> Result<bool, StoreError> {
        Ok(self.open("remove a factor")?.factors.0.remove(&id).is_some())
    }

    async fn use_otp(&self, used: &OtpUse) -> Result<bool, StoreError> {
        let mut tables = self.open("use a one-time password up")?;
        let Some((StoredFactor { factor, .. }, _)) = tables.factor(used.factor) else {
            return Ok(false);
        };
        if factor.state != used.state || failed_too_often(factor) || factor.counter > used.counter {
            return Ok(false);
        }
        factor.counter = used.counter + 1;
        factor.drift = used.drift;
        factor.state = used.becomes;
        factor.failures = 0;
        factor.last_used_at = Some(used.at);
        Ok(true)
    }

    async fn use_code(&self, factor: FactorId, code: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.open("use a recovery code up")?;
        let Some((StoredFactor { factor, .. }, codes)) = tables.factor(factor) else {
            return Ok(false);
        };
        if factor.state != FactorState::Active || failed_too_often(factor) || !codes.remove(code) {
            return Ok(false);
        }
        factor.failures = 0;
        factor.last_used_at = Some(at);
        Ok(true)
    }

    async fn count_codes(&self, factor: FactorId) -> Result<u32, StoreError> {
        let mut tables = self.open("count recovery codes")?;
        let left = tables.factor(factor).map_or(0, |(_, codes)| codes.len());
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }

    async fn begin_attempts(&self, factors: &[FactorId]) -> Result<Vec<FactorId>, StoreError> {
        let mut tables = self.open("count attempts")?;
        let mut begun = Vec::new();
        for id in factors.iter().copied().collect::<BTreeSet<_>>() {
            if let Some((StoredFactor { factor, .. }, _)) = tables.factor(id)
                && !factor.is_locked()
            {
                factor.failures += 1;
                begun.push(id);
            }
        }
        Ok(begun)
    }

    async fn take_back_attempts(&self, factors: &[FactorId]) -> Result<(), StoreError> {
        let mut tables = self.open("take attempts back")?;
        for id in factors.iter().copied().collect::<BTreeSet<_>>() {
            if let Some((stored, _)) = tables.factor(id) {
                stored.factor.failures = stored.factor.failures.saturating_sub(1);
            }
        }
        Ok(())
    }
}

/// Whether it has more failures than it may have, an attempt that is under way included.
fn failed_too_often(factor: &Factor) -> bool {
    factor.failures > factor.max_failures
}

fn replace<T: Clone>(what: &mut T, with: Option<&T>) {
    if let Some(with) = with {
        what.clone_from(with);
    }
}

fn is_meant(factor: &Factor, filter: &FactorFilter) -> bool {
    let owner = factor.owner.as_ref();
    let fits = |pattern: &Option<String>, text: Option<&str>| {
        pattern
            .as_deref()
            .is_none_or(|pattern| super::pattern::fits(pattern, text.unwrap_or_default()))
    };
    filter
        .owner
        .is_none_or(|wanted| owner.map(|owner| owner.identity) == Some(wanted))
        && filter.assigned.is_none_or(|assigned| owner.is_some() == assigned)
        && filter.kind.is_none_or(|kind| factor.kind == kind)
        && filter.state.is_none_or(|state| factor.state == state)
        && fits(&filter.serial, Some(&factor.serial))
        && fits(&filter.login, owner.map(|owner| owner.login.as_str()))
        && fits(&filter.realm, owner.map(|owner| owner.realm.as_str()))
        && fits(&filter.resolver, owner.map(|owner| owner.resolver.as_str()))
        && fits(&filter.description, Some(&factor.description))
}

fn by_serial(one: &Factor, other: &Factor) -> Ordering {
    login_key(&one.serial).cmp(&login_key(&other.serial))
}

fn by(order: FactorOrder, one: &Factor, other: &Factor) -> Ordering {
    let of = |factor: &Factor, text: fn(&FactorOwner) -> &str| {
        login_key(factor.owner.as_ref().map(text).unwrap_or_default())
    };
    match order {
        FactorOrder::Serial => Ordering::Equal,
        FactorOrder::Kind => one.kind.as_str().cmp(other.kind.as_str()),
        FactorOrder::Login => of(one, |owner| &owner.login).cmp(&of(other, |owner| &owner.login)),
        FactorOrder::Realm => of(one, |owner| &owner.realm).cmp(&of(other, |owner| &owner.realm)),
        FactorOrder::Description => login_key(&one.description).cmp(&login_key(&other.description)),
        FactorOrder::Failures => one.failures.cmp(&other.failures),
        FactorOrder::CreatedAt => one.created_at.cmp(&other.created_at),
    }
}
