//! The audit.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, pattern};
use crate::model::{Paged, Timestamp};
use crate::port::{
    AuditCount, AuditEntry, AuditFilter, AuditStore, Clock as _, NewAuditEntry, StoreError, SystemClock,
};

/// What was written, by number.
#[derive(Default)]
pub(super) struct Audit {
    entries: BTreeMap<i64, AuditEntry>,
    last: i64,
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn record_audit(&self, entry: &NewAuditEntry) -> Result<(), StoreError> {
        let audit = &mut self.open("write to the audit")?.audit;
        audit.last += 1;
        let entry = AuditEntry {
            id: audit.last,
            at: SystemClock.now(),
            entry: entry.clone(),
        };
        audit.entries.insert(entry.id, entry);
        Ok(())
    }

    async fn list_audit(
        &self,
        filter: &AuditFilter,
        ascending: bool,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<AuditEntry>, StoreError> {
        let audit = &self.open("list the audit")?.audit;
        let mut rows: Vec<_> = audit.entries.values().filter(|entry| is_meant(entry, filter)).collect();
        if !ascending {
            rows.reverse();
        }
        Ok(Paged {
            total: audit.entries.len() as u64,
            filtered: rows.len() as u64,
            items: rows
                .into_iter()
                .skip(offset as usize)
                .take(limit as usize)
                .cloned()
                .collect(),
        })
    }

    async fn count_audit(&self, count: &AuditCount<'_>) -> Result<u64, StoreError> {
        let audit = &self.open("count in the audit")?.audit;
        let since = SystemClock.now().minus(count.within);
        let counted = audit.entries.values().filter(|AuditEntry { at, entry, .. }| {
            *at >= since
                && count.actions.contains(&entry.action.as_str())
                && entry.user == count.user
                && entry.realm == count.realm
                && entry.authentication == count.authentication
        });
        Ok(counted.count() as u64)
    }

    async fn sweep_audit(&self, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
        let audit = &mut self.open("sweep the audit")?.audit;
        let old = audit.entries.values().filter(|entry| entry.at < before);
        let swept: Vec<_> = old.map(|entry| entry.id).take(batch as usize).collect();
        for id in &swept {
            audit.entries.remove(id);
        }
        Ok(swept.len() as u64)
    }
}

fn is_meant(AuditEntry { at, entry, .. }: &AuditEntry, filter: &AuditFilter) -> bool {
    let fits =
        |(column, wanted): &(String, String)| column_of(entry, column).is_some_and(|text| pattern::fits(wanted, text));
    filter.success.is_none_or(|success| entry.success == success)
        && filter.since.is_none_or(|since| *at >= since)
        && filter.patterns.iter().all(fits)
}

fn column_of<'e>(entry: &'e NewAuditEntry, name: &str) -> Option<&'e str> {
    Some(match name {
        "action" => &entry.action,
        "authentication" => &entry.authentication,
        "user" => &entry.user,
        "realm" => &entry.realm,
        "resolver" => &entry.resolver,
        "administrator" => &entry.administrator,
        "serial" => &entry.serial,
        "token_type" => &entry.token_type,
        "policies" => &entry.policies,
        "info" => &entry.info,
        "client" => &entry.client,
        "user_agent" => &entry.user_agent,
        "request_id" => &entry.request_id,
        _ => return None,
    })
}
