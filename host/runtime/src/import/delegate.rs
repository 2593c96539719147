//! `delegate`: other backends that the operator lets this one ask.

use std::sync::Arc;

use keyway_core::model::{self, BackendName, Credential};
use keyway_core::port::{BackendFault, BackendSlot, BrowseRequest, LookupKey, LookupRequest, Step, VerifyRequest};
use wasmtime::component::Resource;

use super::secrets::HeldSecret;
use crate::answer::LISTED;
use crate::bindings::keyway::backend::delegate::{DelegateError, Found, Host};
use crate::bindings::keyway::backend::types as wit;
use crate::call::CallState;
use crate::delegation::{self, DEPTH, Delegation, Question};

/// The longest login name that a backend gets to see, in bytes.
const IDENTIFIER_BYTES: usize = 1024;

impl Host for CallState {
    async fn verify_password(
        &mut self,
        backend: String,
        identifier: String,
        password: Resource<HeldSecret>,
    ) -> wasmtime::Result<Result<wit::Outcome, DelegateError>> {
        self.meter.charge(backend.len() + identifier.len())?;
        let credential = Credential::Password(self.held(&password)?.clone());
        let asked = match self.may_ask(&backend) {
            Ok(asked) => asked,
            Err(error) => return Ok(Err(error)),
        };
        if identifier.is_empty() || identifier.len() > IDENTIFIER_BYTES {
            return Ok(Ok(wit::Outcome::Refused(wit::Refusal::UnknownIdentifier)));
        }
        let step = Step::Start { identifier, credential };
        Ok(self.verify_there(&asked, step).await)
    }

    async fn answer_challenge(
        &mut self,
        backend: String,
        state: Vec<u8>,
        response: Resource<HeldSecret>,
    ) -> wasmtime::Result<Result<wit::Outcome, DelegateError>> {
        self.meter.charge(backend.len() + state.len())?;
        let response = self.held(&response)?.clone();
        let asked = match self.may_ask(&backend) {
            Ok(asked) => asked,
            Err(error) => return Ok(Err(error)),
        };
        let Some(state) = asked.delegation.open(&self.profile.backend, &asked.slot.name, &state) else {
            return Ok(Ok(wit::Outcome::Refused(wit::Refusal::Expired)));
        };
        Ok(self.verify_there(&asked, Step::Answer { state, response }).await)
    }

    async fn find_by_identifier(
        &mut self,
        backend: String,
        identifier: String,
    ) -> wasmtime::Result<Result<Found, DelegateError>> {
        self.meter.charge(backend.len() + identifier.len())?;
        let asked = match self.may_ask(&backend) {
            Ok(asked) => asked,
            Err(error) => return Ok(Err(error)),
        };
        if identifier.is_empty() || identifier.len() > IDENTIFIER_BYTES {
            return Ok(Ok(Found::Refused(wit::Refusal::UnknownIdentifier)));
        }
        Ok(self.find_there(&asked, LookupKey::Identifier(identifier)).await)
    }

