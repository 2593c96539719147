//! Patterns in which `*` stands for any text and case does not count.

use crate::model::login_key;

/// Whether a text fits a pattern.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (login_key(pattern), login_key(text));
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(found) = text.find(part) else {
            return false;
        };
        text = text.get(found + part.len()..).unwrap_or_default();
    }
    text.ends_with(tail)
}
