//! Who is it? From a credential, or from the answer to a challenge, to somebody who is proved.

use super::ask::{MAX_IDENTIFIER, ask};
use super::challenge::{Pending, PendingSubject};
use super::issue::Verified;
use super::slot::Whose;
use super::{Asked, FactorRule, LoginRequest, ProofOutcome, Proved, TokenError, TokenService};
use crate::Secret;
use crate::model::{Answer, Challenge, Credential, Factor, Outcome, Refusal};
use crate::password::Share;
use crate::port::{BackendFault, BackendSlot, RequestContext, RevocationMark, Step, VerifyRequest};

/// The attribute of a request that names the realm in which somebody is looked for, whatever the login name says.
pub const REQUESTED_REALM: &str = "realm";

/// How a step ended, if it was neither refused nor failed.
pub(super) enum Judgement {
    /// It is proved.
    Proved(Box<Judged>),
    /// Another step is wanted.
    Asked(Asked),
}

/// Who is proved.
pub(super) struct Judged {
    pub(super) slot: BackendSlot,
    pub(super) verified: Verified,
    /// The factor that was used.
    pub(super) factor: Option<Factor>,
}

/// A first step under way.
#[derive(Clone, Copy)]
pub(super) struct FirstStep<'a> {
    pub(super) slot: &'a BackendSlot,
    pub(super) request: &'a LoginRequest,
    pub(super) identifier: &'a str,
    pub(super) since: RevocationMark,
}

impl TokenService {
    /// Finds out who somebody is, as a login does, and opens no session.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn prove(&self, mut request: LoginRequest) -> Result<ProofOutcome, TokenError> {
        match self.judge(&mut request).await? {
            Judgement::Proved(judged) => Ok(ProofOutcome::Proved(Box::new(Proved {
                identity: judged.verified.identity,
                principal: judged.verified.principal,
                factor: judged.factor,
            }))),
            Judgement::Asked(asked) => Ok(ProofOutcome::Challenged(asked)),
        }
    }

    /// Takes the credential out of the request, and judges it.
    pub(super) async fn judge(&self, request: &mut LoginRequest) -> Result<Judgement, TokenError> {
        if let Some(transaction) = request.transaction.take() {
            return self.judge_answer(request, &transaction).await;
        }
        let whose = Whose::Named(request.tenant.as_deref());
        let Some(slot) = self.find_slot(&request.backend, whose).await? else {
            self.burn(request.credentials.as_ref()).await?;
            return Err(TokenError::UnknownBackend(request.backend.clone()));
        };
        let Some((identifier, credential)) = request.credentials.take() else {
            self.burn(None).await?;
            return Err(TokenError::NoCredential);
        };
        // A digest says by itself whose it is, and what its clients send names nobody.
        let is_unnamed = identifier.is_empty() && !matches!(credential, Credential::Digest { .. });
        if is_unnamed || identifier.len() > MAX_IDENTIFIER {
            self.burn(Some(&(identifier, credential))).await?;
            return Err(TokenError::Refused(Refusal::UnknownIdentifier));
        }
        let first = FirstStep {
            slot: &slot,
            request,
            identifier: &identifier,
            since: self.store.revocation_mark().await?,
        };
        match request.factors {
            FactorRule::Never => self.by_password(first, credential).await,
            FactorRule::WhereActive | FactorRule::Required => self.by_password_and_factor(first, credential).await,
            FactorRule::PinAndOtp { .. } | FactorRule::OtpOnly { .. } => self.by_factor(first, credential).await,
        }
    }

    /// What the backend says alone.
    pub(super) async fn by_password(
        &self,
        first: FirstStep<'_>,
        credential: Credential,
    ) -> Result<Judgement, TokenError> {
        let answer = first.verify(credential).await?;
        match answer.outcome {
            Outcome::Verified(principal) => first.proved_by_backend(self, principal, &answer.plugin).await,
            Outcome::Refused(reason) => Err(TokenError::Refused(reason)),
            Outcome::Challenged(challenge) => self.hand_on(first, challenge).await,
        }
    }

    /// Keeps the backend's own challenge.
    pub(super) async fn hand_on(&self, first: FirstStep<'_>, challenge: Challenge) -> Result<Judgement, TokenError> {
        let steps = self.second_steps(first.slot)?;
        let pending = first.pending(PendingSubject::Backend { state: challenge.state });
        Ok(Judgement::Asked(Asked {
            transaction: steps.challenges.begin(&pending).await?,
            kind: challenge.kind,
            prompt: challenge.prompt,
            factors: Vec::new(),
            attributes: challenge.attributes,
            login: None,
        }))
    }

    async fn judge_answer(&self, request: &mut LoginRequest, transaction: &str) -> Result<Judgement, TokenError> {
        let Some((identifier, credential)) = request.credentials.take() else {
            return Err(TokenError::NoCredential);
        };
        let Some(response) = secret_of(credential) else {
            return Err(TokenError::Refused(Refusal::UnsupportedCredential));
        };
        let Some(steps) = &self.factors else {
            return Err(TokenError::Refused(Refusal::Expired));
        };
        let Some(pending) = steps.challenges.find(transaction).await? else {
            return Err(TokenError::Refused(Refusal::Expired));
        };
        if !pending.is_answered_by(&identifier, request) {
            return Err(TokenError::Refused(Refusal::WrongCredential));
        }
        let whose = Whose::Named(pending.tenant.as_deref());
        let Some(slot) = self.find_slot(pending.backend.as_str(), whose).await? else {
            return Err(TokenError::UnknownBackend(pending.backend.to_string()));
        };
        request.tenant.clone_from(&pending.tenant);
        let first = FirstStep {
            slot: &slot,
            request,
            identifier: &pending.identifier,
            since: RevocationMark(pending.since),
        };
        match &pending.subject {
            PendingSubject::Factors { .. } => {
                self.judge_otp(first, steps, &pending.subject, &response, transaction)
                    .await
            }
            PendingSubject::Backend { state } => {
                // Good for one answer, so that nobody tries all of the answers that there are: what counts failures is the backend's own affair.
                if !steps.challenges.finish(transaction).await? {
                    return Err(TokenError::Refused(Refusal::Expired));
                }
                let step = Step::Answer {
                    state: state.clone(),
                    response,
                };
                let answer = first.ask(step).await?;
                self.after_password(first, answer, None).await
            }
        }
    }

    /// Does the work of one comparison, so that a login that no backend judges costs what a wrong password costs.
    ///
    /// # Errors
    /// [`TokenError::Saturated`].
    pub async fn burn(&self, credentials: Option<&(String, Credential)>) -> Result<(), TokenError> {
        let nothing = Secret::new(Vec::new());
        let secret = match credentials {
            Some((_, Credential::Password(secret) | Credential::Otp(secret) | Credential::ApiKey(secret))) => secret,
            Some((_, Credential::Digest { value, .. })) => value,
            None => &nothing,
        };
        // The pool can only be saturated: there is no verifier to find fault with.
        let burnt = self.passwords.burn(&Share::Unjudged, secret).await;
        burnt.map_err(|_| TokenError::Saturated)
    }
}

