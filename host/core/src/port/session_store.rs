//! Lists of sessions. They are opened and ended by [`super::TokenStore`].

use async_trait::async_trait;

use super::StoreError;
use crate::model::{IdentityId, Paged, Query, Session, SessionId, Timestamp};

/// Which sessions are wanted: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Of this identity alone: `total` counts no others.
    pub identity: Option<IdentityId>,
}

/// A session, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// It.
    pub session: Session,
    /// When the last of its tokens expires; a session that has none is about to be removed.
    pub expires_at: Option<Timestamp>,
    /// The client of the refresh token that it was opened with or that was made with it, while there is that token.
    pub client_id: Option<String>,
}

/// What sessions can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionOrder {
    /// When they were opened.
    #[default]
    Opened,
    /// Those of mobile clients last.
    Mobile,
    /// When they expire.
    Expires,
    /// The programs that they were opened with; those that did not say come first.
    UserAgent,
    /// The clients of their refresh tokens; those without one come first.
    Client,
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
    async fn list_sessions(
        &self,
        query: &Query<SessionFilter, SessionOrder>,
    ) -> Result<Paged<ListedSession>, StoreError>;
}
