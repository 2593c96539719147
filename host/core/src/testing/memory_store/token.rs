//! Sessions and tokens.

use std::collections::HashSet;

use async_trait::async_trait;

use super::{MemoryStore, Revocations, Tables};
use crate::model::{
    Account, EventKind, Identity, LINK_DIALECT, Session, SessionId, TenantId, Timestamp, TokenDigest, TokenRecord,
    UserId,
};
use crate::port::{
    Opened, Opening, OpeningOutcome, REVOCATIONS_KEPT, Refreshing, RevocationMark, RevokeTarget, Revoked, StoreError,
    Swept, TokenStore,
};

#[async_trait]
impl TokenStore for MemoryStore {
    async fn revocation_mark(&self) -> Result<RevocationMark, StoreError> {
        Ok(RevocationMark(
            self.open("read the latest revocation")?.revocations.mark,
        ))
    }

    async fn open_session(&self, opening: Opening) -> Result<OpeningOutcome, StoreError> {
        let mut tables = self.open("open a session")?;
        let Opening {
            mut session,
            mut token,
            verified_since,
            limit,
            refresh,
        } = opening;
        if let Some(id) = session.identity.user {
            match tables.users.get(&id) {
                None => return Err(StoreError::Missing { what: "user" }),
                Some((user, _)) if !user.enabled => return Ok(OpeningOutcome::Disabled),
                Some(_) => {}
            }
        }
        if !tables.tenants.contains_key(&session.identity.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        let [own, user] = tables.tenants_of(&session);
        let lineage = [tables.lineage(own), tables.lineage(user)].concat();
        if let Some(refused) = tables.refused(&session, &refresh, &lineage, verified_since) {
            return Ok(refused);
        }
        if limit.is_some_and(|limit| tables.open_sessions(&session, &refresh, token.issued_at) >= limit as usize) {
            return Ok(OpeningOutcome::Full);
        }
        let mut opened = Opened {
            cut_to: Account::trial_end_among(&lineage).filter(|end| *end < token.expires_at),
            ..Opened::default()
        };
        token.expires_at = opened.cut_to.unwrap_or(token.expires_at);
        if let Refreshing::Make { token: new, replaces } = refresh {
            let (made, revoked) = tables.make_refresh_token(*new, replaces);
            session.refresh = Some(made.id);
            opened = Opened {
                refresh: Some(Box::new(made)),
                revoked,
                ..opened
            };
        }
        let id = session.id;
        tables.sessions.insert(id, session);
        tables.record_session(EventKind::SessionCreated, id);
        tables.tokens.insert(token.digest, token);
        Ok(OpeningOutcome::Opened(opened))
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        let found = {
            let tables = self.open("find a token")?;
            tables.tokens.get(digest).and_then(|token| {
                Some(TokenRecord {
                    token: token.clone(),
                    session: tables.sessions.get(&token.session)?.clone(),
                })
            })
        };
        drop(self.finds.read().await);
        Ok(found)
    }

    async fn revoke(&self, target: &RevokeTarget, at: Timestamp) -> Result<Revoked, StoreError> {
        let revoked = self.open("revoke tokens")?.revoke(target, at);
        drop(self.revocations.read().await);
        Ok(revoked)
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        let mut tables = self.open("sweep tokens")?;
        let expired = tables.tokens.values().filter(|token| token.expires_at <= now);
        let digests: Vec<_> = expired.map(|token| token.digest).take(limit as usize).collect();
        for digest in &digests {
            tables.tokens.remove(digest);
        }
        let sessions = tables.drop_empty_sessions().sessions.len();
        let refresh_tokens = tables.refresh_tokens.values();
        let expired = refresh_tokens.filter(|token| token.expires_at.is_some_and(|at| at <= now));
        let refresh_tokens: Vec<_> = expired.map(|token| token.id).take(limit as usize).collect();
        tables.end_refresh_tokens(|token| refresh_tokens.contains(&token.id));
        tables.revocations.sweep(now);
        Ok(Swept {
            tokens: digests.len() as u64,
            sessions: sessions as u64,
            refresh_tokens: refresh_tokens.len() as u64,
        })
    }
}

impl Tables {
    pub(super) fn revoke(&mut self, target: &RevokeTarget, at: Timestamp) -> Revoked {
        self.revocations.note(target, at);
        self.remove(target)
    }

    /// Why a login is refused: by the accounts of its tenants and of those above, or by what overtook it.
    fn refused(
        &self,
        session: &Session,
        refresh: &Refreshing,
        lineage: &[Account],
        since: RevocationMark,
    ) -> Option<OpeningOutcome> {
        if let Some(closed) = Account::closed_among(lineage, session.opened_at) {
            return Some(OpeningOutcome::Closed(closed));
        }
        let [own, user] = self.tenants_of(session);
        let targets = [
            RevokeTarget::Identity(session.identity.id),
            RevokeTarget::Plugin(session.plugin),
            RevokeTarget::Tenant(own),
            RevokeTarget::Tenant(user),
        ];
        let actor = session.actor.as_ref();
        let is_overtaken = self.revocations.overtake(&targets, since)
            || actor.is_some_and(|actor| !self.sessions.contains_key(&actor.session))
            || matches!(refresh, Refreshing::With(id) if !self.refresh_tokens.contains_key(id));
        is_overtaken.then_some(OpeningOutcome::Overtaken)
    }

