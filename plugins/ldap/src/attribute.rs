//! Names of attributes (RFC 4512): what an operator may write for one, and when two mean the same.

/// The longest name.
const MAX_NAME: usize = 128;

/// A descriptor such as `mail` or an OID such as `0.9.2342.19200300.100.1.3`, with options behind it where there are any, `;lang-en`.
pub(crate) fn is_valid(name: &str) -> bool {
    let mut words = name.split(';');
    let kind = words.next().unwrap_or_default();
    let is_keychar = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.len() <= MAX_NAME
        && (is_oid(kind)
            || (kind.starts_with(|first: char| first.is_ascii_alphabetic()) && kind.bytes().all(is_keychar)))
        && words.all(|option| !option.is_empty() && option.bytes().all(is_keychar))
}

/// An OID, or a name that RFC 4512 calls a descriptor: what may name a matching rule.
pub(crate) fn is_rule(name: &str) -> bool {
    is_valid(name) && !name.contains(';')
}

fn is_oid(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

/// Whether what a directory sent under `sent` is what was asked for as `asked`. Active Directory sends `memberOf;range=0-1499` where there are
/// many values.
pub(crate) fn is_same(sent: &str, asked: &str) -> bool {
    let kind = match sent.split_once(";range=") {
        Some((kind, _)) => kind,
        None => sent,
    };
    kind.eq_ignore_ascii_case(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_and_oids_are_names() {
        for name in [
            "uid",
            "sAMAccountName",
            "x-1",
            "2.5.4.3",
            "0.9.2342.19200300.100.1.1",
            "cn;lang-en",
        ] {
            assert!(is_valid(name), "{name}");
        }
        for name in [
            "", "1uid", "-x", "u id", "uid)", "uid=", "2", "2..5", "2.05", "uid;", "ü", "a*", "{uid}", "a\0", ";x",
        ] {
            assert!(!is_valid(name), "{name}");
        }
    }

    #[test]
    fn names_are_the_same_without_regard_to_case_and_range() {
        assert!(is_same("MAIL", "mail"));
        assert!(is_same("memberOf;range=0-1499", "memberof"));
        assert!(!is_same("mail;lang-en", "mail"));
    }
}
