//! Durations and sizes as an operator writes them: `2h`, `250ms`, `64MiB`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A span of time: one or more of a number and `ms`, `s`, `m`, `h`, `d` or `w`, largest unit first by custom, `1h30m` for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// A number of bytes: a number and `B`, `KiB`, `MiB` or `GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Span {
    /// Parses a duration; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let (number, unit, after) = split_quantity(rest)?;
            let millis = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                _ => return None,
            };
            let part = Duration::from_millis(number.checked_mul(millis)?);
            total = total.checked_add(part)?;
            rest = after.trim_start();
        }
        Some(Self(total))
    }
}

impl Size {
    /// Parses a size; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, unit, after) = split_quantity(text.trim())?;
        let factor = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        after.is_empty().then_some(())?;
        number.checked_mul(factor).map(Self)
    }
}

/// `90m rest` is 90, `m` and ` rest`.
fn split_quantity(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, rest))
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no duration; write `250ms`, `5s`, `2h` or `365d`"))
        })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no size; write `512KiB`, `64MiB` or `1GiB`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let table = [
            ("250ms", Some(250)),
            ("5s", Some(5_000)),
            ("2h", Some(7_200_000)),
            ("365d", Some(31_536_000_000)),
            ("1w", Some(604_800_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-5s", None),
            ("1.5h", None),
            ("5 parsecs", None),
            ("5S", None),
            ("5s,", None),
            ("99999999999999999999s", None),
            ("18446744073709551615w", None),
        ];
        for (text, millis) in table {
            let parsed = Span::parse(text).map(|span| span.0.as_millis());
            assert_eq!(parsed, millis, "{text}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_a_binary_unit() {
        let table = [
            ("64MiB", Some(64 << 20)),
            ("1GiB", Some(1 << 30)),
            ("512 KiB", Some(512 << 10)),
            ("7B", Some(7)),
            ("64", None),
            ("64MB", None),
            ("64MiBB", None),
            ("64MiB 3", None),
            ("99999999999GiB", None),
        ];
        for (text, bytes) in table {
            assert_eq!(Size::parse(text).map(|size| size.0), bytes, "{text}");
        }
    }
}
