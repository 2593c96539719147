//! What all lists have in common.

use super::Tables;
use crate::model::{Direction, Paged, Query, TenantId, TenantScope, TenantTree, login_key};

impl Tables {
    /// The part of these rows that a query asks for. `tenant_of` says whose a row is, `texts` what a search looks at, `key` what rows are
    /// ordered by.
    pub(super) fn page<'r, T: Clone + 'r, F, O, K: Ord>(
        &self,
        rows: impl Iterator<Item = &'r T>,
        query: &Query<F, O>,
        tenant_of: impl Fn(&T) -> TenantId,
        fits: impl Fn(&T) -> bool,
        texts: impl Fn(&T) -> Vec<String>,
        key: impl Fn(&T) -> K,
    ) -> Paged<T> {
        let tenants: Vec<_> = self.tenants.values().cloned().collect();
        let tree = TenantTree::new(&tenants);
        let in_scope = |row: &&T| match query.scope {
            TenantScope::All => true,
            TenantScope::Only(tenant) => tenant_of(row) == tenant,
            TenantScope::Subtree(top) => tree.is_within(tenant_of(row), top),
        };
        let all: Vec<&T> = rows.filter(in_scope).collect();
        let wanted = query.search.as_deref().map(login_key).unwrap_or_default();
        let found = |row: &&T| wanted.is_empty() || texts(row).iter().any(|text| login_key(text).contains(&wanted));
        let total = all.len() as u64;
        let mut rows: Vec<&T> = all.into_iter().filter(|row| fits(row)).filter(found).collect();
        rows.sort_by_key(|row| key(row));
        if query.direction == Direction::Descending {
            rows.reverse();
        }
        Paged {
            total,
            filtered: rows.len() as u64,
            items: rows
                .into_iter()
                .skip(query.page.offset as usize)
                .take(query.page.limit as usize)
                .cloned()
                .collect(),
        }
    }
}
