//! Sessions: listed, and ended one by one.

use super::{TokenError, TokenService};
use crate::model::{IdentityId, Paged, Query, SessionId, TenantScope};
use crate::port::{ListedSession, RevokeTarget, SessionFilter, SessionOrder, StoreError};

impl TokenService {
    /// Sessions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sessions(
        &self,
        query: &Query<SessionFilter, SessionOrder>,
    ) -> Result<Paged<ListedSession>, StoreError> {
        self.store.list_sessions(query).await
    }

    /// Ends a session if it is of one of these tenants and, where one is named, of this identity; returns whether it did.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn end_session(
        &self,
        id: SessionId,
        owner: Option<IdentityId>,
        scope: TenantScope,
    ) -> Result<bool, TokenError> {
        let Some(session) = self.store.find_session(id).await? else {
            return Ok(false);
        };
        let tenant = session.identity.tenant;
        let in_scope = match scope {
            TenantScope::All => true,
            TenantScope::Only(wanted) => tenant == wanted,
            TenantScope::Subtree(top) => self.tenants.tree().await?.is_within(tenant, top),
        };
        if !in_scope || owner.is_some_and(|owner| session.identity.id != owner) {
            return Ok(false);
        }
        let revoked = self.revoke_all(&RevokeTarget::Session(id)).await?;
        Ok(!revoked.sessions.is_empty())
    }
}
