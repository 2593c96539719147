//! What the values of users, tenants and policies may look like.

use super::DirectoryError;
use crate::Secret;
use crate::access::MAX_PATTERN_LENGTH;
use crate::model::MAX_TENANT_SLUG;

/// The longest login in characters.
pub(super) const MAX_LOGIN: usize = 256;
/// The longest email address in bytes (RFC 5321, section 4.5.3.1.3).
pub(super) const MAX_EMAIL: usize = 254;

type Validity = Result<(), DirectoryError>;

pub(super) fn login(text: &str) -> Validity {
    check(
        is_line(text, MAX_LOGIN),
        "login",
        "1 to 256 characters, none of them a control character",
    )
}

pub(super) fn password(password: &Secret<Vec<u8>>) -> Validity {
    let length = password.expose().len();
    check((1..=1024).contains(&length), "password", "1 to 1024 bytes")
}

/// Local part, `@` and a domain. Whether mail arrives there, only mail can tell.
pub(super) fn email(text: &str) -> Validity {
    let well_formed = text.rsplit_once('@').is_some_and(|(local, domain)| {
        let labels = domain.split('.').all(|label| !label.is_empty());
        !local.is_empty() && local.len() <= 64 && !local.contains('@') && labels
    });
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    check(
        well_formed && plain && text.len() <= MAX_EMAIL,
        "email",
        "an address like `name@example.org`, at most 254 bytes",
    )
}

/// Given and family name; either may be empty.
pub(super) fn person_names(firstname: Option<&str>, lastname: Option<&str>) -> Validity {
    for (field, name) in [("firstname", firstname), ("lastname", lastname)] {
        let valid = name.is_none_or(|name| name.is_empty() || is_line(name, 256));
        check(valid, field, "at most 256 characters, none of them a control character")?;
    }
    Ok(())
}

pub(super) fn group_name(text: &str) -> Validity {
    check(
        is_line(text, 128),
        "group name",
        "1 to 128 characters, none of them a control character",
    )
}

/// A short name that can stand in a URL.
pub(super) fn slug(text: &str, longest: usize) -> Validity {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    check(
        (1..=longest).contains(&text.len()) && text.chars().all(legal),
        "slug",
        "letters, digits, `_` and `-`, not too many of them",
    )
}

pub(super) fn tenant_name(text: &str) -> Validity {
    check(
        is_line(text, 128),
        "tenant name",
        "1 to 128 characters, none of them a control character",
    )
}

/// A tenant's short name, which its users may have to type.
pub(super) fn tenant_slug(text: &str) -> Validity {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    check(
        (1..=MAX_TENANT_SLUG).contains(&text.len()) && text.chars().all(legal),
        "slug",
        "1 to 10 letters, digits and `_`",
    )
}

/// One line of what a tenant says of itself, if it says it.
pub(super) fn tenant_line(field: &'static str, text: Option<&str>, longest: usize) -> Validity {
    check(
        text.is_none_or(|text| is_line(text, longest)),
        field,
        "at least one character, not too many, none of them a control character",
    )
}

/// A tenant's domain or realm.
pub(super) fn domain(field: &'static str, text: &str) -> Validity {
    check(
        is_line(text, 253) && !text.contains(char::is_whitespace),
        field,
        "1 to 253 characters, none of them white space or a control character",
    )
}

pub(super) fn policy_name(text: &str) -> Validity {
    check(
        is_line(text, 80),
        "policy name",
        "1 to 80 characters, none of them a control character",
    )
}

/// What something is for: any text that the store can hold.
pub(super) fn description(text: &str) -> Validity {
    check(
        text.len() <= 4096 && !text.contains('\0'),
        "description",
        "at most 4096 bytes, without a NUL character",
    )
}

pub(super) fn accesses(patterns: &[String]) -> Validity {
    let well_formed = |pattern: &String| {
        pattern.len() <= MAX_PATTERN_LENGTH
            && !pattern.strip_prefix('!').unwrap_or(pattern).is_empty()
            && !pattern.contains(char::is_control)
    };
    check(
        patterns.len() <= 1024 && patterns.iter().all(well_formed),
        "access",
        "at most 1024 patterns of 1 to 1024 bytes each, without control characters",
    )
}

/// Whether the text has 1 to `longest` characters and no control character.
fn is_line(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.chars().take(longest + 1).count() <= longest && !text.contains(char::is_control)
}

fn check(valid: bool, field: &'static str, rule: &'static str) -> Validity {
    if valid {
        Ok(())
    } else {
        Err(DirectoryError::Invalid { field, rule })
    }
}
