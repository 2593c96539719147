//! Times of the week in policies.

use jiff::tz::TimeZone;
use keyway_core::model::Timestamp;

use super::PolicyError;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A minute of the week, in the server's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// 0 for Monday.
    day: u8,
    /// Minutes since midnight.
    minute: u16,
}

impl Moment {
    /// When this is in this zone.
    pub(crate) fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let at = at.to_zoned(zone.clone());
        Self {
            day: u8::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0),
            minute: u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs()),
        }
    }
}

/// A list such as `Mon-Fri: 9-18, Sat: 10:30-15`. Empty, it fits everything. Both ends belong to a span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hours {
    written: String,
    spans: Vec<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    days: (u8, u8),
    minutes: (u16, u16),
}

impl Hours {
    /// Reads a list.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub(crate) fn parse(written: &str) -> Result<Self, PolicyError> {
        let bare: String = written.split_whitespace().collect();
        let spans = bare.split(',').filter(|_| !bare.is_empty());
        let spans: Option<Vec<_>> = spans.map(span).collect();
        let spans = spans.ok_or_else(|| {
            PolicyError::Invalid(format!(
                "`time`: `{written}` is not like `Mon-Fri: 9-18, Sat: 10:30-15`"
            ))
        })?;
        Ok(Self {
            written: written.to_owned(),
            spans,
        })
    }

    /// As it was written.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// Whether the list is empty, or this minute lies in it.
    pub(crate) fn fit(&self, Moment { day, minute }: Moment) -> bool {
        let within = |span: &Span| {
            let (first, last) = span.days;
            let on_day = if first <= last {
                (first..=last).contains(&day)
            } else {
                day >= first || day <= last
            };
            on_day && (span.minutes.0..=span.minutes.1).contains(&minute)
        };
        self.spans.is_empty() || self.spans.iter().any(within)
    }
}

fn span(text: &str) -> Option<Span> {
    let (days, hours) = text.split_once(':')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (from, to) = hours.split_once('-')?;
    let minutes = (minute(from)?, minute(to)?);
    (minutes.0 <= minutes.1).then_some(Span {
        days: (day(first)?, day(last)?),
        minutes,
    })
}

fn day(text: &str) -> Option<u8> {
    let position = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text))?;
    u8::try_from(position).ok()
}

/// `9`, `09:30`; `24` and `24:00` end a day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        let at: jiff::Timestamp = text.parse().expect("a time");
        Moment::of(Timestamp(at.as_microsecond()), &TimeZone::UTC)
    }

    #[test]
    fn a_list_fits_the_minutes_in_it() {
        // The first of January 2024 was a Monday.
        let table = [
            ("", "2024-01-01T03:00:00Z", true),
            ("Mon-Fri: 9-18", "2024-01-01T09:00:00Z", true),
            ("Mon-Fri: 9-18", "2024-01-01T08:59:59Z", false),
            ("Mon-Fri: 9-18", "2024-01-05T18:00:59Z", true),
            ("Mon-Fri: 9-18", "2024-01-05T18:01:00Z", false),
            ("Mon-Fri: 9-18", "2024-01-06T12:00:00Z", false),
            ("mon-fri:9-18,SAT:10:30-15", "2024-01-06T10:30:00Z", true),
            ("Sat-Mon: 0-24", "2024-01-07T23:59:00Z", true),
            ("Sat-Mon: 0-24", "2024-01-01T00:00:00Z", true),
            ("Sat-Mon: 0-24", "2024-01-02T00:00:00Z", false),
        ];
        for (list, time, fits) in table {
            assert_eq!(Hours::parse(list).expect("a list").fit(at(time)), fits, "{list} {time}");
        }
    }

    #[test]
    fn the_zone_decides_which_day_it_is() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let late: jiff::Timestamp = "2024-01-07T23:30:00Z".parse().expect("a time");
        let moment = Moment::of(Timestamp(late.as_microsecond()), &berlin);
        assert!(Hours::parse("Mon: 0-1").expect("a list").fit(moment));
    }

    #[test]
    fn what_is_no_time_of_the_week_is_refused() {
        for wrong in [
            "9-18",
            "Mon",
            "Mon:9",
            "Mo:9-18",
            "Mon:18-9",
            "Mon:9-25",
            "Mon:9:60-10",
            "Mon:9-18,",
            "Mon:+9-10",
        ] {
            let refused = Hours::parse(wrong);
            assert!(matches!(refused, Err(PolicyError::Invalid(_))), "{wrong}");
        }
    }
}
