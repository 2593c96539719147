//! How a generation has done so far, and whether it is to be taken back.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use keyway_core::port::BackendFault;

use crate::{Probation, fault};

/// Counts a generation's calls and defects, and rings once if it fails its probation.
pub(crate) struct Watch {
    probation: Option<(Probation, Instant)>,
    calls: AtomicU32,
    defects: AtomicU32,
    rung: AtomicBool,
    trusted: AtomicBool,
    challenged: AtomicBool,
}

impl Watch {
    /// For a generation that has one to go back to.
    pub(crate) fn on_probation(probation: Probation) -> Self {
        Self {
            probation: Some((probation, Instant::now() + probation.period)),
            ..Self::trusted()
        }
    }

    /// For a generation that stays whatever it does: there is nothing to go back to.
    pub(crate) fn trusted() -> Self {
        Self {
            probation: None,
            calls: AtomicU32::new(0),
            defects: AtomicU32::new(0),
            rung: AtomicBool::new(false),
            trusted: AtomicBool::new(false),
            challenged: AtomicBool::new(false),
        }
    }

    /// Counts a call, with the fault that it ended in. True once, when the generation is to be taken back.
    pub(crate) fn count(&self, fault: Option<&BackendFault>) -> bool {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if !fault.is_some_and(fault::is_defect) {
            return false;
        }
        let defects = self.defects.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        self.fails(calls, defects) && !self.rung.swap(true, Ordering::Relaxed)
    }

    /// It has given a challenge, whose answer it is to get.
    pub(crate) fn note_challenge(&self) {
        self.challenged.store(true, Ordering::Relaxed);
    }

    fn fails(&self, calls: u32, defects: u32) -> bool {
        self.probation.is_some_and(|(probation, until)| {
            let watched = calls <= probation.calls && Instant::now() < until;
            watched && defects >= probation.faults && defects > calls / 2
        }) && !self.trusted.load(Ordering::Relaxed)
    }

    /// Whether it may still be taken back: the probation goes on, or has just been failed.
    pub(crate) fn is_on_probation(&self) -> bool {
        self.probation.is_some_and(|(probation, until)| {
            let goes_on = self.calls.load(Ordering::Relaxed) < probation.calls && Instant::now() < until;
            goes_on || self.rung.load(Ordering::Relaxed)
        }) && !self.trusted.load(Ordering::Relaxed)
    }

    /// Ends the probation: the generation stays.
    pub(crate) fn trust(&self) {
        self.trusted.store(true, Ordering::Relaxed);
    }

    /// Whether it is good enough to go back to.
    pub(crate) fn has_done_well(&self) -> bool {
        self.defects.load(Ordering::Relaxed) <= self.calls.load(Ordering::Relaxed) / 2
    }

    pub(crate) fn has_challenged(&self) -> bool {
        self.challenged.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn broken() -> BackendFault {
        BackendFault::Broken("trap".to_owned())
    }

    #[test]
    fn five_defects_in_a_row_take_a_generation_back_once() {
        let watch = Watch::on_probation(Probation::default());
        let rings: Vec<bool> = (0..7).map(|_| watch.count(Some(&broken()))).collect();
        assert_eq!(rings, [false, false, false, false, true, false, false]);
    }

    #[test]
    fn defects_among_more_good_calls_do_not() {
        let watch = Watch::on_probation(Probation::default());
        let rung = (0..20).any(|call| watch.count((call % 2 == 1).then(broken).as_ref()));
        assert!(!rung);
    }

    #[test]
    fn what_the_plugin_is_not_to_blame_for_does_not_count() {
        let watch = Watch::on_probation(Probation::default());
        let unavailable = BackendFault::Unavailable("down".to_owned());
        assert!(!(0..10).any(|_| watch.count(Some(&unavailable))));
    }

    #[test]
    fn defects_after_the_probation_do_not() {
        let over = Watch::on_probation(Probation {
            period: Duration::ZERO,
            ..Probation::default()
        });
        assert!(!(0..10).any(|_| over.count(Some(&broken()))));
        assert!(!(0..10).any(|_| Watch::trusted().count(Some(&broken()))));
    }
}
