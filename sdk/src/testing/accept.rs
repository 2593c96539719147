//! What the real host accepts of a backend.

use super::host::State;
use crate::{Changed, Description, Fault, Found, Listing, Outcome, Principal, Subject};

const STATE_LIMIT: usize = 8 * 1024;

pub(super) fn outcome(outcome: &Outcome, state: &State) -> Result<(), Fault> {
    match outcome {
        Outcome::Verified(verified) => principal(verified, state),
        Outcome::Challenged(challenge) if challenge.state.len() > STATE_LIMIT => {
            Err(Fault::internal("the state of the challenge is longer than 8 KiB"))
        }
        Outcome::Refused(_) | Outcome::Challenged(_) => Ok(()),
    }
}

pub(super) fn found(found: &Found, state: &State) -> Result<(), Fault> {
    match found {
        Found::Principal(found) => searched(found, state),
        Found::Refused(_) | Found::CannotTell => Ok(()),
    }
}

pub(super) fn listing(listing: &Listing, state: &State) -> Result<(), Fault> {
    listing.principals.iter().try_for_each(|found| searched(found, state))
}

/// Somebody who presented nothing: whom the host found, or another backend named, may be told of. It lets nobody in.
fn searched(found: &Principal, state: &State) -> Result<(), Fault> {
    match &found.subject {
        Subject::Directory(id) if state.found.contains(id) => Ok(()),
        Subject::Directory(id) => Err(Fault::internal(format!(
            "the host did not find the directory user `{id}` during this call, so it does not believe the answer"
        ))),
        Subject::Delegated { backend, subject } if state.named.contains(&(backend.clone(), subject.clone())) => Ok(()),
        _ => principal(found, state),
    }
}

pub(super) fn changed(changed: &Changed, state: &State) -> Result<(), Fault> {
    match changed {
        Changed::Changed(changed) => principal(changed, state),
        Changed::Refused(_) | Changed::Rejected(_) => Ok(()),
    }
}

fn principal(principal: &Principal, state: &State) -> Result<(), Fault> {
    match &principal.subject {
        Subject::Directory(id) if !state.matched.contains(id) && !state.linkable.contains(id) => {
            Err(Fault::internal(format!(
                "the host matched no password of the directory user `{id}` during this call, nor found it under `directory.link`, so it does not \
                 believe the answer"
            )))
        }
        Subject::Delegated { backend, subject } if !state.verified.contains(&(backend.clone(), subject.clone())) => {
            Err(Fault::internal(format!(
                "the backend `{backend}` did not verify `{subject}` during this call, so the host does not believe the answer"
            )))
        }
        Subject::Own(name) if name.is_empty() || name.len() > 255 => {
            Err(Fault::internal("the subject is not 1 to 255 bytes long"))
        }
        Subject::Directory(_) | Subject::Own(_) | Subject::Delegated { .. } => Ok(()),
    }
}

pub(super) fn description(description: &Description) {
    let name = description.name();
    assert!(
        (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-'),
        "the name `{name}` is not 1 to 64 characters of `a-z`, `0-9`, `_` and `-`"
    );
    let numbers: Vec<&str> = description
        .version()
        .split(['-', '+'])
        .next()
        .unwrap_or_default()
        .split('.')
        .collect();
    assert!(
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u64>().is_ok()),
        "the version `{}` is no semantic version",
        description.version()
    );
}
