//! The other backends that the real host lets a plugin ask, and their answers in the SDK's types.

use super::host::Handle;
use crate::delegate::DelegateError;
use crate::wit::authenticator::keyway::backend::{delegate, types};
use crate::{Challenge, ChallengeKind, Found, Key, Outcome, Principal, Refusal, Subject};

pub(crate) fn delegate_verify(backend: &str, identifier: &str, password: &Handle) -> Result<Outcome, DelegateError> {
    Ok(delegate::verify_password(backend, identifier, &password.0)?.into())
}

pub(crate) fn delegate_answer(backend: &str, state: &[u8], response: &Handle) -> Result<Outcome, DelegateError> {
    Ok(delegate::answer_challenge(backend, state, &response.0)?.into())
}

pub(crate) fn delegate_find(backend: &str, key: &Key) -> Result<Found, DelegateError> {
    let found = match key {
        Key::Identifier(identifier) => delegate::find_by_identifier(backend, identifier)?,
        Key::Subject(subject) => delegate::find_by_subject(backend, subject)?,
    };
    Ok(match found {
        delegate::Found::Principal(principal) => Found::Principal(principal.into()),
        delegate::Found::Refused(refusal) => Found::Refused(refusal.into()),
        delegate::Found::CannotTell => Found::CannotTell,
    })
}

pub(crate) fn delegate_list(backend: &str, login: &str, most: u32) -> Result<Option<Vec<Principal>>, DelegateError> {
    let listed = delegate::list_users(backend, login, most)?;
    Ok(listed.map(|principals| principals.into_iter().map(Into::into).collect()))
}

impl From<types::Outcome> for Outcome {
    fn from(outcome: types::Outcome) -> Self {
        match outcome {
            types::Outcome::Verified(principal) => Self::Verified(principal.into()),
            types::Outcome::Refused(refusal) => Self::Refused(refusal.into()),
            types::Outcome::Challenged(challenge) => Self::Challenged(challenge.into()),
        }
    }
}

impl From<types::Principal> for Principal {
    fn from(principal: types::Principal) -> Self {
        Self {
            subject: match principal.subject {
                types::Subject::Directory(id) => Subject::Directory(id),
                types::Subject::Own(name) => Subject::Own(name),
                types::Subject::Delegated(types::DelegatedSubject { backend, subject }) => {
                    Subject::Delegated { backend, subject }
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

impl From<types::Refusal> for Refusal {
    fn from(refusal: types::Refusal) -> Self {
        match refusal {
            types::Refusal::WrongCredential => Self::WrongCredential,
            types::Refusal::UnknownIdentifier => Self::UnknownIdentifier,
            types::Refusal::Disabled => Self::Disabled,
            types::Refusal::Locked => Self::Locked,
            types::Refusal::Expired => Self::Expired,
            types::Refusal::MustChangePassword => Self::MustChangePassword,
            types::Refusal::Ambiguous => Self::Ambiguous,
            types::Refusal::UnsupportedCredential => Self::UnsupportedCredential,
        }
    }
}

impl From<types::Challenge> for Challenge {
    fn from(challenge: types::Challenge) -> Self {
        Self {
            kind: match challenge.kind {
                types::ChallengeKind::Otp => ChallengeKind::Otp,
                types::ChallengeKind::Redirect(url) => ChallengeKind::Redirect(url),
                types::ChallengeKind::Push => ChallengeKind::Push,
            },
            prompt: challenge.prompt,
            state: challenge.state,
            attributes: challenge.attributes.into_iter().collect(),
        }
    }
}

impl From<delegate::DelegateError> for DelegateError {
    fn from(error: delegate::DelegateError) -> Self {
        match error {
            delegate::DelegateError::NotGranted(grant) => Self::NotGranted(grant),
            delegate::DelegateError::Unknown => Self::Unknown,
            delegate::DelegateError::Unavailable => Self::Unavailable,
            delegate::DelegateError::LimitReached => Self::LimitReached,
        }
    }
}
