//! JSON that strangers wrote, of any shape.
//!
//! `serde_json` takes an object whose first key is the private name of its `RawValue` for a text in which there is JSON again, and reads that text with a depth
//! of its own, and so on: a small body exhausts the stack, which ends the process. Whether it does so depends on what else is linked. So whoever reads a
//! [`Value`] that a stranger wrote reads it here, where such a key is refused.

use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Error, Map, Number, Value};

/// The key that stands for no key of a stranger's.
const PRIVATE: &str = "$serde_json::private::RawValue";

/// Reads JSON (RFC 8259) up to a depth of 127. Of two fields of one name the later one counts.
///
/// # Errors
/// What is no JSON, too deep, followed by something else, or has the private key in any object: with its line and column.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    let Plain(value) = serde_json::from_slice(text)?;
    Ok(value)
}

/// A value that is nothing but what is written there.
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Plain(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            if name == PRIVATE {
                return Err(A::Error::custom("a key that nobody may use"));
            }
            let Plain(value) = object.next_value()?;
            fields.insert(name, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_serde_json_reads_it() {
        for text in [
            "null",
            "true",
            "-9223372036854775808",
            "18446744073709551615",
            "1.5e-3",
            "1e400",
            "\"\\u00e9\\n\\ud83d\\ude00 plain\"",
            "[]",
            "{}",
            " {\"b\": [1, {\"\": null}], \"a\": 2, \"b\": 3} ",
            "",
            "[1,]",
            "{\"a\"}",
            "{1: 2}",
            "\"\u{1}\"",
            "\"\\ud800\"",
            "nul",
            "1 2",
        ] {
            let (ours, theirs) = (parse(text.as_bytes()), serde_json::from_str::<Value>(text));
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => {
                    assert_eq!(ours.to_string(), theirs.to_string(), "{text}");
                }
                (Err(ours), Err(theirs)) => {
                    assert_eq!((ours.line(), ours.column()), (theirs.line(), theirs.column()), "{text}");
                }
                (ours, theirs) => panic!("{text}: {ours:?} and not {theirs:?}"),
            }
        }
        assert!(parse(b"\"\xff\"").is_err(), "no UTF-8");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(127).as_bytes()).is_ok());
        assert!(parse(nested(128).as_bytes()).is_err());
        let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert!(parse(objects.as_bytes()).is_err());
    }

    #[test]
    fn no_text_is_read_as_json_again() {
        for text in [
            r#"{"$serde_json::private::RawValue": "5"}"#,
            r#"{"a": [{"\u0024serde_json::private::Raw\u0056alue": "[]"}]}"#,
            r#"{"a": 1, "$serde_json::private::RawValue": 5}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let value = r#"{"a": "$serde_json::private::RawValue"}"#;
        assert!(parse(value.as_bytes()).is_ok(), "it is no key");
    }
}
