//! What a resolver knows of somebody, as the host is told.

use std::collections::BTreeMap;

use keyway_sdk::{Principal, Subject};

/// The attribute that holds the realm's name.
pub(crate) const REALM: &str = "realm.name";
const RESOLVER: &str = "realm.resolver";
const USERID: &str = "realm.userid";

/// The longest value of an attribute that is passed on, in bytes.
const MAX_VALUE: usize = 1024;

/// The longest subject that the host accepts, in bytes.
const MAX_SUBJECT: usize = 255;

/// The longest login name that the host lets somebody type, or accepts, in bytes.
const MAX_LOGIN: usize = 1024;

/// What the groups and attributes of somebody may have in bytes. The host keeps 12 KiB with a session, and the plugin's own attributes have less than one.
const MAX_KEPT: usize = 11 << 10;

/// Somebody whom a resolver knows by a name of its own. Holds no verifier of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The resolver's stable name.
    pub(crate) userid: String,
    pub(crate) login: String,
    /// `givenname`, `surname`, `phone`, `mobile`, `email` and whatever else there is. Empty values are none.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Person {
    /// As the host is told; `None` if it would not have the login or the user id.
    pub(crate) fn principal(self, resolver: &str) -> Option<Principal> {
        let subject = format!("{resolver}:{}", self.userid);
        if !is_login(&self.login) || !is_userid(&self.userid) || subject.len() > MAX_SUBJECT {
            return None;
        }
        let mut principal = Principal::own(subject).login(self.login);
        let kept = self.attributes.into_iter();
        principal.attributes.extend(kept.filter(|(_, value)| is_told(value)));
        principal.email = principal.attributes.get("email").cloned();
        principal.display_name = display_name(&principal.attributes);
        Some(principal)
    }
}

/// Whether somebody may have this login name. A database that is asked for another refuses the question, and anybody may type one.
pub(crate) fn is_login(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_LOGIN && !text.contains('\0')
}

/// Whether somebody may have this user id.
pub(crate) fn is_userid(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_SUBJECT && !text.contains('\0')
}

fn is_told(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_VALUE && !value.contains('\0') && !is_hash(value)
}

/// Whether it looks like a verifier of a password: `$6$...`, `{SSHA}...`. Whatever an operator maps, such is nobody's attribute.
fn is_hash(value: &str) -> bool {
    const TAGS: [&str; 8] = ["sha", "ssha", "md5", "smd5", "crypt", "pbkdf2", "argon2", "bcrypt"];
    // ownCloud numbers its formats.
    let value = value.split_once('|').map_or(value, |(_, rest)| rest);
    if let Some((tag, _)) = value.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        let tag = tag.to_ascii_lowercase();
        return TAGS.iter().any(|known| tag.starts_with(known));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let parts = value.strip_prefix('$').and_then(|rest| rest.split_once('$'));
    parts.is_some_and(|(name, _)| (1..=16).contains(&name.len()) && name.bytes().all(is_name))
}

fn display_name(attributes: &BTreeMap<String, String>) -> Option<String> {
    let part = |name: &str| attributes.get(name).map(String::as_str);
    let full = part("displayname").map(ToOwned::to_owned);
    full.or_else(|| match (part("givenname"), part("surname")) {
        (Some(given), Some(surname)) => Some(format!("{given} {surname}")),
        (one, other) => one.or(other).map(ToOwned::to_owned),
    })
}

/// Says which resolver knows the principal, and by which name. Attributes that the host would not keep, or that look like a hash, are left out.
pub(crate) fn known_to(mut principal: Principal, resolver: &str) -> Principal {
    let userid = userid(&principal, resolver).to_owned();
    // Another backend may have realms of its own.
    principal.attributes.remove(REALM);
    if let Some(email) = principal.email.clone() {
        principal.attributes.entry("email".to_owned()).or_insert(email);
    }
    let groups: usize = principal.groups.iter().map(String::len).sum();
    let mut room = MAX_KEPT.saturating_sub(groups);
    principal.attributes.retain(|name, value| {
        let left = room.checked_sub(name.len() + value.len()).filter(|_| is_told(value));
        room = left.unwrap_or(room);
        left.is_some()
    });
    principal.attribute(RESOLVER, resolver).attribute(USERID, userid)
}

/// The name by which the resolver knows the principal.
pub(crate) fn userid<'a>(principal: &'a Principal, resolver: &str) -> &'a str {
    match &principal.subject {
        Subject::Own(subject) => subject
            .strip_prefix(resolver)
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(subject),
        Subject::Directory(id) => id,
        Subject::Delegated { subject, .. } => subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_known_by_its_looks() {
        for (value, expected) in [
            ("$6$saltstring$zCnBvulZNStd", true),
            ("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", true),
            ("$pbkdf2-sha256$1000$c2FsdA$x", true),
            ("$P$6abcdefghCkmtDQaSd5xOHHDZrmpGv1", true),
            ("1|$2y$04$abcdefghijklmnopqrstuu", true),
            ("{SSHA}DB+g5gPHedLChP+gUNbl0W", true),
            ("{ssha512}suMo7RNM", true),
            ("{CRYPT}$1$abc$vr8", true),
            ("{PBKDF2-SHA256}1000$c2FsdA$x", true),
            ("$5", false),
            ("$5 and $6 more", false),
            ("{boss}", false),
            ("a|b", false),
            ("+49 711 $1$2", false),
            ("", false),
        ] {
            assert_eq!(is_hash(value), expected, "{value}");
        }
    }
}
