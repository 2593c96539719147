//! How far an import is, on standard error where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use keyway_core::import::{ImportKind, ImportProgress};

/// One bar for one kind of rows after the other.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(visible: bool) -> Self {
        let bar = ProgressBar::no_length();
        if !visible {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{msg:16} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl ImportProgress for Bar {
    fn begin(&self, kind: ImportKind, rows: u64) {
        self.0.reset();
        self.0.set_length(rows);
        self.0.set_message(kind.as_str());
    }

    fn advance(&self, rows: u64) {
        self.0.inc(rows);
    }
}
