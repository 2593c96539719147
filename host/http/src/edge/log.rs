//! What the log says about requests. Never a path, a query, a header or a body: they hold tokens and passwords.

use std::error::Error;
use std::fmt::Write as _;

use super::Call;

/// Characters of an error that go to the log.
const MAX_TEXT: usize = 1000;

/// Logs an error with all its causes, under the request's id.
pub fn log_failure(call: &Call, error: &dyn Error) {
    tracing::error!(request_id = call.id(), error = %one_line(&chain(error)), "request failed");
}

/// The text without line breaks and other control characters, and not much of it: parts of it may be a caller's own words, which are to
/// forge no line and to fill no disk.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().take(MAX_TEXT).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        line.push_str("...");
    }
    line
}

/// An error with all its causes, in one line. For logs and operators only.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing into a string cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_words_forge_no_line_and_fill_no_disk() {
        assert_eq!(
            one_line("no backend `a\n2026 INFO ok`"),
            "no backend `a\\n2026 INFO ok`"
        );
        assert_eq!(one_line(&"x".repeat(1 << 20)).len(), MAX_TEXT + 3);
    }

    #[test]
    fn a_chain_names_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(chain(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }
}