    async fn find_by_subject(
        &mut self,
        backend: String,
        subject: String,
    ) -> wasmtime::Result<Result<Found, DelegateError>> {
        self.meter.charge(backend.len() + subject.len())?;
        match self.may_ask(&backend) {
            Ok(asked) => Ok(self.find_there(&asked, LookupKey::Subject(subject)).await),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn list_users(
        &mut self,
        backend: String,
        login: String,
        most: u32,
    ) -> wasmtime::Result<Result<Option<Vec<wit::Principal>>, DelegateError>> {
        self.meter.charge(backend.len() + login.len())?;
        match self.may_ask(&backend) {
            Ok(asked) => Ok(self.list_there(&asked, login, most.min(LISTED)).await),
            Err(error) => Ok(Err(error)),
        }
    }
}

/// A backend that may be asked now.
struct Asked {
    slot: BackendSlot,
    delegation: Arc<Delegation>,
}

impl CallState {
    /// The other backend, if this one may ask it, and may ask anybody any more.
    fn may_ask(&mut self, name: &str) -> Result<Asked, DelegateError> {
        if !self.profile.capabilities.may_ask(name) {
            return Err(DelegateError::NotGranted(format!("grants.delegate = [\"{name}\"]")));
        }
        if !self.meter.take_delegation() {
            return Err(DelegateError::LimitReached);
        }
        let delegation = self.profile.delegation.clone().ok_or(DelegateError::Unknown)?;
        let slot = delegation.find(name).ok_or(DelegateError::Unknown)?;
        let (asker, request_id, asked) = (&self.profile.backend, &self.request_id, &slot.name);
        // Configurations are checked for circles, but those that APIs change need not be the file's.
        let is_circle = asked == asker || delegation::askers(&self.context).any(|asker| asker == asked.as_str());
        if is_circle || delegation::depth(&self.context) >= DEPTH {
            tracing::warn!(backend = %asker, request_id, %asked, is_circle, "backends ask each other in a circle, or too deeply");
            return Err(DelegateError::LimitReached);
        }
        Ok(Asked { slot, delegation })
    }

    async fn verify_there(&mut self, asked: &Asked, step: Step) -> Result<wit::Outcome, DelegateError> {
        let verify = |question: Question| async move {
            let request = VerifyRequest {
                context: question.context,
                step,
                deadline: question.deadline,
            };
            question.backend.verify(request).await
        };
        let name = &asked.slot.name;
        Ok(match self.ask_there(asked, verify).await?.outcome {
            model::Outcome::Verified(principal) => {
                let subject = self.witness.verified(name, &principal.subject);
                wit::Outcome::Verified(self.told(asked, subject, principal)?)
            }
            model::Outcome::Refused(reason) => wit::Outcome::Refused(refusal(reason)),
            model::Outcome::Challenged(challenge) => wit::Outcome::Challenged(wit::Challenge {
                kind: match challenge.kind {
                    model::ChallengeKind::Otp => wit::ChallengeKind::Otp,
                    model::ChallengeKind::Redirect(url) => wit::ChallengeKind::Redirect(url),
                    model::ChallengeKind::Push => wit::ChallengeKind::Push,
                },
                prompt: challenge.prompt,
                state: asked.delegation.seal(&self.profile.backend, name, &challenge.state),
                attributes: challenge.attributes,
            }),
        })
    }

    async fn find_there(&mut self, asked: &Asked, key: LookupKey) -> Result<Found, DelegateError> {
        if !asked.slot.backend.abilities().lookup {
            return Ok(Found::CannotTell);
        }
        let lookup = |question: Question| async move {
            let request = LookupRequest {
                context: question.context,
                key,
                deadline: question.deadline,
            };
            question.backend.lookup(request).await
        };
        Ok(match self.ask_there(asked, lookup).await? {
            Some(model::Found::Principal(principal)) => {
                let subject = self.witness.named(&asked.slot.name, &principal.subject);
                Found::Principal(self.told(asked, subject, principal)?)
            }
            Some(model::Found::Refused(reason)) => Found::Refused(refusal(reason)),
            None => Found::CannotTell,
        })
    }

    async fn list_there(
        &mut self,
        asked: &Asked,
        login: String,
        most: u32,
    ) -> Result<Option<Vec<wit::Principal>>, DelegateError> {
        if !asked.slot.backend.abilities().browse {
            return Ok(None);
        }
        let browse = |question: Question| async move {
            let request = BrowseRequest {
                context: question.context,
                realm: None,
                resolver: None,
                patterns: vec![("login".to_owned(), login)],
                most,
                deadline: question.deadline,
            };
            question.backend.browse(request).await
        };
        let Some(listing) = self.ask_there(asked, browse).await? else {
            return Ok(None);
        };
        let bytes = listing.principals.iter().map(size).sum();
        if !self.meter.take_fetched(bytes) {
            return Err(DelegateError::LimitReached);
        }
        let mut principals = Vec::with_capacity(listing.principals.len());
        for principal in listing.principals {
            let subject = self.witness.named(&asked.slot.name, &principal.subject);
            principals.push(self.told(asked, subject, principal)?);
        }
        Ok(Some(principals))
    }

    /// Puts a question, and tells the guest nothing of why there is no answer.
    async fn ask_there<T, F>(&mut self, asked: &Asked, question: impl FnOnce(Question) -> F) -> Result<T, DelegateError>
    where
        F: Future<Output = Result<T, BackendFault>>,
    {
        let context = delegation::on_behalf_of(&self.context, &self.profile.backend);
        self.asking = Some(asked.slot.name.clone());
        let answered = delegation::ask(&asked.slot, context, self.deadline, question).await;
        self.asking = None;
        answered.map_err(|fault| self.not_told(&asked.slot.name, &fault))
    }

    fn not_told(&mut self, asked: &BackendName, fault: &BackendFault) -> DelegateError {
        let (backend, request_id) = (&self.profile.backend, &self.request_id);
        tracing::warn!(%backend, request_id, %asked, %fault, "another backend did not decide");
        self.failed_delegate = Some(asked.clone());
        match fault {
            BackendFault::NotLoaded => DelegateError::Unknown,
            _ => DelegateError::Unavailable,
        }
    }

    /// A principal as the guest is told of it. One that the other backend may not have named is its fault.
    fn told(
        &mut self,
        asked: &Asked,
        subject: Option<wit::Subject>,
        principal: model::Principal,
    ) -> Result<wit::Principal, DelegateError> {
        let Some(subject) = subject else {
            let fault = BackendFault::Broken("it names somebody whom it cannot name here".to_owned());
            return Err(self.not_told(&asked.slot.name, &fault));
        };
        Ok(wit::Principal {
            subject,
            login: principal.login,
            display_name: principal.display_name,
            email: principal.email,
            groups: principal.groups,
            accesses: principal.accesses,
            attributes: principal.attributes,
        })
    }
}

fn refusal(refusal: model::Refusal) -> wit::Refusal {
    match refusal {
        // The host says it of a login that it let nobody in by.
        model::Refusal::WrongCredential | model::Refusal::Overtaken => wit::Refusal::WrongCredential,
        model::Refusal::UnknownIdentifier => wit::Refusal::UnknownIdentifier,
        model::Refusal::Disabled => wit::Refusal::Disabled,
        model::Refusal::Locked => wit::Refusal::Locked,
        model::Refusal::Expired => wit::Refusal::Expired,
        model::Refusal::MustChangePassword => wit::Refusal::MustChangePassword,
        model::Refusal::Ambiguous => wit::Refusal::Ambiguous,
        model::Refusal::UnsupportedCredential => wit::Refusal::UnsupportedCredential,
    }
}

fn size(principal: &model::Principal) -> usize {
    let plain = [
        Some(&principal.login),
        principal.display_name.as_ref(),
        principal.email.as_ref(),
    ];
    let attributes = principal.attributes.iter().flat_map(|(name, value)| [name, value]);
    let texts = plain.into_iter().flatten().chain(attributes);
    texts
        .chain(&principal.groups)
        .chain(&principal.accesses)
        .map(String::len)
        .sum()
}
