//! Sessions and tokens at rest.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Closed, IdentityId, PluginDigest, RefreshToken, RefreshTokenId, Session, SessionId, TenantId, Timestamp, Token,
    TokenDigest, TokenRecord,
};

/// How long a sweep leaves the note of a revocation. A login that takes longer is refused if a note was removed meanwhile, so this is about
/// the size of the store and not about safety.
pub const REVOCATIONS_KEPT: Duration = Duration::from_hours(24);

/// A point in the order in which the store committed revocations: how many there were. Nodes' clocks differ, and a change that was made at
/// one time is committed at a later one; this order knows neither trouble. What was committed when the mark was read lies before it, and
/// whatever was not lies after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RevocationMark(pub i64);

/// A login that is to be made durable: the session and its first token.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The login.
    pub session: Session,
    /// Its token.
    pub token: Token,
    /// Read before the credential was judged. What was revoked after it overtakes the login.
    pub verified_since: RevocationMark,
    /// How many sessions with a token that is good the identity may have open, this one included; `None` for any number. Mailed links do
    /// not count, and neither do sessions in which somebody else acts.
    pub limit: Option<u32>,
    /// What the login has to do with refresh tokens.
    pub refresh: Refreshing,
}

/// What a login has to do with refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshing {
    /// Nothing.
    No,
    /// It was made with this one, which must still be there.
    With(RefreshTokenId),
    /// It makes one, or keeps the one that the client has of the identity already. `Session::refresh` becomes the one that is there then.
    ///
    /// What is there is kept if the same plugin and the same backend made it, it has not expired, it is not the one to be replaced, and the
    /// new one is not a mobile client's; its end and the name by which the backend knows its owner then become the new one's. A mobile client's takes the place of all that the identity
    /// has of mobile clients, and the sessions that were opened with those end.
    Make {
        /// The new one.
        token: Box<RefreshToken>,
        /// One that is not to be kept.
        replaces: Option<RefreshTokenId>,
    },
}

/// What an opening did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// The refresh token that was made or kept.
    pub refresh: Option<Box<RefreshToken>>,
    /// When the token ends, if that is earlier than was asked: at the end of a trial of its owner's account, or of one above it.
    pub cut_to: Option<Timestamp>,
    /// What ended because of it.
    pub revoked: Revoked,
}

/// What became of an opening.
#[must_use = "a session that was refused does not exist"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpeningOutcome {
    /// The session and its token are durable.
    Opened(Opened),
    /// Nothing was written: the directory user is disabled.
    Disabled,
    /// Nothing was written: the account, or one above it, is closed when the session would begin.
    Closed(Closed),
    /// Nothing was written: since the credential was judged, the user's password was set, or the identity's or the plugin's sessions were
    /// revoked, or the refresh token was removed.
    Overtaken,
    /// Nothing was written: the identity has as many sessions open as it may.
    Full,
}

impl OpeningOutcome {
    /// Whether the session is there.
    pub fn is_opened(&self) -> bool {
        matches!(self, Self::Opened(_))
    }
}

/// Which tokens to revoke.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RevokeTarget {
    /// One token. Its session ends with its last token.
    Token(TokenDigest),
    /// One login.
    Session(SessionId),
    /// Everything that one identity holds, refresh tokens too.
    Identity(IdentityId),
    /// Everything that one plugin file ever let in, refresh tokens too.
    Plugin(PluginDigest),
    /// Everything that the users of one tenant hold, and all that is that tenant's, refresh tokens too.
    Tenant(TenantId),
}

/// What a revocation ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revoked {
    /// The sessions that ended.
    pub sessions: Vec<SessionId>,
    /// The tokens that are no longer good, or for less long than before, so that caches can forget them.
    pub tokens: Vec<TokenDigest>,
}

/// What one batch of a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Expired tokens.
    pub tokens: u64,
    /// Sessions that had no token left.
    pub sessions: u64,
    /// Expired refresh tokens.
    pub refresh_tokens: u64,
}

/// Sessions and tokens at rest.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The latest mark. To be read before a credential is judged.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn revocation_mark(&self) -> Result<RevocationMark, StoreError>;

    /// Writes a session and its token in one transaction, and returns when they survive a power cut. The same transaction makes sure that
    /// nothing overtook the login: a [`super::DirectoryStore::set_verifier`], a revocation of the identity or the plugin, or a closing of an account, that
    /// runs at the same time either ends this session or refuses it. No trial that is set at the same time, or before, ends before the token does.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the identity's directory user or tenant is gone, [`StoreError::Unavailable`].
    async fn open_session(&self, opening: Opening) -> Result<OpeningOutcome, StoreError>;

    /// The token with this digest and its session, expired or not; `None` if it was never issued, was revoked or was swept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError>;

    /// Removes the target's tokens, and the sessions that have none left, and the sessions in which the owner of one of these acts in somebody else's
    /// place, in one transaction, durably; so does whatever else ends sessions. Revoking nothing is no error. A whole identity, plugin or tenant gets a mark
    /// besides, which is never later than the removal: logins under way are refused. `at` only says when the
    /// mark may be forgotten.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]. The mark may have been made even so.
    async fn revoke(&self, target: &RevokeTarget, at: Timestamp) -> Result<Revoked, StoreError>;

    /// Removes at most `limit` tokens that expired at or before `now`, and the sessions left without a token, and at most `limit` refresh
    /// tokens that expired likewise. Call again while it removes `limit` of either. Forgets the notes of revocations that are older than [`REVOCATIONS_KEPT`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Swept, StoreError>;
}
