//! Refresh tokens, and lists of sessions.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{
    EventKind, IdentityId, LINK_DIALECT, Paged, Query, RefreshToken, RefreshTokenId, Session, SessionId, TokenDigest,
    login_key,
};
use crate::port::{
    ListedSession, RefreshFilter, RefreshOrder, RefreshStore, RevocationMark, Revoked, SessionFilter, SessionOrder,
    SessionStore, StoreError,
};

#[async_trait]
impl RefreshStore for MemoryStore {
    async fn find_refresh_token(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(RefreshToken, RevocationMark)>, StoreError> {
        let tables = self.open("find a refresh token")?;
        let mark = RevocationMark(tables.revocations.mark);
        let mut tokens = tables.refresh_tokens.values();
        Ok(tokens
            .find(|token| token.digest == *digest)
            .map(|token| (token.clone(), mark)))
    }

    async fn find_refresh_token_of(
        &self,
        identity: IdentityId,
        client_id: &str,
    ) -> Result<Option<RefreshToken>, StoreError> {
        Ok(self
            .open("find a refresh token")?
            .refresh_token_of(identity, client_id)
            .cloned())
    }

    async fn list_refresh_tokens(
        &self,
        query: &Query<RefreshFilter, RefreshOrder>,
    ) -> Result<Paged<RefreshToken>, StoreError> {
        let tables = self.open("list refresh tokens")?;
        let filter = &query.filter;
        let owned = |token: &&RefreshToken| filter.identity.is_none_or(|id| token.identity.id == id);
        let fits = |token: &RefreshToken| {
            filter.client_id.as_ref().is_none_or(|id| token.client_id == *id)
                && filter.mobile.is_none_or(|mobile| token.mobile == mobile)
        };
        let key = |token: &RefreshToken| match query.order {
            RefreshOrder::Created => (token.created_at.0, String::new(), token.id),
            RefreshOrder::Client => (0, login_key(&token.client_id), token.id),
            RefreshOrder::Mobile => (i64::from(token.mobile), String::new(), token.id),
        };
        let texts = |token: &RefreshToken| vec![token.client_id.clone()];
        let tokens = tables.refresh_tokens.values().filter(owned);
        Ok(tables.page(tokens, query, |token| token.identity.tenant, fits, texts, key))
    }

    async fn add_refresh_token(&self, token: &RefreshToken) -> Result<bool, StoreError> {
        let mut tables = self.open("add a refresh token")?;
        let user = token.identity.user;
        if !tables.tenants.contains_key(&token.identity.tenant)
            || user.is_some_and(|user| !tables.users.contains_key(&user))
        {
            return Err(StoreError::Missing { what: "user" });
        }
        let is_known = tables.refresh_token_of(token.identity.id, &token.client_id).is_some()
            || tables.refresh_tokens.values().any(|known| known.digest == token.digest);
        if !is_known {
            tables.refresh_tokens.insert(token.id, token.clone());
        }
        Ok(!is_known)
    }

    async fn remove_refresh_token(&self, identity: IdentityId, client_id: &str) -> Result<bool, StoreError> {
        let mut tables = self.open("remove a refresh token")?;
        let found = tables.refresh_token_of(identity, client_id).map(|token| token.id);
        Ok(found.is_some_and(|id| tables.end_refresh_tokens(|token| token.id == id) > 0))
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn find_session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.open("find a session")?.sessions.get(&id).cloned())
    }

    async fn list_sessions(
        &self,
        query: &Query<SessionFilter, SessionOrder>,
    ) -> Result<Paged<ListedSession>, StoreError> {
        let tables = self.open("list sessions")?;
        let owned = |session: &&Session| {
            let mut owner = query.filter.identity.iter();
            owner.all(|id| session.identity.id == *id && session.dialect != LINK_DIALECT)
        };
        let key = |row: &ListedSession| {
            let session = &row.session;
            let (number, text) = match query.order {
                SessionOrder::Opened => (session.opened_at.0, None),
                SessionOrder::Mobile => (i64::from(session.mobile), None),
                SessionOrder::Expires => (row.expires_at.map_or(0, |at| at.0), None),
                SessionOrder::UserAgent => (0, session.client.user_agent.clone()),
                SessionOrder::Client => (0, row.client_id.clone()),
            };
            (number, text.unwrap_or_default(), session.id)
        };
        let query = &Query {
            search: None,
            ..query.clone()
        };
        let sessions: Vec<_> = tables.sessions.values().filter(owned).collect();
        let rows: Vec<_> = sessions.into_iter().map(|session| tables.listed(session)).collect();
        Ok(tables.page(
            rows.iter(),
            query,
            |row| row.session.identity.tenant,
            |_| true,
            |_| Vec::new(),
            key,
        ))
    }
}

impl Tables {
    fn listed(&self, session: &Session) -> ListedSession {
        let tokens = self.tokens.values().filter(|token| token.session == session.id);
        let refresh = session.refresh.and_then(|id| self.refresh_tokens.get(&id));
        ListedSession {
            session: session.clone(),
            expires_at: tokens.map(|token| token.expires_at).max(),
            client_id: refresh.map(|token| token.client_id.clone()),
        }
    }

    fn refresh_token_of(&self, identity: IdentityId, client_id: &str) -> Option<&RefreshToken> {
        let mut tokens = self.refresh_tokens.values();
        tokens.find(|token| token.identity.id == identity && token.client_id == client_id)
    }

    /// Makes the token or keeps the one that is there; returns that, and what ended.
    pub(super) fn make_refresh_token(
        &mut self,
        new: RefreshToken,
        replaces: Option<RefreshTokenId>,
    ) -> (RefreshToken, Revoked) {
        let mut revoked = Revoked::default();
        if new.mobile {
            let gone: Vec<_> = self.mobile_refresh_tokens(new.identity.id);
            self.end_refresh_tokens(|token| gone.contains(&token.id));
            let ended = |session: &Session| session.refresh.is_some_and(|id| gone.contains(&id));
            let sessions: Vec<_> = self.sessions.values().filter(|session| ended(session)).collect();
            let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
            for id in ids {
                let one = self.remove(&crate::port::RevokeTarget::Session(id));
                revoked.sessions.extend(one.sessions);
                revoked.tokens.extend(one.tokens);
            }
        }
        let known = self.refresh_token_of(new.identity.id, &new.client_id).cloned();
        if let Some(mut known) = known {
            let fits = !new.mobile
                && Some(known.id) != replaces
                && known.plugin == new.plugin
                && known.identity.backend == new.identity.backend
                && known.expires_at.is_none_or(|at| at > new.created_at);
            if fits {
                known.expires_at = new.expires_at;
                known.linked_as = new.linked_as;
                self.refresh_tokens.insert(known.id, known.clone());
                return (known, revoked);
            }
            self.end_refresh_tokens(|token| token.id == known.id);
        }
        self.refresh_tokens.insert(new.id, new.clone());
        self.record_refresh_token(EventKind::RefreshTokenCreated, &new);
        (new, revoked)
    }

    pub(super) fn mobile_refresh_tokens(&self, identity: IdentityId) -> Vec<RefreshTokenId> {
        let tokens = self.refresh_tokens.values();
        let mobile = tokens.filter(|token| token.identity.id == identity && token.mobile);
        mobile.map(|token| token.id).collect()
    }
}
