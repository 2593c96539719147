//! Sessions and tokens.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{Timestamp, TokenDigest, TokenRecord};
use crate::port::{Opening, RevokeTarget, Revoked, StoreError, Swept, TokenStore};

#[async_trait]
impl TokenStore for MemoryStore {
    async fn open_session(&self, opening: Opening) -> Result<(), StoreError> {
        let mut tables = self.open("open a session")?;
        let Opening { session, token } = opening;
        if let Some(user) = session.identity.user
            && !tables.users.contains_key(&user)
        {
            return Err(StoreError::Missing { what: "user" });
        }
        if !tables.tenants.contains_key(&session.identity.tenant) {
            return Err(StoreError::Missing { what: "tenant" });
        }
        tables.sessions.insert(session.id, session);
        tables.tokens.insert(token.digest, token);
        Ok(())
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

    async fn revoke(&self, target: &RevokeTarget) -> Result<Revoked, StoreError> {
        let revoked = self.open("revoke tokens")?.remove(target);
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
        let sessions = tables.drop_empty_sessions().len();
        Ok(Swept {
            tokens: digests.len() as u64,
            sessions: sessions as u64,
        })
    }
}

impl Tables {
    pub(super) fn remove(&mut self, target: &RevokeTarget) -> Revoked {
        let hit = |digest: &TokenDigest| {
            let token = self.tokens.get(digest)?;
            let session = self.sessions.get(&token.session)?;
            Some(match target {
                RevokeTarget::Token(wanted) => digest == wanted,
                RevokeTarget::Session(wanted) => session.id == *wanted,
                RevokeTarget::Identity(wanted) => session.identity.id == *wanted,
                RevokeTarget::Plugin(wanted) => session.plugin == *wanted,
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
        Revoked {
            sessions: self.drop_empty_sessions(),
            tokens,
        }
    }

    fn drop_empty_sessions(&mut self) -> Vec<crate::model::SessionId> {
        let empty = |id: &_| self.tokens.values().all(|token| token.session != *id);
        let gone: Vec<_> = self.sessions.keys().filter(|id| empty(*id)).copied().collect();
        for id in &gone {
            self.sessions.remove(id);
        }
        gone
    }
}
