//! A guest's answer, taken out of the contract's words into the host's, and kept within bounds.

use keyway_core::model::{Challenge, ChallengeKind, Changed, Found, Outcome, Principal, Refusal, Rejection, Subject};
use keyway_core::port::{BackendFault, Listing};

use crate::bindings::exports::keyway::backend::{browse, change_password, lookup};
use crate::bindings::keyway::backend::types as wit;
use crate::vouch::Vouched;

const STRING_BYTES: usize = 4 << 10;
const STATE_BYTES: usize = 8 << 10;
const ANSWER_BYTES: usize = 64 << 10;
const LIST_ENTRIES: usize = 256;
const SUBJECT_BYTES: usize = 255;
/// A listing may hold more than any other answer.
const LISTING_BYTES: usize = 1 << 20;
/// The most principals in one.
pub(crate) const LISTED: u32 = 1_000;

/// Translates an outcome.
pub(crate) fn translate(outcome: wit::Outcome, vouched: Vouched<'_>) -> Result<Outcome, BackendFault> {
    measure(&outcome)?;
    Ok(match outcome {
        wit::Outcome::Verified(verified) => Outcome::Verified(principal(verified, vouched)?),
        wit::Outcome::Refused(reason) => Outcome::Refused(refusal(reason)),
        wit::Outcome::Challenged(challenge) => Outcome::Challenged(Challenge {
            kind: match challenge.kind {
                wit::ChallengeKind::Otp => ChallengeKind::Otp,
                wit::ChallengeKind::Redirect(url) => ChallengeKind::Redirect(url),
                wit::ChallengeKind::Push => ChallengeKind::Push,
            },
            prompt: challenge.prompt,
            state: challenge.state,
            attributes: challenge.attributes,
        }),
    })
}

/// Translates what a look-up found; `None` where the plugin cannot tell.
pub(crate) fn found(found: lookup::Found, vouched: Vouched<'_>) -> Result<Option<Found>, BackendFault> {
    Ok(Some(match found {
        lookup::Found::Principal(found) => {
            Tape::new().principal(&found)?;
            Found::Principal(principal(found, vouched)?)
        }
        lookup::Found::Refused(reason) => Found::Refused(refusal(reason)),
        lookup::Found::CannotTell => return Ok(None),
    }))
}

/// Translates a listing of at most so many.
pub(crate) fn listing(listed: browse::Listing, most: u32, vouched: Vouched<'_>) -> Result<Listing, BackendFault> {
    if listed.principals.len() > usize::try_from(most).unwrap_or(usize::MAX) {
        return Err(broken("more principals than were asked for"));
    }
    let mut tape = Tape { left: LISTING_BYTES };
    let mut principals = Vec::with_capacity(listed.principals.len());
    for one in listed.principals {
        tape.principal(&one)?;
        principals.push(principal(one, vouched)?);
    }
    Ok(Listing {
        principals,
        complete: listed.complete,
    })
}

/// Translates what came of a change of a password.
pub(crate) fn changed(answer: change_password::Answer, vouched: Vouched<'_>) -> Result<Changed, BackendFault> {
    Ok(match answer {
        change_password::Answer::Changed(changed) => {
            Tape::new().principal(&changed)?;
            Changed::Changed(principal(changed, vouched)?)
        }
        change_password::Answer::Refused(reason) => Changed::Refused(refusal(reason)),
        change_password::Answer::Rejected(reason) => Changed::Rejected(match reason {
            change_password::Rejection::TooShort => Rejection::TooShort,
            change_password::Rejection::TooWeak => Rejection::TooWeak,
            change_password::Rejection::UsedBefore => Rejection::UsedBefore,
            change_password::Rejection::TooSoon => Rejection::TooSoon,
            change_password::Rejection::NotAllowed => Rejection::NotAllowed,
            change_password::Rejection::Unspecified => Rejection::Unspecified,
        }),
    })
}

fn principal(principal: wit::Principal, vouched: Vouched<'_>) -> Result<Principal, BackendFault> {
    if principal.login.is_empty() {
        return Err(broken("a principal without a login"));
    }
    Ok(Principal {
        subject: subject(principal.subject, vouched)?,
        login: principal.login,
        display_name: principal.display_name,
        email: principal.email,
        groups: principal.groups,
        accesses: principal.accesses,
        attributes: principal.attributes,
    })
}

