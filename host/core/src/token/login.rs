//! A login: who it is, and the session that follows.

use super::judge::{Judged, Judgement};
use super::{LinkLogin, LoginOutcome, LoginRequest, RefreshRequest, TokenError, TokenService};

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
        line.write(result.as_ref());
        result
    }

    async fn decide(&self, mut request: LoginRequest) -> Result<LoginOutcome, TokenError> {
        let ttl = self.settings.ttl(request.ttl)?;
        match self.judge(&mut request).await? {
            Judgement::Proved(judged) => {
                let Judged { slot, verified, .. } = *judged;
                let issued = self.issue(request, &slot, verified, ttl).await?;
                Ok(LoginOutcome::Issued(issued))
            }
            Judgement::Asked(asked) => Ok(LoginOutcome::Challenged(asked)),
        }
    }
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

    /// Behind a mailed link stands the host itself.
    pub(super) fn of_link(login: &LinkLogin) -> Self {
        Self {
            request_id: login.request_id.clone(),
            backend: "(recovery link)".to_owned(),
            dialect: login.dialect,
            client: login.client.address.clone(),
        }
    }

    pub(super) fn write(&self, result: Result<&LoginOutcome, &TokenError>) {
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
                | TokenError::Factor(_)
                | TokenError::Closed(_)
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
