//! The rows of an answer, within its bounds.

use keyway_core::port::{NamedDatabaseError, NamedRow};

use super::Bounds;

/// What a row counts for beside its texts.
const ROW_COST: usize = 16;

/// The rows of an answer.
pub(super) struct Answer {
    rows: Vec<NamedRow>,
    most: usize,
    /// Whether those who asked wanted more than there may be.
    is_cut: bool,
    is_over: bool,
    max_rows: usize,
    bytes_left: u64,
}

impl Answer {
    pub(super) fn new(most: u32, bounds: Bounds) -> Self {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            rows: Vec::new(),
            most: size(most),
            is_cut: false,
            is_over: false,
            max_rows: size(bounds.rows),
            bytes_left: bounds.bytes,
        }
    }

    /// Whether another row is of use.
    pub(super) fn wants_more(&self) -> bool {
        self.rows.len() < self.most && !self.is_cut && !self.is_over
    }

    /// Adds a row, if there is room.
    pub(super) fn push(&mut self, row: NamedRow) {
        if self.rows.len() >= self.max_rows {
            self.is_cut = true;
            return;
        }
        let texts = row
            .iter()
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, String::len));
        let bytes = u64::try_from(texts.sum::<usize>() + ROW_COST).unwrap_or(u64::MAX);
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                self.rows.push(row);
            }
            None => self.is_over = true,
        }
    }

    pub(super) fn finish(self) -> Result<Vec<NamedRow>, NamedDatabaseError> {
        if self.is_over {
            return Err(NamedDatabaseError::TooLarge("`max_bytes` allows"));
        }
        if self.is_cut {
            return Err(NamedDatabaseError::TooLarge("`max_rows` allows"));
        }
        Ok(self.rows)
    }
}
