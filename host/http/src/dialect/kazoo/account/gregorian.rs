//! Times as this API writes them: whole seconds since the year 0.

use keyway_core::model::Timestamp;

/// Seconds between the year 0 and 1970.
const GREGORIAN: i64 = 62_167_219_200;

pub(in crate::dialect::kazoo) fn gregorian(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000_000).saturating_add(GREGORIAN)
}

/// From what a client wrote. What is too far away for the store is the farthest that is not.
pub(in crate::dialect::kazoo) fn of_gregorian(seconds: i64) -> Timestamp {
    /// The year 9999 ends before.
    const LAST: i64 = 253_402_300_800;
    let seconds = seconds.saturating_sub(GREGORIAN).clamp(-GREGORIAN, LAST);
    Timestamp(seconds.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_count_from_the_year_0() {
        assert_eq!(gregorian(Timestamp(0)), 62_167_219_200);
        assert_eq!(of_gregorian(62_167_219_201), Timestamp(1_000_000));
        assert_eq!(of_gregorian(gregorian(Timestamp(5_500_000))), Timestamp(5_000_000));
    }
}