    /// How many sessions with a good token the identity has open, of those that would stay.
    fn open_sessions(&self, opening: &Session, refresh: &Refreshing, now: Timestamp) -> usize {
        let identity = opening.identity.id;
        let ending = match refresh {
            Refreshing::Make { token, .. } if token.mobile => self.mobile_refresh_tokens(identity),
            Refreshing::No | Refreshing::With(_) | Refreshing::Make { .. } => Vec::new(),
        };
        let counts = |session: &&Session| {
            session.identity.id == identity
                && session.dialect != LINK_DIALECT
                && session.actor.is_none()
                && session.refresh.is_none_or(|id| !ending.contains(&id))
                && self
                    .tokens
                    .values()
                    .any(|token| token.session == session.id && token.expires_at > now)
        };
        self.sessions.values().filter(counts).count()
    }

    pub(super) fn remove(&mut self, target: &RevokeTarget) -> Revoked {
        match target {
            RevokeTarget::Token(_) | RevokeTarget::Session(_) => {}
            RevokeTarget::Identity(id) => {
                self.end_refresh_tokens(|token| token.identity.id == *id);
            }
            RevokeTarget::Plugin(digest) => {
                self.end_refresh_tokens(|token| token.plugin == *digest);
            }
            RevokeTarget::Tenant(tenant) => {
                let users = self.users_of(*tenant);
                self.end_refresh_tokens(|token| is_of(&token.identity, *tenant, &users));
            }
        }
        let users = match target {
            RevokeTarget::Tenant(tenant) => self.users_of(*tenant),
            _ => HashSet::new(),
        };
        let hit = |digest: &TokenDigest| {
            let token = self.tokens.get(digest)?;
            let session = self.sessions.get(&token.session)?;
            Some(match target {
                RevokeTarget::Token(wanted) => digest == wanted,
                RevokeTarget::Session(wanted) => session.id == *wanted,
                RevokeTarget::Identity(wanted) => session.identity.id == *wanted,
                RevokeTarget::Plugin(wanted) => session.plugin == *wanted,
                RevokeTarget::Tenant(wanted) => is_of(&session.identity, *wanted, &users),
            })
        };
        let tokens: Vec<_> = self
            .tokens
            .keys()
            .filter(|digest| hit(digest) == Some(true))
            .copied()
            .collect();
        for digest in &tokens {
            self.tokens.remove(digest);
        }
        let mut revoked = self.drop_empty_sessions();
        revoked.tokens.extend(tokens);
        revoked
    }

    /// Sessions without a token, and those whose actor's own session is gone, with the tokens that these still had.
    pub(super) fn drop_empty_sessions(&mut self) -> Revoked {
        let mut revoked = Revoked::default();
        loop {
            let held: HashSet<SessionId> = self.tokens.values().map(|token| token.session).collect();
            let gone = |session: &&Session| {
                let actor = session.actor.as_ref();
                !held.contains(&session.id) || actor.is_some_and(|actor| !self.sessions.contains_key(&actor.session))
            };
            let gone: HashSet<_> = self.sessions.values().filter(gone).map(|session| session.id).collect();
            if gone.is_empty() {
                return revoked;
            }
            let tokens = self.tokens.extract_if(|_, token| gone.contains(&token.session));
            revoked.tokens.extend(tokens.map(|(digest, _)| digest));
            for id in gone {
                self.record_session(EventKind::SessionDeleted, id);
                self.sessions.remove(&id);
                revoked.sessions.push(id);
            }
        }
    }

    fn users_of(&self, tenant: TenantId) -> HashSet<UserId> {
        let users = self.users.values().map(|(user, _)| user);
        let users = users.filter(|user| user.tenant == tenant);
        users.map(|user| user.id).collect()
    }
}

fn is_of(identity: &Identity, tenant: TenantId, users: &HashSet<UserId>) -> bool {
    identity.tenant == tenant || identity.user.is_some_and(|user| users.contains(&user))
}

impl Revocations {
    fn note(&mut self, target: &RevokeTarget, at: Timestamp) {
        match target {
            // Who holds a token has logged in already.
            RevokeTarget::Token(_) | RevokeTarget::Session(_) => {}
            RevokeTarget::Identity(_) | RevokeTarget::Plugin(_) | RevokeTarget::Tenant(_) => {
                self.mark += 1;
                self.latest.insert(target.clone(), (self.mark, at));
            }
        }
    }

    fn overtake(&self, targets: &[RevokeTarget], since: RevocationMark) -> bool {
        let noted = targets.iter().filter_map(|target| self.latest.get(target));
        noted
            .map(|(mark, _)| *mark)
            .chain([self.swept])
            .any(|mark| mark > since.0)
    }

    fn sweep(&mut self, now: Timestamp) {
        let old = |at: &Timestamp| at.plus(REVOCATIONS_KEPT) <= now;
        let removed = self
            .latest
            .values()
            .filter(|(_, at)| old(at))
            .map(|(mark, _)| *mark)
            .max();
        self.swept = self.swept.max(removed.unwrap_or(0));
        self.latest.retain(|_, (_, at)| !old(at));
    }
}
