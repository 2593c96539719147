//! A new token for somebody who holds one that is good: without a credential, and with what its owner may do now.

use std::sync::Arc;
use std::time::Duration;

use super::issue::{GROUP_ATTRIBUTE, storable};
use super::open::{Draft, Standing};
use super::{CheckRequest, IssuedToken, LiveToken, TokenError, TokenService, TokenValue};
use crate::model::{AuthenticationMethod, BackendName, Client, Refusal, Session};
use crate::port::Refreshing;

/// What is asked of a renewal.
#[derive(Debug, Clone)]
pub struct RenewRequest {
    /// The life that the caller asks for.
    pub ttl: Option<Duration>,
    /// From where.
    pub client: Client,
    /// Through which API.
    pub dialect: &'static str,
    /// The id under which this request is logged.
    pub request_id: String,
}

impl TokenService {
    /// Opens another session of a token's owner, if that one may still log in. The session before it stays. Who acts in somebody's place gets no more time
    /// by it. No limit of sessions concerns it.
    ///
    /// # Errors
    /// [`TokenError::NotFound`]; otherwise as [`TokenService::login`].
    pub async fn renew(&self, token: &TokenValue, request: RenewRequest) -> Result<IssuedToken, TokenError> {
        // Before the look at the token: what ends it after that is known when the new session is written.
        let since = self.store.revocation_mark().await?;
        let live = self.check(token, CheckRequest::default()).await?;
        let session = &live.record.session;
        let ttl = self.settings.ttl(request.ttl)?;
        let (accesses, standing) = self.rights_now(&live).await?;
        let draft = Draft {
            identity: session.identity.clone(),
            standing,
            plugin: session.plugin,
            dialect: request.dialect.to_owned(),
            client: request.client,
            attributes: storable(session.attributes.clone()),
            mobile: session.mobile,
            accesses,
            ttl,
            not_after: session.actor.as_ref().map(|_| live.record.token.expires_at),
            since,
            is_login: false,
            refresh: Refreshing::No,
            actor: session.actor.clone(),
        };
        let issued = self.open(draft).await?;
        let (login, id) = (&session.identity.login, issued.live.record.session.id);
        tracing::info!(request_id = request.request_id, dialect = request.dialect, login, before = %session.id, session = %id, "token renewed");
        Ok(issued)
    }

    /// What the owner may do now, as far as the host knows, and what it is.
    async fn rights_now(&self, live: &LiveToken) -> Result<(Arc<[String]>, Standing), TokenError> {
        let session = &live.record.session;
        let identity = &session.identity;
        if identity.backend == BackendName::host() {
            let Some(id) = identity.user else {
                // An account's own session ends with the key that it was opened with, so what it may do follows from that.
                let standing = Standing {
                    purpose: session.purpose,
                    admin: session.admin,
                };
                return Ok((Arc::clone(&live.record.token.accesses), standing));
            };
            let user = self.store.find_user(id).await?;
            let user = user.ok_or(TokenError::Refused(Refusal::UnknownIdentifier))?;
            if !user.enabled {
                return Err(TokenError::Refused(Refusal::Disabled));
            }
            return Ok((
                self.accesses_of_user(identity).await?,
                self.standing(Some(&user)).await?,
            ));
        }
        let slot = self.backends.find(identity.backend.as_str());
        let slot = slot.ok_or_else(|| TokenError::UnknownBackend(identity.backend.to_string()))?;
        let (standing, is_backends) = match identity.user {
            None => (self.standing(None).await?, true),
            Some(id) => {
                let (_, standing) = self.resolve_user(&slot, id).await?;
                let method = self.store.find_authentication_method(id).await?;
                (standing, method == Some(AuthenticationMethod::Ldap))
            }
        };
        let groups = if is_backends { groups_of(session) } else { Vec::new() };
        Ok((self.accesses_of(identity, &slot, &groups, &[]).await?, standing))
    }
}

/// The groups that the backend named when the session was opened.
fn groups_of(session: &Session) -> Vec<String> {
    let groups = session.attributes.iter().filter(|(name, _)| name == GROUP_ATTRIBUTE);
    groups.map(|(_, group)| group.clone()).collect()
}
