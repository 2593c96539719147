//! Issuing: from the principal to a durable token.

use std::sync::Arc;
use std::time::Duration;

use super::{IssuedToken, LoginRequest, TokenError, TokenService, TokenSettings, TokenValue};
use crate::access::within_ceiling;
use crate::model::{
    Identity, IdentityId, PluginDigest, Principal, Refusal, Session, SessionId, Subject, Token, TokenRecord, User,
};
use crate::port::{BackendSlot, Opening, OpeningOutcome, RevocationMark, StoreError};

/// The attribute under which a session keeps each of the principal's groups.
pub const GROUP_ATTRIBUTE: &str = "group";

/// What a session keeps of a dialect's attributes, in bytes of their names and values.
const MAX_DIALECT_ATTRIBUTES: usize = 4 * 1024;

/// What a backend said of a login, and when it was asked.
pub(super) struct Verified {
    /// Who it is, in the backend's words.
    pub(super) principal: Principal,
    /// Which plugin file says so.
    pub(super) plugin: PluginDigest,
    /// Read before the backend was asked.
    pub(super) since: RevocationMark,
}

impl TokenSettings {
    /// The life of a token whose login asks for `wanted`.
    pub(super) fn ttl(&self, wanted: Option<Duration>) -> Result<Duration, TokenError> {
        let ttl = wanted.unwrap_or(self.default_ttl);
        if ttl < Duration::from_secs(1) || ttl > self.max_ttl {
            return Err(TokenError::TtlOutOfRange { max: self.max_ttl });
        }
        Ok(ttl)
    }
}

impl TokenService {
    /// Who this is to the host. A directory user must still be there and enabled; a backend's own subject gets an id on its first login.
    pub(super) async fn resolve(&self, slot: &BackendSlot, principal: &Principal) -> Result<Identity, TokenError> {
        match &principal.subject {
            Subject::Directory(id) => match self.store.find_user(*id).await? {
                None => Err(TokenError::Refused(Refusal::UnknownIdentifier)),
                Some(User { enabled: false, .. }) => Err(TokenError::Refused(Refusal::Disabled)),
                Some(user) => Ok(Identity {
                    id: user.id.into(),
                    user: Some(user.id),
                    tenant: user.tenant,
                    backend: slot.name.clone(),
                    login: user.name().into_owned(),
                }),
            },
            Subject::Own(subject) => {
                let tenant = self.tenants.master().await?;
                let fresh = IdentityId(self.random.uuid());
                let now = self.clock.now();
                Ok(Identity {
                    id: self.store.resolve_identity(&slot.name, subject, fresh, now).await?,
                    user: None,
                    tenant,
                    backend: slot.name.clone(),
                    login: principal.login.clone(),
                })
            }
        }
    }

    /// Writes the session and its token, and answers when they are durable.
    pub(super) async fn issue(
        &self,
        request: LoginRequest,
        slot: &BackendSlot,
        identity: Identity,
        verified: Verified,
        ttl: Duration,
    ) -> Result<IssuedToken, TokenError> {
        let Verified {
            principal,
            plugin,
            since,
        } = verified;
        let accesses = self.accesses_of(identity.id, slot, &principal).await?;
        let value = TokenValue::new(self.random.uuid());
        let now = self.clock.now();
        let session = Session {
            id: SessionId(self.random.uuid()),
            identity,
            plugin,
            dialect: request.dialect.to_owned(),
            client: request.client,
            attributes: attributes(request.attributes, principal),
            opened_at: now,
            mobile: false,
            refresh: None,
        };
        let token = Token {
            digest: self.keys.digest(&value),
            session: session.id,
            issued_at: now,
            expires_at: now.plus(ttl),
            accesses,
        };
        let ticket = self.cache.ticket(token.digest);
        let live = self.enliven(TokenRecord { token, session });
        let TokenRecord { token, session } = live.record.clone();
        let opening = Opening {
            session,
            token,
            verified_since: since,
        };
        // The user may have been removed or disabled since it was looked up, and its password changed since the backend was asked.
        match self.store.open_session(opening).await {
            Ok(OpeningOutcome::Opened) => {}
            Ok(OpeningOutcome::Disabled) => return Err(TokenError::Refused(Refusal::Disabled)),
            Ok(OpeningOutcome::Overtaken) => return Err(TokenError::Refused(Refusal::Overtaken)),
            Err(StoreError::Missing { what: "user" }) => return Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Err(error) => return Err(error.into()),
        }
        self.cache.insert(ticket, Arc::clone(&live));
        Ok(IssuedToken { value, live })
    }

    /// The accesses of the attached policies in the order of the policies' names, then what the ceiling lets through of the backend's.
    async fn accesses_of(
        &self,
        identity: IdentityId,
        slot: &BackendSlot,
        principal: &Principal,
    ) -> Result<Arc<[String]>, TokenError> {
        let policies = self.store.policies_of(identity).await?;
        let ceiling = slot.acl_ceiling.as_deref();
        let claimed = ceiling.map(|ceiling| within_ceiling(&principal.accesses, ceiling));
        Ok(policies
            .into_iter()
            .flat_map(|policy| policy.accesses)
            .chain(claimed.unwrap_or_default())
            .collect())
    }
}

/// What the session keeps: the dialect's attributes first, so that none of the backend's can stand in front of them. They come from a caller,
/// so what is too much or cannot be stored is left out; a backend's have been checked.
fn attributes(dialect: Vec<(String, String)>, principal: Principal) -> Vec<(String, String)> {
    let mut room = MAX_DIALECT_ATTRIBUTES;
    let fits = |(name, value): &(String, String)| {
        let left = room.checked_sub(name.len() + value.len());
        room = left.unwrap_or(room);
        left.is_some() && !name.contains('\0') && !value.contains('\0')
    };
    let mut kept: Vec<_> = dialect.into_iter().filter(fits).collect();
    let groups = principal
        .groups
        .into_iter()
        .map(|group| (GROUP_ATTRIBUTE.to_owned(), group));
    kept.extend(principal.attributes.into_iter().chain(groups));
    kept
}
