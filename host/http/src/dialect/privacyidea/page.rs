//! Pages of lists: `?page=2&pagesize=15`.

use serde_json::Value;

use super::error::Failure;
use super::params::Params;

/// How many rows there are on a page that does not say.
const USUAL: u32 = 15;
/// How many there are at the most.
const MOST: u32 = 10_000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// From 1 on.
    pub(super) number: u32,
    /// How many rows.
    pub(super) size: u32,
}

impl Page {
    /// What the request wants; `size` names the parameter that says how many rows.
    ///
    /// # Errors
    /// [`Failure::Parameter`].
    pub(super) fn of(params: &Params, size: &str) -> Result<Self, Failure> {
        let number = params.number("page")?.unwrap_or(1).max(1);
        let size = params.number(size)?.filter(|size| *size > 0);
        Ok(Self {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            size: size.map_or(USUAL, |size| u32::try_from(size).unwrap_or(MOST).min(MOST)),
        })
    }

    /// How many rows are left out before it.
    pub(super) fn offset(self) -> u32 {
        (self.number - 1).saturating_mul(self.size)
    }

    /// The number of the page before; nothing for the first.
    pub(super) fn previous(self) -> Value {
        if self.number > 1 {
            Value::from(self.number - 1)
        } else {
            Value::Null
        }
    }

    /// The number of the page after, in a list of so many rows; nothing for the last.
    pub(super) fn next(self, total: u64) -> Value {
        if u64::from(self.number) * u64::from(self.size) < total {
            Value::from(u64::from(self.number) + 1)
        } else {
            Value::Null
        }
    }
}
