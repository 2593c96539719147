//! Text from a guest, made fit for a log and for an operator's eyes.

use std::fmt::Write as _;

use keyway_core::Secret;

/// What stands where a secret stood.
const BLANK: &str = "[secret]";

/// Secrets that a guest has seen, to be blanked out of what it says.
#[derive(Default)]
pub(crate) struct Exposed(Vec<Secret<Vec<u8>>>);

impl Exposed {
    /// Remembers a value. Each text from the guest is searched once for each of them, so one that is known must not make them more.
    pub(crate) fn remember(&mut self, value: Secret<Vec<u8>>) {
        if !self.0.contains(&value) {
            self.0.push(value);
        }
    }

    /// Whether one of them is in these bytes.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|secret| {
            let value = secret.expose();
            !value.is_empty() && memchr::memmem::find(bytes, value).is_some()
        })
    }

    /// The length of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.0.iter().map(|secret| secret.expose().len()).max().unwrap_or(0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// See [`clean`].
    pub(crate) fn clean(&self, text: &str, max: usize) -> String {
        clean(text, &self.0, max)
    }
}

/// Blanks the secrets, escapes control characters, and cuts at `max` bytes. Blanking comes first, so that a cut can't leave the
/// beginning of a secret behind.
pub(crate) fn clean(text: &str, secrets: &[Secret<Vec<u8>>], max: usize) -> String {
    let mut blanked = text.to_owned();
    for secret in secrets {
        if let Ok(value) = std::str::from_utf8(secret.expose())
            && !value.is_empty()
            && blanked.contains(value)
        {
            blanked = blanked.replace(value, BLANK);
        }
    }
    escape(&blanked, max)
}

fn escape(text: &str, max: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(max));
    for c in text.chars() {
        let before = clean.len();
        // Besides the control characters: what reorders or hides the text around it.
        if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            match c {
                '\n' => clean.push_str("\\n"),
                '\r' => clean.push_str("\\r"),
                '\t' => clean.push_str("\\t"),
                other => {
                    let _ = write!(clean, "\\u{{{:x}}}", u32::from(other));
                }
            }
        } else {
            clean.push(c);
        }
        if clean.len() > max {
            clean.truncate(before);
            clean.push('…');
            return clean;
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exposed_secret_is_blanked_even_where_the_text_is_cut() {
        let secrets = [Secret::from("hunter2")];
        assert_eq!(
            clean("password hunter2 refused", &secrets, 100),
            "password [secret] refused"
        );
        assert!(!clean("password hunter2", &secrets, 12).contains("hun"));
    }

    #[test]
    fn a_secret_that_is_seen_again_is_remembered_once() {
        let mut exposed = Exposed::default();
        for value in ["hunter2", "hunter2", "s3cre7", "hunter2"] {
            exposed.remember(Secret::from(value));
        }
        assert_eq!(exposed.0.len(), 2);
        assert_eq!(exposed.clean("hunter2 and s3cre7", 100), "[secret] and [secret]");
    }

    #[test]
    fn a_line_cannot_forge_another_or_reorder_itself() {
        assert_eq!(
            clean("a\nERROR b\u{1b}[31m\u{202e}", &[], 100),
            "a\\nERROR b\\u{1b}[31m\\u{202e}"
        );
    }

    #[test]
    fn text_is_cut_at_a_character() {
        assert_eq!(clean("äöü", &[], 3), "ä…");
    }
}
