//! A login, from the credential to the principal.

use std::time::Duration;

use tokio::time::Instant;

use super::issue::Verified;
use super::slot::Whose;
use super::{LoginOutcome, LoginRequest, RefreshRequest, TokenError, TokenService};
use crate::Secret;
use crate::model::{Answer, Credential, Outcome, Principal, Refusal, Subject};
use crate::password::Share;
use crate::port::{BackendFault, BackendSlot, RequestContext, Step, VerifyRequest};

/// The longest identifier in bytes that a backend gets to see.
const MAX_IDENTIFIER: usize = 1024;
/// The longest subject of a backend's own, in bytes.
const MAX_SUBJECT: usize = 255;
/// The longest login name in its canonical spelling, in bytes.
const MAX_LOGIN: usize = 1024;
/// What a backend may have kept with a session, in bytes: groups, and the names and values of attributes.
const MAX_KEPT: usize = 12 * 1024;
/// Characters of the backend's name, as the caller wrote it, that go to the log.
const MAX_LOGGED_NAME: usize = 64;
/// A backend watches its own deadline, and its fault says more than ours; so it gets this much longer.
const GRACE: Duration = Duration::from_millis(250);

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
        let step = Step::Start { identifier, credential };
        let since = self.store.revocation_mark().await?;
        let answer = ask(&slot, &request, step).await.map_err(|fault| TokenError::Backend {
            backend: slot.name.as_str().to_owned(),
            fault,
        })?;
        match answer.outcome {
            Outcome::Verified(principal) => {
                let verified = Verified {
                    principal,
                    plugin: answer.plugin.digest,
                    since,
                };
                let issued = self.issue(request, &slot, verified, ttl).await?;
                Ok(LoginOutcome::Issued(issued))
            }
            Outcome::Refused(reason) => Err(TokenError::Refused(reason)),
            Outcome::Challenged(challenge) => Ok(LoginOutcome::Challenged(challenge)),
        }
    }

    /// Does the work of one comparison, so that a login that no backend judges costs what a wrong password costs.
    async fn burn(&self, credentials: Option<&(String, Credential)>) -> Result<(), TokenError> {
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

/// Puts the step to the backend, within its gate and its deadline.
async fn ask(slot: &BackendSlot, request: &LoginRequest, step: Step) -> Result<Answer, BackendFault> {
    let deadline = Instant::now() + slot.deadline;
    let pass = slot.gate.enter(deadline.into_std()).await?;
    let call = slot.backend.verify(VerifyRequest {
        context: RequestContext {
            request_id: request.request_id.clone(),
            dialect: request.dialect,
            client_address: request.client.address.clone(),
            tenant: request.tenant.clone(),
            attributes: request.attributes.clone(),
        },
        step,
        deadline: deadline.into_std(),
    });
    let answer = tokio::time::timeout_at(deadline + GRACE, call)
        .await
        .unwrap_or(Err(BackendFault::DeadlineExceeded(slot.deadline)))
        .and_then(|answer| match &answer.outcome {
            Outcome::Verified(principal) => check_principal(principal).map(|()| answer),
            Outcome::Refused(_) | Outcome::Challenged(_) => Ok(answer),
        });
    pass.settle(answer.as_ref().err());
    answer
}

fn check_principal(principal: &Principal) -> Result<(), BackendFault> {
    let broken = |what: &str| Err(BackendFault::Broken(what.to_owned()));
    if let Subject::Own(subject) = &principal.subject
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
