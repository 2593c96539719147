//! Dates as privacyIDEA writes them: `2026-11-22T19:03:12+00:00`, `2026-11-22 19:03:14.319447+0000`, `2027-01-01T10:00+0200`.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::model::Timestamp;

/// The point in time, if this is one.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let place = text.rfind(['+', '-']).filter(|place| *place > 10)?;
    let (date, offset) = text.split_at_checked(place)?;
    let offset = offset.replace(':', "");
    let (date, _fraction) = date.split_once('.').unwrap_or((date, ""));
    let mut whole = date.replacen(' ', "T", 1);
    if whole.matches(':').count() == 1 {
        whole.push_str(":00");
    }
    whole.push_str(&offset);
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]");
    OffsetDateTime::parse(&whole, format).ok().map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_read() {
        let seconds = |text| parse(text).map(|at| at.0 / 1_000_000);
        for text in [
            "2026-11-22T19:03:12+00:00",
            "2026-11-22 19:03:12.319447+0000",
            "2026-11-22T20:03:12+0100",
            "2026-11-22T18:03:12-01:00",
        ] {
            assert_eq!(seconds(text), Some(1_795_374_192), "{text}");
        }
        assert_eq!(seconds("2026-11-22T20:03+0100"), Some(1_795_374_180));
        for text in ["", "2026-11-22", "2026-11-22T20:03", "soon", "ä+0100"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
