//! A login, from the credential to the principal.

use super::ask::{MAX_IDENTIFIER, ask};
use super::issue::Verified;
use super::slot::Whose;
use super::{Asked, LoginOutcome, LoginRequest, RefreshRequest, TokenError, TokenService};
use crate::Secret;
use crate::model::{Answer, Credential, Outcome, Refusal};
use crate::password::Share;
use crate::port::{BackendFault, BackendSlot, RequestContext, Step, VerifyRequest};

/// Characters of the backend's name, as the caller wrote it, that go to the log.
pub(super) const MAX_LOGGED_NAME: usize = 64;
impl TokenService {
    /// Verifies a credential and issues a token, which is durable when this returns.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn login(&self, request: LoginRequest) -> Result<LoginOutcome, TokenError> {
        let line = Line::of(&request);
        let result = self.decide(request).await;
        line.write(&result);
        result
    }

    async fn decide(&self, mut request: LoginRequest) -> Result<LoginOutcome, TokenError> {
        let ttl = self.settings.ttl(request.ttl)?;
        let whose = Whose::Named(request.tenant.as_deref());
        let Some(slot) = self.find_slot(&request.backend, whose).await? else {
            self.burn(request.credentials.as_ref()).await?;
            return Err(TokenError::UnknownBackend(request.backend));
        };
        let Some((identifier, credential)) = request.credentials.take() else {
            self.burn(None).await?;
            return Err(TokenError::NoCredential);
        };
        if identifier.is_empty() || identifier.len() > MAX_IDENTIFIER {
            self.burn(Some(&(identifier, credential))).await?;
            return Err(TokenError::Refused(Refusal::UnknownIdentifier));
        }
        let step = Step::Start {
            identifier: identifier.clone(),
            credential,
        };
        let since = self.store.revocation_mark().await?;
        let answer = verify(&slot, &request, step).await;
        let answer = answer.map_err(|fault| TokenError::of_backend(&slot, fault))?;
        match answer.outcome {
            Outcome::Verified(principal) => {
                let verified = Verified {
                    identifier,
                    principal,
                    plugin: answer.plugin.digest,
                    since,
                };
                let issued = self.issue(request, &slot, verified, ttl).await?;
                Ok(LoginOutcome::Issued(issued))
            }
            Outcome::Refused(reason) => Err(TokenError::Refused(reason)),
            Outcome::Challenged(challenge) => Ok(LoginOutcome::Challenged(Asked {
                transaction: String::new(),
                kind: challenge.kind,
                prompt: challenge.prompt,
                factors: Vec::new(),
                attributes: challenge.attributes,
                login: None,
            })),
        }
    }

    /// Does the work of one comparison, so that a login that no backend judges costs what a wrong password costs.
    pub(super) async fn burn(&self, credentials: Option<&(String, Credential)>) -> Result<(), TokenError> {
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

/// Puts the step to the backend.
async fn verify(slot: &BackendSlot, request: &LoginRequest, step: Step) -> Result<Answer, BackendFault> {
    let context = RequestContext {
        request_id: request.request_id.clone(),
        dialect: request.dialect,
        client_address: request.client.address.clone(),
        tenant: request.tenant.clone(),
        attributes: request.attributes.clone(),
    };
    let question = |deadline| {
        slot.backend.verify(VerifyRequest {
            context,
            step,
            deadline,
        })
    };
    ask(slot, question).await
}

/// The line that each login leaves in the log. The identifier of a refused login is not in it: people type passwords into the wrong field.
pub(super) struct Line {
    request_id: String,
    backend: String,
    dialect: &'static str,
    client: Option<String>,
}

impl Line {
    fn of(request: &LoginRequest) -> Self {
        Self {
            request_id: request.request_id.clone(),
            backend: request.backend.chars().take(MAX_LOGGED_NAME).collect(),
            dialect: request.dialect,
            client: request.client.address.clone(),
        }
    }

    /// The backend of a refresh token is known only when that is found, and then the session names it.
    pub(super) fn of_refresh(request: &RefreshRequest) -> Self {
        Self {
            request_id: request.request_id.clone(),
            backend: "(refresh token)".to_owned(),
            dialect: request.dialect,
            client: request.client.address.clone(),
        }
    }

    pub(super) fn write(&self, result: &Result<LoginOutcome, TokenError>) {
        let Self {
            request_id,
            backend,
            dialect,
            client,
        } = self;
        let client = client.as_deref();
        match result {
            Ok(LoginOutcome::Issued(issued)) => {
                let session = &issued.live.record.session;
                let (login, id, plugin) = (&session.identity.login, session.id, session.plugin);
                tracing::info!(request_id, backend, dialect, client, login, session = %id, %plugin, "login issued");
            }
            Ok(LoginOutcome::Challenged(_)) => {
                tracing::info!(request_id, backend, dialect, client, "login challenged");
            }
            Err(
                reason @ (TokenError::Refused(_)
                | TokenError::NoCredential
                | TokenError::UnknownBackend(_)
                | TokenError::TtlOutOfRange { .. }
                | TokenError::TooManySessions(_)),
            ) => {
                // As text, which subscribers escape: the backend's name may be the caller's own words.
                let reason = match reason {
                    TokenError::UnknownBackend(_) => "refused: no backend has this name".to_owned(),
                    reason => reason.to_string(),
                };
                tracing::info!(request_id, backend, dialect, client, reason, "login refused");
            }
            // The dialect logs it with its causes: once, at the edge.
            Err(_) => {}
        }
    }
}
