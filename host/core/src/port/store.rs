//! The store as a whole.

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{
    AccountStore, AttemptStore, AuditStore, ChallengeStore, DirectoryStore, DocumentStore, EventStore, FactorStore,
    GroupStore, KeyStore, LinkStore, PolicyStore, ProvisionStore, RefreshStore, SessionStore, SettingStore,
    TenantStore, TokenStore,
};
use crate::model::TokenDigest;

/// Why a store did not do what it was asked. What a method is documented to do has either been done whole, or not at all.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is down, too slow or out of space. Trying again later may help.
    #[error("the store is unavailable while it should {action}")]
    Unavailable {
        /// What was asked, `find a token` for example.
        action: &'static str,
        /// What the driver says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something unique exists already.
    #[error("`{what}` exists already")]
    Conflict {
        /// What is taken: `login`, `email`, `group name`, `policy name`, `tenant name`, `tenant domain`, `phone number`, `serial`, `document` and the like.
        what: &'static str,
    },
    /// What a row must refer to does not exist.
    #[error("no such {what}")]
    Missing {
        /// What is missing: `tenant`, `user`, `group`, `policy`.
        what: &'static str,
    },
    /// The tenant cannot go while others depend on it.
    #[error("the tenant still owns {what}")]
    InUse {
        /// What it owns: `tenants`, `users`, `groups`, `policies`, `sessions`, `refresh tokens`, `factors`, `settings`.
        what: &'static str,
    },
    /// A row fits no value of the model: the database was altered by somebody else, or this is a defect.
    #[error("inconsistent row: {what}")]
    Inconsistent {
        /// Which table and column, and the row's id where it is no secret.
        what: String,
    },
}

/// Something that happened in the store, on this node or another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These tokens are no longer good.
    TokensRevoked(Vec<TokenDigest>),
    /// More tokens were revoked than are worth naming: forget all.
    AnyTokenRevoked,
    /// Tenants were added, moved or removed.
    TenantsChanged,
    /// Documents were written or removed.
    DocumentsChanged,
    /// This node can no longer hear of changes made elsewhere: trust no cache until [`Change::FeedRestored`].
    FeedLost,
    /// It hears again. Whatever was cached before is to be forgotten.
    FeedRestored,
}

/// Everything that a store does. To add one: a folder in `host/store` with one file per port trait, a constructor in its
/// `open` function, and a line in the table of `host/store/tests/contract.rs`, which states what every store must do.
#[async_trait]
pub trait Store:
    TokenStore
    + RefreshStore
    + SessionStore
    + DirectoryStore
    + GroupStore
    + TenantStore
    + PolicyStore
    + ProvisionStore
    + SettingStore
    + LinkStore
    + FactorStore
    + ChallengeStore
    + AuditStore
    + AccountStore
    + AttemptStore
    + DocumentStore
    + EventStore
    + KeyStore
{
    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn ping(&self) -> Result<(), StoreError>;

    /// Changes made by *other* processes on the same store. A store that several nodes cannot share never sends anything. A receiver that lags
    /// behind must treat it as [`Change::FeedRestored`].
    fn changes(&self) -> broadcast::Receiver<Change>;

    /// Writes what is under way and closes. Later calls answer [`StoreError::Unavailable`].
    async fn close(&self);
}
