//! Sessions: one login each.

use serde::{Deserialize, Serialize};

use super::{Identity, IdentityId, PluginDigest, Purpose, RefreshTokenId, SessionId, TenantId, Timestamp};

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
    /// Who acts in the place of its owner; `None` where the owner does.
    pub actor: Option<Actor>,
}

/// Who acts in somebody else's place: an administrator who impersonates a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The actor's own session: when it ends, the other one does.
    pub session: SessionId,
    /// Who it is.
    pub identity: IdentityId,
    /// The actor's tenant.
    pub tenant: TenantId,
    /// The actor's login name.
    pub login: String,
}
