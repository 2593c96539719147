//! Parts of lists: how many rows, in which order, of which tenants.

use super::TenantId;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows to leave out at the start.
    pub offset: u32,
    /// How many rows at the most.
    pub limit: u32,
}

impl Page {
    /// The whole list.
    pub const ALL: Self = Self {
        offset: 0,
        limit: u32::MAX,
    };
}

impl Default for Page {
    fn default() -> Self {
        Self { offset: 0, limit: 1000 }
    }
}

/// Whose rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantScope {
    /// Everybody's.
    All,
    /// This tenant's.
    Only(TenantId),
    /// This tenant's and those of all tenants below it.
    Subtree(TenantId),
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The smallest first.
    #[default]
    Ascending,
    /// The largest first.
    Descending,
}

/// What part of a list is wanted, where `F` holds the list's own filters and `O` names what it can be ordered by. Rows that compare equal
/// come in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<F, O> {
    /// Whose rows. `total` counts these.
    pub scope: TenantScope,
    /// Only rows with these values.
    pub filter: F,
    /// Only rows that hold this text, without regard to case, in one of the columns that the list names.
    pub search: Option<String>,
    /// What comes first.
    pub order: O,
    /// Which way.
    pub direction: Direction,
    /// Which rows of those.
    pub page: Page,
}

impl<F: Default, O: Default> Query<F, O> {
    /// The whole list of these tenants.
    pub fn all(scope: TenantScope) -> Self {
        Self {
            scope,
            filter: F::default(),
            search: None,
            order: O::default(),
            direction: Direction::Ascending,
            page: Page::ALL,
        }
    }
}

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many rows there are in all.
    pub total: u64,
    /// How many of them fit the filters and the search.
    pub filtered: u64,
}

impl<T> Paged<T> {
    /// The same part with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            items: self.items.into_iter().map(turn).collect(),
            total: self.total,
            filtered: self.filtered,
        }
    }
}
