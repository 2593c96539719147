//! JSON in nothing but ASCII. Clients that check signatures write the answer anew, with sorted keys and Python's separators, and check the signature of
//! that; and a common client reads claims in the wrong alphabet of Base64.

use std::fmt::Write as _;

use serde_json::Value;

/// How JSON is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    item: &'static str,
    key: &'static str,
    /// ASCII characters that are escaped besides those that must be.
    escaped: &'static [char],
}

/// As Python's `json.dumps(.., sort_keys=True)` writes it.
pub(super) const PYTHON: Style = Style {
    item: ", ",
    key: ": ",
    escaped: &[],
};

/// Such that its Base64 is the same in the usual alphabet and in that for URLs: only these three characters, as the last of three, need a letter by which
/// they differ.
pub(super) const CLAIMS: Style = Style {
    item: ",",
    key: ":",
    escaped: &['>', '?', '~'],
};

impl Style {
    /// This value, with the keys of objects in their order as Python has it: by code points.
    pub(super) fn write(self, value: &Value) -> String {
        let mut text = String::new();
        self.append(value, &mut text);
        text
    }

    fn append(self, value: &Value, text: &mut String) {
        match value {
            Value::Null => text.push_str("null"),
            Value::Bool(true) => text.push_str("true"),
            Value::Bool(false) => text.push_str("false"),
            Value::Number(number) => text.push_str(&number.to_string()),
            Value::String(string) => self.append_text(string, text),
            Value::Array(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        text.push_str(self.item);
                    }
                    self.append(item, text);
                }
                text.push(']');
            }
            Value::Object(fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                // The order of UTF-8 is that of code points.
                sorted.sort_unstable_by_key(|(key, _)| *key);
                text.push('{');
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        text.push_str(self.item);
                    }
                    self.append_text(key, text);
                    text.push_str(self.key);
                    self.append(value, text);
                }
                text.push('}');
            }
        }
    }

    fn append_text(self, string: &str, text: &mut String) {
        text.push('"');
        for c in string.chars() {
            match c {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\u{8}' => text.push_str("\\b"),
                '\u{c}' => text.push_str("\\f"),
                ' '..='~' if !self.escaped.contains(&c) => text.push(c),
                other => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        // Writing to a text never fails.
                        let _ = write!(text, "\\u{unit:04x}");
                    }
                }
            }
        }
        text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn python_writes_it_so() {
        let value = json!({"b": [1, 2.5, -3], "a": {"é": "🔑 ü\u{7f}\u{1}", "Z": "a\"\\\n\r\t\u{8}\u{c}/<>?~"}, "n": null, "t": true, "e": {}, "l": []});
        // What `python3 -c 'import json; print(json.dumps(.., sort_keys=True))'` prints of it.
        insta::assert_snapshot!(PYTHON.write(&value), @r#"{"a": {"Z": "a\"\\\n\r\t\b\f/<>?~", "\u00e9": "\ud83d\udd11 \u00fc\u007f\u0001"}, "b": [1, 2.5, -3], "e": {}, "l": [], "n": null, "t": true}"#);
    }

    #[test]
    fn claims_need_no_letter_by_which_the_alphabets_differ() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        for padding in 0..3 {
            let value = json!({"username": format!("{}>?~\u{7f}ÿ\u{10ffff}{}", " ".repeat(padding), "~~~???>>>")});
            let encoded = URL_SAFE_NO_PAD.encode(CLAIMS.write(&value));
            assert!(!encoded.contains(['-', '_']), "{encoded}");
            assert_eq!(
                serde_json::from_str::<Value>(&CLAIMS.write(&value)).expect("JSON"),
                value
            );
        }
    }
}