impl FirstStep<'_> {
    /// Lets the backend judge a credential.
    pub(super) async fn verify(self, credential: Credential) -> Result<Answer, TokenError> {
        let step = Step::Start {
            identifier: self.identifier.to_owned(),
            credential,
        };
        self.ask(step).await
    }

    async fn ask(self, step: Step) -> Result<Answer, TokenError> {
        let context = self.context();
        let question = |deadline| {
            self.slot.backend.verify(VerifyRequest {
                context,
                step,
                deadline,
            })
        };
        let answer = ask(self.slot, question).await;
        answer.map_err(|fault: BackendFault| TokenError::of_backend(self.slot, fault))
    }

    pub(super) fn context(self) -> RequestContext {
        let request = self.request;
        RequestContext {
            request_id: request.request_id.clone(),
            dialect: request.dialect,
            client_address: request.client.address.clone(),
            tenant: request.tenant.clone(),
            attributes: request.attributes.clone(),
        }
    }

    pub(super) fn pending(self, subject: PendingSubject) -> Pending {
        Pending {
            backend: self.slot.name.clone(),
            tenant: self.request.tenant.clone(),
            identifier: self.identifier.to_owned(),
            realm: realm_of(self.request).map(str::to_owned),
            rule: self.request.factors,
            since: self.since.0,
            subject,
        }
    }
}

/// The realm that the caller named beside the login name: another one may have other rules.
pub(super) fn realm_of(request: &LoginRequest) -> Option<&str> {
    let named = request.attributes.iter().find(|(name, _)| name == REQUESTED_REALM);
    named.map(|(_, realm)| realm.as_str())
}

/// What answers a challenge.
fn secret_of(credential: Credential) -> Option<Secret<Vec<u8>>> {
    match credential {
        Credential::Password(secret) | Credential::Otp(secret) | Credential::ApiKey(secret) => Some(secret),
        Credential::Digest { .. } => None,
    }
}