fn subject(subject: wit::Subject, vouched: Vouched<'_>) -> Result<Subject, BackendFault> {
    match subject {
        wit::Subject::Directory(id) => {
            let why = "a directory user whose password was not matched during this call, and who was not found in it under `grants.directory = [\"find\", \"link\"]`";
            vouched.user(&id).ok_or_else(|| broken(why))
        }
        wit::Subject::Own(name) if name.is_empty() || name.len() > SUBJECT_BYTES => {
            Err(broken("a subject that is not 1 to 255 bytes long"))
        }
        wit::Subject::Own(name) => Ok(Subject::Own(name)),
        wit::Subject::Delegated(named) => {
            let why = "somebody of another backend whom that one did not name when it was asked during this call";
            vouched.delegated(&named).ok_or_else(|| broken(why))
        }
    }
}

fn refusal(refusal: wit::Refusal) -> Refusal {
    match refusal {
        wit::Refusal::WrongCredential => Refusal::WrongCredential,
        wit::Refusal::UnknownIdentifier => Refusal::UnknownIdentifier,
        wit::Refusal::Disabled => Refusal::Disabled,
        wit::Refusal::Locked => Refusal::Locked,
        wit::Refusal::Expired => Refusal::Expired,
        wit::Refusal::MustChangePassword => Refusal::MustChangePassword,
        wit::Refusal::Ambiguous => Refusal::Ambiguous,
        wit::Refusal::UnsupportedCredential => Refusal::UnsupportedCredential,
    }
}

fn broken(what: &str) -> BackendFault {
    BackendFault::Broken(format!("its answer holds {what}"))
}

fn measure(outcome: &wit::Outcome) -> Result<(), BackendFault> {
    let mut tape = Tape::new();
    match outcome {
        wit::Outcome::Verified(principal) => tape.principal(principal),
        wit::Outcome::Refused(_) => Ok(()),
        wit::Outcome::Challenged(challenge) => {
            if let wit::ChallengeKind::Redirect(url) = &challenge.kind {
                tape.text(url)?;
            }
            tape.text(&challenge.prompt)?;
            tape.pairs(&challenge.attributes)?;
            tape.take(challenge.state.len(), STATE_BYTES)
        }
    }
}

/// Adds up the bytes of an answer.
struct Tape {
    left: usize,
}

impl Tape {
    fn new() -> Self {
        Self { left: ANSWER_BYTES }
    }

    fn principal(&mut self, principal: &wit::Principal) -> Result<(), BackendFault> {
        match &principal.subject {
            wit::Subject::Directory(text) | wit::Subject::Own(text) => self.text(text)?,
            wit::Subject::Delegated(named) => {
                self.text(&named.backend)?;
                self.text(&named.subject)?;
            }
        }
        self.text(&principal.login)?;
        for text in principal.display_name.iter().chain(&principal.email) {
            self.text(text)?;
        }
        self.list(&principal.groups)?;
        self.list(&principal.accesses)?;
        self.pairs(&principal.attributes)
    }

    fn take(&mut self, bytes: usize, max: usize) -> Result<(), BackendFault> {
        let rest = self.left.checked_sub(bytes).filter(|_| bytes <= max);
        self.left = rest.ok_or_else(too_large)?;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), BackendFault> {
        // PostgreSQL stores no NUL, so such an answer would fail later, in a place that could not say why.
        if text.contains('\0') {
            return Err(broken("a NUL character"));
        }
        self.take(text.len(), STRING_BYTES)
    }

    fn list(&mut self, list: &[String]) -> Result<(), BackendFault> {
        count(list.len())?;
        list.iter().try_for_each(|text| self.text(text))
    }

    fn pairs(&mut self, list: &[(String, String)]) -> Result<(), BackendFault> {
        count(list.len())?;
        list.iter()
            .try_for_each(|(key, value)| self.text(key).and_then(|()| self.text(value)))
    }
}

fn count(entries: usize) -> Result<(), BackendFault> {
    if entries > LIST_ENTRIES {
        Err(too_large())
    } else {
        Ok(())
    }
}

/// The fault for an answer that is over its bounds, the engine's own bound on what it copies included.
pub(crate) fn too_large() -> BackendFault {
    BackendFault::LimitExceeded("answer size".to_owned())
}

#[cfg(test)]
mod tests;
