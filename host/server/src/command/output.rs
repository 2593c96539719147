//! What commands print. The only file that writes to standard output, and to standard error besides the log.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::failure::Failure;

/// A column's heading, and what stands there for an item.
pub(crate) type Column = (&'static str, fn(&Value) -> String);

/// Prints a result as JSON or for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// JSON where it was asked for, else one line.
    pub(crate) fn one(self, value: &Value, line: impl FnOnce() -> String) {
        if self.json { say(&pretty(value)) } else { say(&line()) }
    }

    /// JSON where it was asked for, else a table with a row for each item.
    pub(crate) fn many(self, items: &Value, columns: &[Column]) {
        if self.json {
            return say(&pretty(items));
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.iter().map(|(name, _)| *name));
        for item in items.as_array().into_iter().flatten() {
            table.add_row(columns.iter().map(|(_, cell)| cell(item)));
        }
        for line in table.lines() {
            say(line.strip_prefix(' ').unwrap_or(&line).trim_end());
        }
    }

    /// JSON where it was asked for, else a line for each key.
    pub(crate) fn fields(self, value: &Value) {
        if self.json {
            return say(&pretty(value));
        }
        let fields = value.as_object().into_iter().flatten();
        let width = fields.clone().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, value) in fields {
            let text = if key.ends_with("_at") {
                date(value)
            } else {
                plain(value)
            };
            say(format!("{key:width$}  {text}").trim_end());
        }
    }
}

/// A line on standard output.
pub(crate) fn say(line: &str) {
    // Nobody listens any more if this fails, `keyway user list | head` for example.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The line of a failure on standard error.
pub(crate) fn complain(failure: &Failure) {
    // Some libraries' messages have several lines.
    let line = failure.text().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "error: {line}");
}

/// A value for people: no quotes, lists with commas, records as `key=value`, nothing for null.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(record) => {
            let pairs = record.iter().map(|(key, value)| format!("{key}={}", plain(value)));
            pairs.collect::<Vec<_>>().join(" ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A point in time, which the API writes in microseconds, for people.
pub(crate) fn date(value: &Value) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let stamp = value
        .as_i64()
        .map(|micros| keyway_core::model::Timestamp(micros).to_utc());
    stamp.and_then(|date| date.format(format).ok()).unwrap_or_default()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
