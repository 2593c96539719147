//! Memory for requests whose bodies are under way: one budget, from which all connections take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may still be taken. Nobody waits for them: who finds too few left is turned away. Clones are the same budget.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<AtomicUsize>);

/// Bytes taken from a budget; they go back when this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// A hold on so many bytes; `None` if fewer are left.
    pub(super) fn take(&self, bytes: usize) -> Option<Hold> {
        self.subtract(bytes).then(|| Hold {
            budget: self.clone(),
            bytes,
        })
    }

    fn subtract(&self, bytes: usize) -> bool {
        // Only the number matters, no other memory is published with it.
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .is_ok()
    }
}

impl Hold {
    /// Takes more; returns whether there was as much.
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let grown = self.budget.subtract(more);
        if grown {
            self.bytes += more;
        }
        grown
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_returned_and_what_is_not_there_is_not_taken() {
        let budget = Budget::new(10);
        let mut first = budget.take(4).expect("all are there");
        assert!(first.grow(3));
        assert!(!first.grow(4), "three are left");
        assert!(budget.take(4).is_none());
        let second = budget.take(3).expect("three are left");
        drop(first);
        assert!(budget.take(8).is_none(), "three are still held");
        drop(second);
        assert!(budget.take(10).is_some());
    }
}
