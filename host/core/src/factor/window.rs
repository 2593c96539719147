//! Which counters and time steps a one-time password is looked for in.

use crate::model::{Factor, FactorKind, Timestamp};

use super::otp::{self, Generator};

/// What a one-time password is to a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The one of this counter or time step, which is still good.
    Fresh(Place),
    /// One that was used, or that a later one was used after.
    Stale,
    /// None.
    Wrong,
}

/// Where a one-time password was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its counter or time step.
    pub(super) counter: u64,
    /// Of TOTP, by how many time steps it is ahead of the clock.
    pub(super) drift: i64,
}

/// What a one-time password is to a factor now.
///
/// HOTP looks ahead from the next counter (RFC 4226, section 7.4). TOTP looks to both sides of where the device's clock was last seen (RFC 6238, section 6), and of
/// the host's own time, since somebody who was slow looks like a clock that is; never at a step that was used or lies before one (section 5.2). As many
/// counters before the next one are known again as used.
pub(super) fn fit(factor: &Factor, generator: &Generator, otp: u32, now: Timestamp) -> Fit {
    let window = u64::from(factor.window);
    let around = |middle: u64| (middle.saturating_sub(window), middle.saturating_add(window));
    let (seen, own) = match factor.kind {
        FactorKind::Hotp => {
            let ahead = (factor.counter, factor.counter.saturating_add(window));
            (ahead, ahead)
        }
        FactorKind::Totp => {
            let step = otp::time_step(now, factor.parameters.period);
            (around(step.saturating_add_signed(factor.drift)), around(step))
        }
        FactorKind::Recovery => return Fit::Wrong,
    };
    for (first, last) in [seen, own] {
        if let Some(counter) = generator.find(otp, first.max(factor.counter)..=last) {
            return Fit::Fresh(place(factor, counter, now));
        }
    }
    let (first, last) = (seen.0.min(own.0), seen.1.max(own.1));
    // Where a device was found far away, not all between.
    let first = first.max(last.saturating_sub(4 * window + 1));
    let near = first.min(factor.counter)..last.saturating_add(1).min(factor.counter);
    let latest = factor.counter.saturating_sub(window.saturating_add(1))..factor.counter;
    // Where the two overlap, some are computed twice.
    match generator.find(otp, near.chain(latest)) {
        Some(_) => Fit::Stale,
        None => Fit::Wrong,
    }
}

/// Where two one-time passwords follow each other, if they do within the window for a resynchronisation: the place of the second.
pub(super) fn find_pair(factor: &Factor, generator: &Generator, pair: (u32, u32), now: Timestamp) -> Option<Place> {
    let window = u64::from(factor.sync_window);
    let (first, last) = match factor.kind {
        FactorKind::Hotp => (factor.counter, factor.counter.saturating_add(window)),
        FactorKind::Totp => {
            let middle = otp::time_step(now, factor.parameters.period);
            let first = middle.saturating_sub(window).max(factor.counter);
            (first, middle.saturating_add(window))
        }
        FactorKind::Recovery => return None,
    };
    let mut from = first;
    while let Some(counter) = generator.find(pair.0, from..=last) {
        let next = counter.checked_add(1)?;
        if generator.find(pair.1, [next]).is_some() {
            return Some(place(factor, next, now));
        }
        from = next;
    }
    None
}

fn place(factor: &Factor, counter: u64, now: Timestamp) -> Place {
    let drift = match factor.kind {
        FactorKind::Totp => counter
            .checked_signed_diff(otp::time_step(now, factor.parameters.period))
            .unwrap_or(0),
        FactorKind::Hotp | FactorKind::Recovery => 0,
    };
    Place { counter, drift }
}
