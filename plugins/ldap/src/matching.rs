//! Whom a search for one user found.

use std::io::{Read, Write};

use keyway_sdk::{Fault, Refusal, log};
use ldap3_proto::proto::{LdapResultCode as Code, LdapSearchScope};

use crate::entry::Entry;
use crate::session::{Answer, Hits, Search, Session, SessionError};
use crate::verdict::refused_operation;

/// What came of a search for one user.
pub(crate) type Match = Result<Entry, Refusal>;

/// Searches for one entry.
pub(crate) fn search<S: Read + Write>(session: &mut Session<S>, search: &Search<'_>) -> Result<Match, Fault> {
    match session.search(search) {
        Ok(hits) => only(hits, search),
        Err(SessionError::TooLarge) => Ok(Err(unreadable())),
        Err(error) => Err(error.into()),
    }
}

/// Whether the directory did what was asked, which on a connection that was kept it may not.
pub(crate) fn is_decided(hits: &Hits, search: &Search<'_>) -> bool {
    hits.answer.is_success() || is_too_much(&hits.answer) || is_absent(&hits.answer, search)
}

/// Whether a name fits more entries than the directory tells of, or looks through, which is the matter of whoever typed it.
fn is_too_much(answer: &Answer) -> bool {
    matches!(
        answer.code,
        Code::SizeLimitExceeded | Code::AdminLimitExceeded | Code::TimeLimitExceeded
    )
}

/// Whether the one entry that was asked for by its name is not there. Of a search below a base the same answer says that the base is wrong.
fn is_absent(answer: &Answer, search: &Search<'_>) -> bool {
    answer.code == Code::NoSuchObject && search.scope == LdapSearchScope::Base
}

/// Refuses the owner of an entry that cannot be read. It is no fault: whoever may write their own entry would keep everybody else out.
pub(crate) fn unreadable() -> Refusal {
    log::warn!(
        "the entry of a user cannot be read, because it is too large or not text, so its owner is refused",
        step = "search"
    );
    Refusal::UnknownIdentifier
}

/// The one entry of a search.
pub(crate) fn only(hits: Hits, search: &Search<'_>) -> Result<Match, Fault> {
    let Hits {
        mut entries,
        unreadable: strange,
        references,
        answer,
    } = hits;
    let count = entries.len() + strange;
    let plural = if count == 1 { "entry" } else { "entries" };
    log::debug!("{count} {plural}", step = "search");
    if references > 0 {
        log::debug!(
            "references to other servers, which are not followed",
            step = "search",
            count = references
        );
    }
    if is_too_much(&answer) {
        return Ok(Err(Refusal::Ambiguous));
    }
    if is_absent(&answer, search) {
        return Ok(Err(Refusal::UnknownIdentifier));
    }
    if !answer.is_success() {
        let answer = match search.scope {
            // The base is the user's own name, which the directory may repeat.
            LdapSearchScope::Base => answer.without_words(),
            _ => answer,
        };
        return Err(refused_operation("the search for a user", &answer));
    }
    match (entries.pop(), count) {
        (_, 0) => Ok(Err(Refusal::UnknownIdentifier)),
        // It would be bound as nobody.
        (Some(entry), 1) if entry.dn.is_empty() => {
            Err(Fault::unavailable("the directory sent an entry without a name"))
        }
        (Some(entry), 1) => Ok(Ok(entry)),
        (None, 1) => Ok(Err(unreadable())),
        _ => Ok(Err(Refusal::Ambiguous)),
    }
}
