//! Distinguished names as text (RFC 4514): escaping a value, the operator's template, and the value of a name's first part.

use crate::attribute;

/// A value as it stands in a DN. What the directory reads out of it is the value, whatever is in it.
pub(crate) fn escape(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(value.len());
    for (place, character) in value.chars().enumerate() {
        match character {
            '\0' => escaped.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => escaped.extend(['\\', character]),
            '#' if place == 0 => escaped.push_str("\\#"),
            ' ' if place == 0 || place == last => escaped.push_str("\\ "),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether this is the text of a DN with at least one part.
pub(crate) fn is_valid(dn: &str) -> bool {
    !dn.contains('\0')
        && parts(dn).all(|part| {
            part.split_once('=')
                .is_some_and(|(kind, _)| attribute::is_valid(kind.trim()))
        })
}

/// The value that an attribute has in the first part, `staff` of `cn=staff,dc=example,dc=org`. `None` where it has none, or one that is not text.
pub(crate) fn first_value(dn: &str, attribute: &str) -> Option<String> {
    let first = split(dn, |character| matches!(character, ',' | ';')).next()?;
    let value = parts(first).find_map(|part| {
        let (kind, value) = part.split_once('=')?;
        kind.trim().eq_ignore_ascii_case(attribute).then_some(value)
    })?;
    let value = value.trim_start_matches(' ');
    // The form `#04024869` stands for BER, which no group's name is.
    if value.starts_with('#') {
        return None;
    }
    unescape(value)
}

/// Whether this is the name of an entry somewhere below another.
pub(crate) fn is_below(dn: &str, base: &str) -> bool {
    let [dn, base] = [dn, base].map(|dn| {
        let parts = split(dn, |character| matches!(character, ',' | ';'));
        parts.map(plain).collect::<Vec<_>>()
    });
    dn.len() > base.len() && dn.ends_with(&base)
}

/// How many parts a name has.
#[cfg(feature = "fuzzing")]
pub(crate) fn depth(dn: &str) -> usize {
    parts(dn).count()
}

/// A part without what directories do not look at: spaces around its words, and case.
fn plain(part: &str) -> String {
    let words: Vec<&str> = part.split('=').map(str::trim).collect();
    words.join("=").to_lowercase()
}

/// The single `attribute=value`s.
fn parts(dn: &str) -> impl Iterator<Item = &str> {
    split(dn, |character| matches!(character, ',' | ';' | '+'))
}

/// What stands between separators that are neither escaped nor quoted.
fn split(dn: &str, is_separator: fn(char) -> bool) -> impl Iterator<Item = &str> {
    let (mut is_escaped, mut is_quoted) = (false, false);
    dn.split(move |character| {
        let was_escaped = is_escaped;
        is_escaped = !was_escaped && character == '\\';
        if !was_escaped && character == '"' {
            is_quoted = !is_quoted;
        }
        !was_escaped && !is_quoted && is_separator(character)
    })
}

fn unescape(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    // Everything up to here is kept: the last character that is not a space, or a space that was escaped.
    let mut kept = 0;
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => {
                let next = rest.next()?;
                bytes.push(match (next as char).to_digit(16) {
                    Some(high) => {
                        let low = (rest.next()? as char).to_digit(16)?;
                        u8::try_from(high * 16 + low).ok()?
                    }
                    None => next,
                });
            }
            b' ' => {
                bytes.push(b' ');
                continue;
            }
            b'"' => continue,
            other => bytes.push(other),
        }
        kept = bytes.len();
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).ok().filter(|value| !value.is_empty())
}

/// A DN with a place, or several, for a login name: `uid={username},ou=people,dc=example,dc=org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<String>);

/// What stands for the login name.
const USERNAME: &str = "{username}";

impl Template {
    /// Reads a template, in which a login name may stand only where a value does.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if !text.contains(USERNAME) {
            return Err("has no `{username}` in it");
        }
        // With a harmless name in it, it is a DN. In a place for an attribute's name it is none, because of the braces.
        if !is_valid(text) || text.replace(USERNAME, "").contains(['{', '}', '"']) {
            return Err(
                "is no distinguished name with `{username}` in the place of a value, such as `uid={username},ou=people,dc=example,dc=org`",
            );
        }
        let mut before: Vec<&str> = text.split(USERNAME).collect();
        before.pop();
        if before.into_iter().any(changes_a_name) {
            return Err("has a `\\` or a `#` before `{username}` that would make something else of the name");
        }
        Ok(Self(text.split(USERNAME).map(str::to_owned).collect()))
    }

    /// The template of wazo: the login attribute, directly under the base.
    pub(crate) fn under(base: &str, attribute: &str) -> Self {
        Self(vec![format!("{attribute}="), format!(",{base}")])
    }

    /// The DN of whoever has this name.
    pub(crate) fn fill(&self, username: &str) -> String {
        self.0.join(&escape(username))
    }
}

