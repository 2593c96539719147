//! Sessions: one login each.

use super::{Identity, PluginDigest, Purpose, RefreshTokenId, SessionId, Timestamp};

/// What stands in [`Session::dialect`] of a token that was mailed as a link: nobody logged in for it.
pub const LINK_DIALECT: &str = "link";

/// Where a login came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// The caller's IP address, proxies resolved.
    pub address: Option<String>,
    /// The `User-Agent` header, cut at 512 bytes.
    pub user_agent: Option<String>,
}

/// One login. It owns its tokens; when it ends, they end. A session that was revoked is not kept, so there is no state for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who logged in.
    pub identity: Identity,
    /// Which plugin file said so: what `token revoke --plugin` goes by.
    pub plugin: PluginDigest,
    /// Through which API.
    pub dialect: String,
    /// From where.
    pub client: Client,
    /// What the backend and the dialect want kept with the session.
    pub attributes: Vec<(String, String)>,
    /// When.
    pub opened_at: Timestamp,
    /// What its owner is there for.
    pub purpose: Purpose,
    /// Whether its owner is an administrator, where that is asked.
    pub admin: Option<bool>,
    /// Whether the client is a mobile one.
    pub mobile: bool,
    /// The refresh token that it was opened with or that was made with it.
    pub refresh: Option<RefreshTokenId>,
}
