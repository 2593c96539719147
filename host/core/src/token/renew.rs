//! A new token for somebody who holds one that is good: without a credential, and with what its owner may do now.

use std::sync::Arc;
use std::time::Duration;

use super::issue::{GROUP_ATTRIBUTE, attributes, groups_of};
use super::open::{Draft, Standing};
use super::{CheckRequest, IssuedToken, LiveToken, TokenError, TokenService, TokenValue};
use crate::model::{AuthenticationMethod, BackendName, Client, Identity, Refusal, Session, Timestamp};
use crate::port::{BackendSlot, Refreshing, RequestContext};

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

/// The attribute under which a session that was renewed keeps when its owner's backend last said who that is, in microseconds since 1970.
const VOUCHED_ATTRIBUTE: &str = "vouched-at";

/// The owner of a token, as far as the host and its backend know now.
struct Renewed {
    identity: Identity,
    standing: Standing,
    accesses: Arc<[String]>,
    attributes: Vec<(String, String)>,
    /// How long that is good without the backend's word.
    not_after: Option<Timestamp>,
}

impl TokenService {
    /// Opens another session of a token's owner, if that one may still log in. The session before it stays. Who acts in somebody's place gets no more time
    /// by it. No limit of sessions concerns it. A backend that can look somebody up says who the owner is now. One that cannot is not asked: then the time from
    /// the login on, however often it is renewed, is no longer than the longest life of a token.
    ///
    /// # Errors
    /// [`TokenError::NotFound`]; otherwise as [`TokenService::login`].
    pub async fn renew(&self, token: &TokenValue, request: RenewRequest) -> Result<IssuedToken, TokenError> {
        // Before the look at the token: what ends it after that is known when the new session is written.
        let since = self.store.revocation_mark().await?;
        let live = self.check(token, CheckRequest::default()).await?;
        let session = &live.record.session;
        let ttl = self.settings.ttl(request.ttl)?;
        let renewed = self.renewed(&live, &request).await?;
        let acting_until = session.actor.as_ref().map(|_| live.record.token.expires_at);
        let draft = Draft {
            identity: renewed.identity,
            standing: renewed.standing,
            plugin: session.plugin,
            dialect: request.dialect.to_owned(),
            client: request.client,
            attributes: renewed.attributes,
            mobile: session.mobile,
            accesses: renewed.accesses,
            ttl,
            not_after: acting_until.into_iter().chain(renewed.not_after).min(),
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

    async fn renewed(&self, live: &LiveToken, request: &RenewRequest) -> Result<Renewed, TokenError> {
        let session = &live.record.session;
        let identity = session.identity.clone();
        if identity.backend == BackendName::host() {
            let (accesses, standing) = self.rights_at_host(live).await?;
            return Ok(Renewed {
                identity,
                standing,
                accesses,
                attributes: session.attributes.clone(),
                not_after: None,
            });
        }
        let slot = self.backends.find(identity.backend.as_str());
        let slot = slot.ok_or_else(|| TokenError::UnknownBackend(identity.backend.to_string()))?;
        let asking = RequestContext {
            request_id: request.request_id.clone(),
            dialect: request.dialect,
            client_address: request.client.address.clone(),
            tenant: None,
            attributes: Vec::new(),
        };
        if let Some(principal) = self.look_up(&slot, asking, &identity, None).await? {
            let (identity, standing) = self.resolve(&slot, &principal).await?;
            let groups = groups_of(&principal);
            let accesses = self.accesses_of(&identity, &slot, groups, &principal.accesses).await?;
            let own = format!("{}.", session.dialect);
            let kept = session.attributes.iter().filter(|(name, _)| name.starts_with(&own));
            return Ok(Renewed {
                identity,
                standing,
                accesses,
                attributes: attributes(kept.cloned().collect(), principal),
                not_after: None,
            });
        }
        self.renewed_without_asking(session, &slot).await
    }

    /// What the owner of an account's own session, or a user of whom no backend speaks, may do now.
    async fn rights_at_host(&self, live: &LiveToken) -> Result<(Arc<[String]>, Standing), TokenError> {
        let session = &live.record.session;
        let Some(id) = session.identity.user else {
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
        Ok((
            self.accesses_of_user(&session.identity).await?,
            self.standing(Some(&user)).await?,
        ))
    }

    /// The owner of a session as it was, where the backend is not asked.
    async fn renewed_without_asking(&self, session: &Session, slot: &BackendSlot) -> Result<Renewed, TokenError> {
        let identity = session.identity.clone();
        let (standing, is_backends) = match identity.user {
            None => (self.standing(None).await?, true),
            Some(id) => {
                let (_, standing) = self.resolve_user(slot, id).await?;
                let method = self.store.find_authentication_method(id).await?;
                (standing, method == Some(AuthenticationMethod::Ldap))
            }
        };
        let mut kept = session.attributes.clone();
        let (mut groups, mut not_after) = (Vec::new(), None);
        if is_backends {
            groups = session_groups(session);
            let vouched = vouched_at(session);
            kept.retain(|(name, _)| name != VOUCHED_ATTRIBUTE);
            kept.insert(0, (VOUCHED_ATTRIBUTE.to_owned(), vouched.0.to_string()));
            not_after = Some(vouched.plus(self.settings.max_ttl));
        }
        let accesses = self.accesses_of(&identity, slot, &groups, &[]).await?;
        Ok(Renewed {
            identity,
            standing,
            accesses,
            attributes: kept,
            not_after,
        })
    }
}

/// When the backend last said who the owner is. A dialect may have given a session whatever attributes a caller sent; none of them makes this later.
fn vouched_at(session: &Session) -> Timestamp {
    let mut kept = session.attributes.iter();
    let kept = kept.find(|(name, _)| name == VOUCHED_ATTRIBUTE);
    let kept = kept.and_then(|(_, at)| at.parse().ok()).map(Timestamp);
    kept.map_or(session.opened_at, |at| at.min(session.opened_at))
}

/// The groups that the backend named when the session was opened.
fn session_groups(session: &Session) -> Vec<String> {
    let groups = session.attributes.iter().filter(|(name, _)| name == GROUP_ATTRIBUTE);
    groups.map(|(_, group)| group.clone()).collect()
}
