//! Whether a token is good, and for what.

use std::sync::Arc;

use uuid::Uuid;

use super::{CheckRequest, LiveToken, TokenError, TokenService, TokenValue};
use crate::model::{LINK_DIALECT, TenantId, TokenRecord};

impl TokenService {
    /// Whether a token is good, and for what was asked. Never touches a plugin. The token of a mailed link is good for the access that it carries, and
    /// for nothing else: it says who reads somebody's mail, and not who logged in.
    ///
    /// # Errors
    /// [`TokenError::NotFound`], then [`TokenError::AccessDenied`], then [`TokenError::TenantDenied`]; [`TokenError::Store`].
    pub async fn check(&self, token: &TokenValue, request: CheckRequest<'_>) -> Result<Arc<LiveToken>, TokenError> {
        let live = self.find_live(token).await?;
        match request.scope {
            Some(scope) if !live.accesses.grants(scope) => return Err(TokenError::AccessDenied(scope.to_owned())),
            None if live.record.session.dialect == LINK_DIALECT => return Err(TokenError::NotFound),
            _ => {}
        }
        self.check_tenant(&live, request.tenant).await?;
        Ok(live)
    }

    /// What a token is good for, to be asked of its accesses; a mailed link's too.
    ///
    /// # Errors
    /// As [`TokenService::check`].
    pub async fn accesses(&self, token: &TokenValue, tenant: Option<&str>) -> Result<Arc<LiveToken>, TokenError> {
        let live = self.find_live(token).await?;
        self.check_tenant(&live, tenant).await?;
        Ok(live)
    }

    async fn find_live(&self, token: &TokenValue) -> Result<Arc<LiveToken>, TokenError> {
        let now = self.clock.now();
        for digest in self.keys.digests(token) {
            if let Some(live) = self.cache.get(&digest) {
                if live.record.token.expires_at > now {
                    return Ok(live);
                }
                self.cache.evict(&digest);
                return Err(TokenError::NotFound);
            }
        }
        for digest in self.keys.digests(token) {
            let ticket = self.cache.ticket(digest);
            if let Some(record) = self.store.find_token(&digest).await? {
                if record.token.expires_at <= now {
                    return Err(TokenError::NotFound);
                }
                let live = self.enliven(record);
                self.cache.insert(ticket, Arc::clone(&live));
                return Ok(live);
            }
        }
        Err(TokenError::NotFound)
    }

    /// Makes a record ready for evaluation.
    pub(super) fn enliven(&self, mut record: TokenRecord) -> Arc<LiveToken> {
        let (identity, session) = (record.session.identity.id, record.session.id);
        let accesses = self.shared_accesses.compile(&mut record.token, identity, session);
        Arc::new(LiveToken { record, accesses })
    }

    /// Only ids are tenants here: a service that asks must know which tenant it means.
    async fn check_tenant(&self, live: &LiveToken, tenant: Option<&str>) -> Result<(), TokenError> {
        let Some(tenant) = tenant else {
            return Ok(());
        };
        let denied = || TokenError::TenantDenied(tenant.to_owned());
        let asked = TenantId(Uuid::try_parse(tenant).map_err(|_| denied())?);
        let own = live.record.session.identity.tenant;
        if self.tenants.is_within(asked, own).await? {
            Ok(())
        } else {
            Err(denied())
        }
    }
}
