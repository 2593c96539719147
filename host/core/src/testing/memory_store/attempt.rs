//! Attempts to log in.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::model::{Paged, TenantId, Timestamp};
use crate::port::{Attempt, AttemptStore, NewAttempt, StoreError};

/// What was tried, by number.
#[derive(Default)]
pub(super) struct Attempts {
    rows: BTreeMap<i64, Attempt>,
    last: i64,
}

impl Attempts {
    /// Removes those of a tenant that is gone.
    pub(super) fn remove(&mut self, tenant: TenantId) {
        self.rows.retain(|_, row| row.attempt.tenant != tenant);
    }

    /// Gives each one's tenant another id, perhaps.
    pub(super) fn move_all(&mut self, moved: impl Fn(&mut TenantId)) {
        self.rows.values_mut().for_each(|row| moved(&mut row.attempt.tenant));
    }
}

#[async_trait]
impl AttemptStore for MemoryStore {
    async fn record_attempt(&self, attempt: &NewAttempt) -> Result<(), StoreError> {
        let mut tables = self.open("record an attempt")?;
        if !tables.tenants.contains_key(&attempt.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        let attempts = &mut tables.attempts;
        attempts.last += 1;
        let row = Attempt {
            id: attempts.last,
            attempt: attempt.clone(),
        };
        attempts.rows.insert(row.id, row);
        Ok(())
    }

    async fn list_attempts(
        &self,
        tenant: TenantId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<Attempt>, StoreError> {
        let tables = self.open("list attempts")?;
        let of_tenant = tables.attempts.rows.values();
        let of_tenant: Vec<_> = of_tenant.filter(|row| row.attempt.tenant == tenant).collect();
        let is_meant = |row: &&&Attempt| row.attempt.at >= since && row.attempt.at < until;
        let mut rows: Vec<_> = of_tenant.iter().filter(is_meant).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.attempt.at, row.id)));
        let page = rows.iter().skip(offset as usize).take(limit as usize);
        Ok(Paged {
            total: of_tenant.len() as u64,
            filtered: rows.len() as u64,
            items: page.map(|row| Attempt::clone(row)).collect(),
        })
    }

    async fn find_attempt(&self, tenant: TenantId, id: i64) -> Result<Option<Attempt>, StoreError> {
        let tables = self.open("find an attempt")?;
        let row = tables.attempts.rows.get(&id);
        Ok(row.filter(|row| row.attempt.tenant == tenant).cloned())
    }

    async fn sweep_attempts(&self, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
        let attempts = &mut self.open("sweep attempts")?.attempts;
        let old = attempts.rows.values().filter(|row| row.attempt.at < before);
        let swept: Vec<_> = old.map(|row| row.id).take(batch as usize).collect();
        for id in &swept {
            attempts.rows.remove(id);
        }
        Ok(swept.len() as u64)
    }
}
