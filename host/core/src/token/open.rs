//! Opening a session: the one place where a token becomes durable.

use std::sync::Arc;
use std::time::Duration;

use super::revoke::to_the_end;
use super::{IssuedToken, TokenCache, TokenError, TokenService, TokenValue};
use crate::model::{
    Actor, Client, Identity, PluginDigest, Purpose, Query, Refusal, Session, SessionId, TenantScope, Timestamp, Token,
    TokenRecord, User,
};
use crate::port::{
    GroupFilter, Opened, Opening, OpeningOutcome, Refreshing, RevocationMark, Store, StoreError, UserFilter,
};

/// A session that is to be opened with a token.
pub(super) struct Draft {
    pub(super) identity: Identity,
    pub(super) standing: Standing,
    pub(super) plugin: PluginDigest,
    pub(super) dialect: String,
    pub(super) client: Client,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) mobile: bool,
    pub(super) accesses: Arc<[String]>,
    pub(super) ttl: Duration,
    /// When the token ends at the latest, whatever its life.
    pub(super) not_after: Option<Timestamp>,
    /// Read before anything was judged.
    pub(super) since: RevocationMark,
    /// Whether the limit of sessions concerns it.
    pub(super) is_login: bool,
    pub(super) refresh: Refreshing,
    /// Who acts in the owner's place.
    pub(super) actor: Option<Actor>,
}

/// What an identity is to the host, apart from who it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    pub(super) purpose: Purpose,
    pub(super) admin: Option<bool>,
}

impl TokenService {
    /// Writes the session and its token, and answers when they are durable. The store cuts the token to the trials of its owner's account and of those above.
    pub(super) async fn open(&self, draft: Draft) -> Result<IssuedToken, TokenError> {
        let (value, opening) = self.opening(draft);
        let ticket = self.cache.ticket(opening.token.digest);
        let (mut token, mut session) = (opening.token.clone(), opening.session.clone());
        let identity = session.identity.id;
        // The user may have been removed or disabled since it was looked up, and its password changed since the backend was asked.
        let opened = match self.write(opening).await {
            Ok(OpeningOutcome::Opened(opened)) => opened,
            Ok(OpeningOutcome::Disabled) => return Err(TokenError::Refused(Refusal::Disabled)),
            Ok(OpeningOutcome::Closed(closed)) => return Err(TokenError::Closed(closed)),
            Ok(OpeningOutcome::Overtaken) => return Err(TokenError::Refused(Refusal::Overtaken)),
            Ok(OpeningOutcome::Full) => return Err(TokenError::TooManySessions(identity)),
            Err(StoreError::Missing { what: "user" }) => return Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Err(error) => return Err(error.into()),
        };
        let Opened {
            refresh,
            cut_to,
            revoked,
        } = opened;
        token.expires_at = cut_to.unwrap_or(token.expires_at);
        session.refresh = refresh.as_ref().map(|refresh| refresh.id).or(session.refresh);
        let live = self.enliven(TokenRecord { token, session });
        self.cache.insert(ticket, Arc::clone(&live));
        Ok(IssuedToken {
            value,
            live,
            refresh: refresh.and_then(|refresh| self.keys.refresh_value(&refresh)),
            sessions_revoked: revoked.sessions.len(),
        })
    }

    fn opening(&self, draft: Draft) -> (TokenValue, Opening) {
        let value = TokenValue::new(self.random.uuid());
        let now = self.clock.now();
        let limit = (draft.is_login && draft.standing.purpose != Purpose::Internal)
            .then_some(self.settings.max_sessions)
            .filter(|limit| *limit > 0);
        let session = Session {
            id: SessionId(self.random.uuid()),
            identity: draft.identity,
            plugin: draft.plugin,
            dialect: draft.dialect,
            client: draft.client,
            attributes: draft.attributes,
            opened_at: now,
            purpose: draft.standing.purpose,
            admin: draft.standing.admin,
            mobile: draft.mobile,
            refresh: match &draft.refresh {
                Refreshing::With(id) => Some(*id),
                Refreshing::No | Refreshing::Make { .. } => None,
            },
            actor: draft.actor,
        };
        let token = Token {
            digest: self.keys.digest(&value),
            session: session.id,
            issued_at: now,
            expires_at: draft
                .not_after
                .into_iter()
                .chain([now.plus(draft.ttl)])
                .min()
                .unwrap_or(now),
            accesses: draft.accesses,
        };
        let opening = Opening {
            session,
            token,
            verified_since: draft.since,
            limit,
            refresh: draft.refresh,
        };
        (value, opening)
    }

    async fn write(&self, opening: Opening) -> Result<OpeningOutcome, StoreError> {
        match &opening.refresh {
            Refreshing::Make { token, .. } if token.mobile => {
                let (store, cache) = (Arc::clone(&self.store), Arc::clone(&self.cache));
                // It ends other sessions, so it is a revocation too.
                to_the_end("open a session", async move { replace(&*store, &cache, opening).await }).await
            }
            Refreshing::No | Refreshing::With(_) | Refreshing::Make { .. } => self.store.open_session(opening).await,
        }
    }

    /// What the user is to the host; the default for a backend's own subject.
    pub(super) async fn standing(&self, user: Option<&User>) -> Result<Standing, TokenError> {
        let Some(user) = user else {
            return Ok(Standing::default());
        };
        Ok(Standing {
            purpose: user.purpose,
            admin: self.is_admin(user).await?,
        })
    }

    async fn is_admin(&self, user: &User) -> Result<Option<bool>, TokenError> {
        let asked = self.settings.admin_status.as_ref();
        let Some(asked) = asked.filter(|asked| asked.purposes.contains(&user.purpose)) else {
            return Ok(None);
        };
        let scope = TenantScope::Only(user.tenant);
        // The top tenant's policy: a tenant may give one of its own the same slug.
        let master = self.tenants.master().await?;
        if let Some(policy) = self.store.find_policy_by_slug(master, &asked.policy).await? {
            let users = Query {
                filter: UserFilter {
                    id: Some(user.id),
                    policy: Some(policy.id),
                    ..UserFilter::default()
                },
                ..Query::all(scope)
            };
            if self.store.list_users(&users).await?.filtered > 0 {
                return Ok(Some(true));
            }
        }
        let groups = Query {
            filter: GroupFilter {
                member: Some(user.id),
                slug: Some(asked.group.clone()),
                ..GroupFilter::default()
            },
            ..Query::all(scope)
        };
        Ok(Some(self.store.list_groups(&groups).await?.filtered > 0))
    }
}

async fn replace(store: &dyn Store, cache: &TokenCache, opening: Opening) -> Result<OpeningOutcome, StoreError> {
    let result = store.open_session(opening).await;
    match &result {
        Ok(OpeningOutcome::Opened(opened)) => cache.forget(&opened.revoked),
        Ok(OpeningOutcome::Disabled | OpeningOutcome::Closed(_) | OpeningOutcome::Overtaken | OpeningOutcome::Full) => {
        }
        // Whether a store that failed has written is not known.
        Err(_) => cache.forget_all(),
    }
    result
}
