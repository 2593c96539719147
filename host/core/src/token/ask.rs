//! Asking a backend: within its gate and its deadline, and with what it answers held to what can be kept.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Answer, Changed, Found, Outcome, Principal, Subject};
use crate::port::{BackendFault, BackendSlot, Listing};

/// The longest identifier in bytes that a backend gets to see.
pub(super) const MAX_IDENTIFIER: usize = 1024;
/// The longest subject of a backend's own, in bytes.
const MAX_SUBJECT: usize = 255;
/// The longest login name in its canonical spelling, in bytes.
const MAX_LOGIN: usize = 1024;
/// What a backend may have kept with a session, in bytes: groups, and the names and values of attributes.
const MAX_KEPT: usize = 12 * 1024;
/// A backend watches its own deadline, and its fault says more than ours; so it gets this much longer.
const GRACE: Duration = Duration::from_millis(250);

/// An answer of a backend.
pub(super) trait Naming {
    /// Whom it names.
    fn named(&self) -> Option<&Principal>;
}

impl Naming for Option<Listing> {
    // What a listing names is shown and not kept; the runtime holds it within bounds.
    fn named(&self) -> Option<&Principal> {
        None
    }
}

impl Naming for Answer {
    fn named(&self) -> Option<&Principal> {
        match &self.outcome {
            Outcome::Verified(principal) => Some(principal),
            Outcome::Refused(_) | Outcome::Challenged(_) => None,
        }
    }
}

impl Naming for Option<Found> {
    fn named(&self) -> Option<&Principal> {
        match self {
            Some(Found::Principal(principal)) => Some(principal),
            Some(Found::Refused(_)) | None => None,
        }
    }
}

impl Naming for Option<Changed> {
    fn named(&self) -> Option<&Principal> {
        match self {
            Some(Changed::Changed(principal)) => Some(principal),
            Some(Changed::Refused(_) | Changed::Rejected(_)) | None => None,
        }
    }
}

/// Puts a question to the backend.
pub(super) async fn ask<T: Naming, F>(
    slot: &BackendSlot,
    question: impl FnOnce(std::time::Instant) -> F,
) -> Result<T, BackendFault>
where
    F: Future<Output = Result<T, BackendFault>>,
{
    let deadline = Instant::now() + slot.deadline;
    let pass = slot.gate.enter(deadline.into_std()).await?;
    let answer = tokio::time::timeout_at(deadline + GRACE, question(deadline.into_std()))
        .await
        .unwrap_or(Err(BackendFault::DeadlineExceeded(slot.deadline)))
        .and_then(|answer| match answer.named() {
            Some(principal) => check_principal(principal).map(|()| answer),
            None => Ok(answer),
        });
    pass.settle(answer.as_ref().err());
    answer
}

fn check_principal(principal: &Principal) -> Result<(), BackendFault> {
    let broken = |what: &str| Err(BackendFault::Broken(what.to_owned()));
    if let Subject::Own(subject) | Subject::Delegated { subject, .. } = &principal.subject
        && (subject.is_empty() || subject.len() > MAX_SUBJECT || subject.contains('\0'))
    {
        return broken("a subject is 1 to 255 bytes without NUL");
    }
    if principal.login.len() > MAX_LOGIN || principal.login.contains('\0') {
        return broken("a login is at most 1024 bytes without NUL");
    }
    let attributes = principal.attributes.iter().flat_map(|(name, value)| [name, value]);
    let kept: Vec<_> = attributes.chain(&principal.groups).collect();
    if kept.iter().map(|text| text.len()).sum::<usize>() > MAX_KEPT {
        return broken("attributes and groups are at most 12 KiB together");
    }
    // PostgreSQL keeps no NUL in a text.
    if kept
        .into_iter()
        .chain(&principal.accesses)
        .any(|text| text.contains('\0'))
    {
        return broken("no text has a NUL in it");
    }
    Ok(())
}
