//! Answers, as the contract writes them.

use super::{exported_browse, exported_change, exported_lookup, types};
use crate::{
    Challenge, ChallengeKind, Changed, Fault, Found, Listing, Outcome, Principal, Refusal, Rejection, Subject,
};

impl From<Outcome> for types::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Verified(principal) => Self::Verified(principal.into()),
            Outcome::Refused(refusal) => Self::Refused(refusal.into()),
            Outcome::Challenged(challenge) => Self::Challenged(challenge.into()),
        }
    }
}

impl From<Found> for exported_lookup::Found {
    fn from(found: Found) -> Self {
        match found {
            Found::Principal(principal) => Self::Principal(principal.into()),
            Found::Refused(refusal) => Self::Refused(refusal.into()),
            Found::CannotTell => Self::CannotTell,
        }
    }
}

impl From<Changed> for exported_change::Answer {
    fn from(changed: Changed) -> Self {
        match changed {
            Changed::Changed(principal) => Self::Changed(principal.into()),
            Changed::Refused(refusal) => Self::Refused(refusal.into()),
            Changed::Rejected(rejection) => Self::Rejected(match rejection {
                Rejection::TooShort => exported_change::Rejection::TooShort,
                Rejection::TooWeak => exported_change::Rejection::TooWeak,
                Rejection::UsedBefore => exported_change::Rejection::UsedBefore,
                Rejection::TooSoon => exported_change::Rejection::TooSoon,
                Rejection::NotAllowed => exported_change::Rejection::NotAllowed,
                Rejection::Unspecified => exported_change::Rejection::Unspecified,
            }),
        }
    }
}

impl From<Listing> for exported_browse::Listing {
    fn from(listing: Listing) -> Self {
        Self {
            principals: listing.principals.into_iter().map(Into::into).collect(),
            complete: listing.complete,
        }
    }
}

impl From<Principal> for types::Principal {
    fn from(principal: Principal) -> Self {
        Self {
            subject: match principal.subject {
                Subject::Directory(id) => types::Subject::Directory(id),
                Subject::Own(name) => types::Subject::Own(name),
                Subject::Delegated { backend, subject } => {
                    types::Subject::Delegated(types::DelegatedSubject { backend, subject })
                }
            },
            login: principal.login,
            display_name: principal.display_name,
            email: principal.email,
            groups: principal.groups,
            accesses: principal.accesses,
            attributes: principal.attributes.into_iter().collect(),
        }
    }
}

impl From<Refusal> for types::Refusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongCredential => Self::WrongCredential,
            Refusal::UnknownIdentifier => Self::UnknownIdentifier,
            Refusal::Disabled => Self::Disabled,
            Refusal::Locked => Self::Locked,
            Refusal::Expired => Self::Expired,
            Refusal::MustChangePassword => Self::MustChangePassword,
            Refusal::Ambiguous => Self::Ambiguous,
            Refusal::UnsupportedCredential => Self::UnsupportedCredential,
        }
    }
}

impl From<Challenge> for types::Challenge {
    fn from(challenge: Challenge) -> Self {
        Self {
            kind: match challenge.kind {
                ChallengeKind::Otp => types::ChallengeKind::Otp,
                ChallengeKind::Redirect(url) => types::ChallengeKind::Redirect(url),
                ChallengeKind::Push => types::ChallengeKind::Push,
            },
            prompt: challenge.prompt,
            state: challenge.state,
            attributes: challenge.attributes.into_iter().collect(),
        }
    }
}

impl From<Fault> for types::Fault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unavailable(message) => Self::Unavailable(message),
            Fault::Misconfigured(message) => Self::Misconfigured(message),
            Fault::Internal(message) => Self::Internal(message),
        }
    }
}
