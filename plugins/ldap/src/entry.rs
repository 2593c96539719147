//! An entry of the directory, and what its attributes mean.

use keyway_sdk::Fault;
use ldap3_proto::proto::LdapSearchResultEntry;

use crate::attribute;

/// The attributes of which one names an entry for ever, in the order in which they are tried: OpenLDAP's and Active Directory's.
pub(crate) const UIDS: [&str; 2] = ["entryUUID", GUID];
/// Active Directory's name for an entry, which is sixteen bytes.
pub(crate) const GUID: &str = "objectGUID";
/// The longest subject, in bytes.
const MAX_SUBJECT: usize = 255;
/// The longest login name, in bytes.
const MAX_LOGIN: usize = 1024;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl From<LdapSearchResultEntry> for Entry {
    fn from(entry: LdapSearchResultEntry) -> Self {
        let attributes = entry
            .attributes
            .into_iter()
            .map(|attribute| (attribute.atype, attribute.vals));
        Self {
            dn: entry.dn,
            attributes: attributes.collect(),
        }
    }
}

impl Entry {
    /// The values of an attribute that are text. What is not UTF-8, is empty or has a NUL in it is of no use to anybody.
    pub(crate) fn texts<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = &'a str> + Clone {
        self.values(attribute)
            .filter_map(|value| std::str::from_utf8(value).ok())
            .filter(|text| !text.is_empty() && !text.contains('\0'))
    }

    /// The first value that is text.
    pub(crate) fn text<'a>(&'a self, attribute: &'a str) -> Option<&'a str> {
        self.texts(attribute).next()
    }

    fn values<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.attributes
            .iter()
            .filter(move |(name, _)| attribute::is_same(name, attribute))
            .flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The login name as the directory spells it. Of several, the one that was typed; without one that is short enough, that too.
    pub(crate) fn login<'a>(&'a self, attribute: &'a str, typed: &'a str) -> &'a str {
        let mut names = self.texts(attribute).filter(|own| own.len() <= MAX_LOGIN);
        let same = names.clone().find(|own| own.to_lowercase() == typed.to_lowercase());
        same.or_else(|| names.next()).unwrap_or(typed)
    }

    /// The name under which the host knows this entry for ever.
    ///
    /// # Errors
    /// It has none that would fit.
    pub(crate) fn subject(&self, uid_attribute: Option<&str>) -> Result<String, Fault> {
        let subject = match uid_attribute {
            Some(attribute) => self.uid(attribute).ok_or_else(|| {
                Fault::misconfigured(format!(
                    "a user's entry has no `{attribute}`, which `uid_attribute` names"
                ))
            })?,
            None => UIDS
                .into_iter()
                .find_map(|attribute| self.uid(attribute))
                .unwrap_or_else(|| self.dn.clone()),
        };
        if subject.len() > MAX_SUBJECT {
            return Err(Fault::misconfigured(format!(
                "the name that a user has for ever is longer than {MAX_SUBJECT} bytes; `uid_attribute` can say another"
            )));
        }
        Ok(subject)
    }

    fn uid(&self, attribute: &str) -> Option<String> {
        if attribute::is_same(attribute, GUID) {
            self.values(attribute).find_map(guid_text)
        } else {
            self.text(attribute).map(str::to_owned)
        }
    }
}

/// The usual spelling of a GUID. The first three of its five numbers are little-endian in the directory.
fn guid_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let ordered = swap_guid(bytes);
    let mut text = String::with_capacity(36);
    for (place, byte) in ordered.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from_digit(u32::from(byte >> 4), 16)?);
        text.push(char::from_digit(u32::from(byte & 0xf), 16)?);
    }
    Some(text)
}

/// The bytes of a GUID in its usual spelling.
pub(crate) fn guid_bytes(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] {
        return None;
    }
    let mut digits = text
        .chars()
        .filter(|character| *character != '-')
        .map(|digit| digit.to_digit(16));
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = u8::try_from(digits.next()?? * 16 + digits.next()??).ok()?;
    }
    Some(swap_guid(bytes))
}

fn swap_guid(mut bytes: [u8; 16]) -> [u8; 16] {
    for number in [0..4, 4..6, 6..8] {
        if let Some(number) = bytes.get_mut(number) {
            number.reverse();
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&[u8]])]) -> Entry {
        let attributes = attributes
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| value.to_vec()).collect()));
        Entry {
            dn: "uid=alice,dc=example".to_owned(),
            attributes: attributes.collect(),
        }
    }

    const GUID_BYTES: [u8; 16] = [0x78, 0x56, 0x34, 0x12, 0xcd, 0xab, 0x01, 0xef, 1, 2, 3, 4, 5, 6, 7, 8];
    const GUID_TEXT: &str = "12345678-abcd-ef01-0102-030405060708";

    #[test]
    fn what_is_no_text_is_left_out() {
        let alice = entry(&[
            ("mail", &[b"\xff", b"", b"a\0b", b"alice@example.org"]),
            ("MAIL", &[b"second"]),
        ]);
        assert_eq!(alice.texts("Mail").collect::<Vec<_>>(), ["alice@example.org", "second"]);
        assert_eq!(alice.text("cn"), None);
    }

    #[test]
    fn the_login_is_the_spelling_of_the_directory() {
        let alice = entry(&[("uid", &[b"Alice", b"Liddell"])]);
        assert_eq!(alice.login("uid", "LIDDELL"), "Liddell");
        assert_eq!(alice.login("uid", "alice@example.org"), "Alice");
        assert_eq!(alice.login("cn", "alice"), "alice");
    }

    #[test]
    fn the_subject_is_the_id_or_else_the_name() {
        assert_eq!(entry(&[]).subject(None).unwrap(), "uid=alice,dc=example");
        let openldap = entry(&[("entryUUID", &[b"u-1"]), ("employeeNumber", &[b"7"])]);
        assert_eq!(openldap.subject(None).unwrap(), "u-1");
        assert_eq!(openldap.subject(Some("employeeNumber")).unwrap(), "7");
        assert!(openldap.subject(Some("uidNumber")).is_err());
        assert_eq!(
            entry(&[("objectGUID", &[&GUID_BYTES])]).subject(None).unwrap(),
            GUID_TEXT
        );
        assert!(entry(&[("entryUUID", &[&[b'x'; 256]])]).subject(None).is_err());
    }

    #[test]
    fn a_guid_has_one_spelling() {
        assert_eq!(guid_bytes(GUID_TEXT), Some(GUID_BYTES));
        assert_eq!(guid_bytes(&GUID_TEXT.to_uppercase()), Some(GUID_BYTES));
        for wrong in [
            "",
            "12345678",
            "12345678abcdef010102030405060708",
            "1234567g-abcd-ef01-0102-030405060708",
        ] {
            assert_eq!(guid_bytes(wrong), None, "{wrong}");
        }
    }
}
