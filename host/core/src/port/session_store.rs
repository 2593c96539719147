//! Lists of sessions. They are opened and ended by [`super::TokenStore`].

use async_trait::async_trait;

use super::StoreError;
use crate::model::{IdentityId, Paged, Query, Session, SessionId};

/// Which sessions are wanted: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Of this identity alone: `total` counts no others.
    pub identity: Option<IdentityId>,
}

/// What sessions can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionOrder {
    /// When they were opened.
    #[default]
    Opened,
    /// Those of mobile clients last.
    Mobile,
}

/// Sessions, as lists show them.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Sessions. Those of mailed links, which are nobody's login, are in the list of all sessions, so that they can be ended, and in no
    /// identity's. There is nothing in them to search.
    ///
    /// # Errors
    /// As [`SessionStore::find_session`].
    async fn list_sessions(&self, query: &Query<SessionFilter, SessionOrder>) -> Result<Paged<Session>, StoreError>;
}