/// Whether what follows this would not be a value as it stands: after half of an escape, or in the form `#04024869` that stands for BER.
fn changes_a_name(before: &str) -> bool {
    let is_half = |text: &str| text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
    let has_digit = before.ends_with(|last: char| last.is_ascii_hexdigit());
    let without_digit = before.get(..before.len().saturating_sub(1)).unwrap_or_default();
    let is_ber = before
        .rsplit_once('=')
        .is_some_and(|(_, value)| value.trim_start().starts_with('#') && !value.contains([',', ';', '+']));
    is_half(before) || has_digit && is_half(without_digit) || is_ber
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        for (value, escaped) in [
            ("alice", "alice"),
            ("a,b+c\"d\\e<f>g;h=i", "a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i"),
            ("#a#", "\\#a#"),
            (" a b ", "\\ a b\\ "),
            (" ", "\\ "),
            ("a\0b", "a\\00b"),
            ("", ""),
        ] {
            assert_eq!(escape(value), escaped, "{value:?}");
        }
    }

    #[test]
    fn a_group_is_named_by_a_value_of_its_first_part() {
        for (dn, value) in [
            ("cn=staff,dc=example,dc=org", Some("staff")),
            ("CN = Domain Users , DC=example", Some("Domain Users")),
            ("cn=Smith\\, John,dc=example", Some("Smith, John")),
            ("cn=caf\\c3\\a9,dc=example", Some("café")),
            ("cn=a+ou=b,dc=example", Some("a")),
            ("ou=b + CN=a,dc=example", Some("a")),
            ("ou=b,cn=a,dc=example", None),
            ("cn=\"a,b\",dc=example", Some("a,b")),
            ("cn=x\\ ", Some("x ")),
            ("cn=\\ff", None),
            ("cn=#0402", None),
            ("cn=", None),
            ("nothing", None),
            ("cn=a\\", None),
        ] {
            assert_eq!(first_value(dn, "cn").as_deref(), value, "{dn}");
        }
    }

    #[test]
    fn an_entry_is_below_its_base() {
        let base = "ou=people,dc=example";
        for below in [
            "uid=a,ou=people,dc=example",
            "UID=A, OU = People , DC=Example",
            "uid=a,ou=x,ou=people,dc=example",
        ] {
            assert!(is_below(below, base), "{below}");
        }
        for other in [
            base,
            "uid=a,dc=example",
            "uid=a+ou=people,dc=example",
            "uid=a\\,ou=people,dc=example",
            "uid=a,ou=people,dc=example,dc=org",
        ] {
            assert!(!is_below(other, base), "{other}");
        }
    }

    #[test]
    fn a_template_holds_the_name_in_the_place_of_a_value() {
        let template = Template::parse("uid={username},ou=people,dc=example").unwrap();
        assert_eq!(template.fill("alice"), "uid=alice,ou=people,dc=example");
        assert_eq!(
            template.fill("alice,ou=admins"),
            "uid=alice\\,ou\\=admins,ou=people,dc=example"
        );
        for wrong in [
            "uid=alice,dc=example",
            "{username}=alice,dc=example",
            "{username}",
            "uid={username},{ou}=people",
            "uid={username},dc={tenant}",
            "uid=\"{username}\",dc=example",
            "uid={username},people",
            "uid=a\\{username},dc=example",
            "uid=a\\\\\\{username},dc=example",
            "uid=a\\2{username},dc=example",
            "uid=#{username},dc=example",
            "uid= #{username},dc=example",
            "cn={username}+uid= # {username},dc=example",
            "uid={username},",
        ] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
        for right in [
            "uid=a\\\\{username},dc=example",
            "uid=a#{username},dc=example",
            "uid=\\#{username}",
            "uid=a2{username}",
        ] {
            let filled = Template::parse(right).unwrap().fill("a,b");
            let value = right
                .replace("\\\\", "\\")
                .replace("\\#", "#")
                .replace("{username}", "a,b");
            let value = value.strip_prefix("uid=").unwrap().trim_end_matches(",dc=example");
            assert_eq!(first_value(&filled, "uid").as_deref(), Some(value), "{right}");
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(value in "\\PC{1,40}") {
            prop_assert_eq!(first_value(&format!("uid={},dc=example", escape(&value)), "uid"), Some(value));
        }

        #[test]
        fn no_value_changes_the_parts_of_a_name(value in any::<String>()) {
            let template = Template::under("ou=people,dc=example", "uid");
            let dn = template.fill(&value);
            prop_assert_eq!(parts(&dn).count(), 3, "{}", dn);
            prop_assert!(is_valid(&dn) || value.contains('\0'));
        }
    }
}
