//! What a resolver knows of somebody, as the host is told.

use std::collections::BTreeMap;

use keyway_sdk::{Fault, Principal, Subject};

/// The attribute that holds the realm's name.
pub(crate) const REALM: &str = "realm.name";
const RESOLVER: &str = "realm.resolver";
const USERID: &str = "realm.userid";

/// The longest value of an attribute that is passed on, in bytes.
const MAX_VALUE: usize = 1024;

/// The longest subject that the host accepts, in bytes.
const MAX_SUBJECT: usize = 255;

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
    /// As the host is told.
    ///
    /// # Errors
    /// A [`Fault`] if the user id makes no subject.
    pub(crate) fn principal(self, resolver: &str) -> Result<Principal, Fault> {
        let subject = format!("{resolver}:{}", self.userid);
        if self.userid.is_empty() || subject.len() > MAX_SUBJECT {
            let problem = format!("a user id is empty, or longer than {MAX_SUBJECT} bytes with the resolver's name");
            return Err(Fault::unavailable(problem));
        }
        let mut principal = Principal::own(subject).login(self.login);
        let kept = self.attributes.into_iter();
        principal
            .attributes
            .extend(kept.filter(|(_, value)| !value.is_empty() && value.len() <= MAX_VALUE));
        principal.email = principal.attributes.get("email").cloned();
        principal.display_name = display_name(&principal.attributes);
        Ok(principal)
    }
}

fn display_name(attributes: &BTreeMap<String, String>) -> Option<String> {
    let part = |name: &str| attributes.get(name).map(String::as_str);
    let full = part("displayname").map(ToOwned::to_owned);
    full.or_else(|| match (part("givenname"), part("surname")) {
        (Some(given), Some(surname)) => Some(format!("{given} {surname}")),
        (one, other) => one.or(other).map(ToOwned::to_owned),
    })
}

/// Says which resolver knows the principal, and by which name.
pub(crate) fn known_to(mut principal: Principal, resolver: &str) -> Principal {
    let userid = userid(&principal, resolver).to_owned();
    // Another backend may have realms of its own.
    principal.attributes.remove(REALM);
    if let Some(email) = principal.email.clone() {
        principal.attributes.entry("email".to_owned()).or_insert(email);
    }
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
