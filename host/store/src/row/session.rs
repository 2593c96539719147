//! Sessions, their tokens, and what is told of them.

use keyway_core::model::{
    Actor, BackendName, Client, EventKind, Identity, IdentityId, KeyId, NewEvent, PluginDigest, Purpose,
    RefreshTokenId, Session, SessionId, TenantId, Timestamp, Token, TokenDigest, TokenRecord, UserId,
};
use keyway_core::port::{ListedSession, StoreError};
use sqlx::FromRow;
use uuid::Uuid;

use super::{bytes32, from_json, inconsistent};

/// A token joined to its session.
#[derive(FromRow)]
pub(crate) struct TokenRow {
    hash: Vec<u8>,
    key_id: i32,
    issued_at: i64,
    expires_at: i64,
    accesses: String,
    #[sqlx(flatten)]
    session: SessionRow,
}

impl TryFrom<TokenRow> for TokenRecord {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        let session = Session::try_from(row.session)?;
        let token = Token {
            digest: TokenDigest {
                key: KeyId(row.key_id),
                hash: bytes32("token.hash", &row.hash)?,
            },
            session: session.id,
            issued_at: Timestamp(row.issued_at),
            expires_at: Timestamp(row.expires_at),
            accesses: from_json::<Vec<String>>("token.accesses", &session.id, &row.accesses)?.into(),
        };
        Ok(Self { token, session })
    }
}

/// A session.
#[derive(FromRow)]
pub(crate) struct SessionRow {
    id: Uuid,
    identity: Uuid,
    directory_user: Option<Uuid>,
    tenant: Uuid,
    backend: String,
    login: String,
    plugin_digest: Vec<u8>,
    dialect: String,
    client_address: Option<String>,
    user_agent: Option<String>,
    attributes: String,
    opened_at: i64,
    purpose: String,
    admin: Option<bool>,
    mobile: bool,
    refresh: Option<Uuid>,
    actor: Option<String>,
}

/// A session, as lists show it.
#[derive(FromRow)]
pub(crate) struct ListedSessionRow {
    #[sqlx(flatten)]
    session: SessionRow,
    ends_at: Option<i64>,
    client_id: Option<String>,
}

impl TryFrom<ListedSessionRow> for ListedSession {
    type Error = StoreError;

    fn try_from(row: ListedSessionRow) -> Result<Self, StoreError> {
        Ok(Self {
            session: row.session.try_into()?,
            expires_at: row.ends_at.map(Timestamp),
            client_id: row.client_id,
        })
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let id = SessionId(row.id);
        let backend = BackendName::parse(&row.backend)
            .map_err(|_| inconsistent(format!("`session.backend` of `{id}` is no backend name")))?;
        Ok(Self {
            id,
            identity: Identity {
                id: IdentityId(row.identity),
                user: row.directory_user.map(UserId),
                tenant: TenantId(row.tenant),
                backend,
                login: row.login,
            },
            plugin: PluginDigest(bytes32("session.plugin_digest", &row.plugin_digest)?),
            dialect: row.dialect,
            client: Client {
                address: row.client_address,
                user_agent: row.user_agent,
            },
            attributes: from_json("session.attributes", &id, &row.attributes)?,
            opened_at: Timestamp(row.opened_at),
            purpose: Purpose::parse(&row.purpose)
                .ok_or_else(|| inconsistent(format!("`session.purpose` of `{id}` is unknown")))?,
            admin: row.admin,
            mobile: row.mobile,
            refresh: row.refresh.map(RefreshTokenId),
            actor: actor_of(row.id, row.actor.as_deref())?,
        })
    }
}

fn actor_of(session: Uuid, text: Option<&str>) -> Result<Option<Actor>, StoreError> {
    text.map(|text| from_json("session.actor", &session, text)).transpose()
}

/// What there is to say of a session.
#[derive(FromRow)]
pub(crate) struct ToldSession {
    pub(crate) id: Uuid,
    pub(crate) tenant: Uuid,
    pub(crate) identity: Uuid,
    pub(crate) mobile: bool,
    pub(crate) dialect: String,
    pub(crate) actor: Option<String>,
}

impl ToldSession {
    /// The event that something became of it.
    pub(crate) fn tell(&self, kind: EventKind) -> Result<NewEvent, StoreError> {
        let actor = actor_of(self.id, self.actor.as_deref())?;
        let (tenant, identity) = (TenantId(self.tenant), IdentityId(self.identity));
        let event = NewEvent::session(kind, SessionId(self.id), tenant, identity, self.mobile);
        Ok(event.impersonated(actor.as_ref()))
    }
}

/// A session that is no more.
#[derive(FromRow)]
pub(crate) struct EndedSession {
    #[sqlx(flatten)]
    pub(crate) told: ToldSession,
    /// Whether its owner acts in somebody else's place, in a session that is to end with it.
    pub(crate) acts: bool,
}
