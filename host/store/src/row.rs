//! Rows as the databases hold them, and their way into the model. A row that fits no value is [`StoreError::Inconsistent`].

mod account;
mod audit;
mod document;
mod factor;
mod session;

pub(crate) use account::{AccountRow, AttemptRow, ProfileRow, StoredDigestRow, accounts};
pub(crate) use audit::AuditRow;
pub(crate) use document::{ChallengeRow, DocumentRow};
pub(crate) use factor::{FactorRow, StoredFactorRow};
pub(crate) use session::{EndedSession, ListedSessionRow, SessionRow, TokenRow, ToldSession};

use keyway_core::model::{
    AuthenticationMethod, BackendName, Client, Email, EmailId, Event, EventCursor, EventKind, Group, GroupId, Identity,
    IdentityId, KeyId, NewEvent, PluginDigest, Policy, PolicyId, Purpose, RefreshToken, RefreshTokenId, Tenant,
    TenantId, Timestamp, TokenDigest, User, UserId,
};
use keyway_core::port::{KeyPurpose, SealedKey, StoreError, StoredSetting};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::FromRow;
use uuid::Uuid;

fn inconsistent(what: impl Into<String>) -> StoreError {
    StoreError::Inconsistent { what: what.into() }
}

/// A list as the databases keep it.
pub(crate) fn to_json<T: Serialize + ?Sized>(column: &'static str, list: &T) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|_| inconsistent(format!("`{column}` cannot be written as JSON")))
}

fn from_json<T: DeserializeOwned>(column: &str, id: &dyn std::fmt::Display, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| inconsistent(format!("`{column}` of `{id}` is not the expected JSON")))
}

fn bytes32(column: &str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes
        .try_into()
        .map_err(|_| inconsistent(format!("`{column}` is not 32 bytes long")))
}

/// A refresh token.
#[derive(FromRow)]
pub(crate) struct RefreshRow {
    id: Uuid,
    hash: Vec<u8>,
    key_id: i32,
    identity: Uuid,
    directory_user: Option<Uuid>,
    tenant: Uuid,
    backend: String,
    login: String,
    plugin_digest: Vec<u8>,
    linked_as: Option<String>,
    client_id: String,
    mobile: bool,
    client_address: Option<String>,
    user_agent: Option<String>,
    attributes: String,
    created_at: i64,
    expires_at: Option<i64>,
}

impl TryFrom<RefreshRow> for RefreshToken {
    type Error = StoreError;

    fn try_from(row: RefreshRow) -> Result<Self, StoreError> {
        let id = RefreshTokenId(row.id);
        let backend = BackendName::parse(&row.backend)
            .map_err(|_| inconsistent(format!("`refresh_token.backend` of `{id}` is no backend name")))?;
        Ok(Self {
            id,
            digest: TokenDigest {
                key: KeyId(row.key_id),
                hash: bytes32("refresh_token.hash", &row.hash)?,
            },
            identity: Identity {
                id: IdentityId(row.identity),
                user: row.directory_user.map(UserId),
                tenant: TenantId(row.tenant),
                backend,
                login: row.login,
            },
            plugin: PluginDigest(bytes32("refresh_token.plugin_digest", &row.plugin_digest)?),
            linked_as: row.linked_as,
            client_id: row.client_id,
            mobile: row.mobile,
            client: Client {
                address: row.client_address,
                user_agent: row.user_agent,
            },
            attributes: from_json("refresh_token.attributes", &id, &row.attributes)?,
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
        })
    }
}

/// A token that is no more.
#[derive(FromRow)]
pub(crate) struct DigestRow {
    hash: Vec<u8>,
    key_id: i32,
}

impl TryFrom<&DigestRow> for TokenDigest {
    type Error = StoreError;

    fn try_from(row: &DigestRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: KeyId(row.key_id),
            hash: bytes32("token.hash", &row.hash)?,
        })
    }
}

/// A user joined to one of its email addresses, if it has any.
#[derive(FromRow)]
pub(crate) struct UserRow {
    id: Uuid,
    tenant: Uuid,
    login: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    purpose: String,
    authentication_method: String,
    enabled: bool,
    created_at: i64,
    email: Option<Uuid>,
    address: Option<String>,
    main: Option<bool>,
    confirmed: Option<bool>,
}

/// Users from rows in which each user's rows follow each other.
pub(crate) fn users(rows: Vec<UserRow>) -> Result<Vec<User>, StoreError> {
    let mut users: Vec<User> = Vec::new();
    for row in rows {
        let email = match (row.email, row.address, row.main, row.confirmed) {
            (Some(id), Some(address), Some(main), Some(confirmed)) => Some(Email {
                id: EmailId(id),
                address,
                main,
                confirmed,
            }),
            _ => None,
        };
        match users.last_mut() {
            Some(user) if user.id.0 == row.id => user.emails.extend(email),
            _ => users.push(User {
                id: UserId(row.id),
                tenant: TenantId(row.tenant),
                login: row.login,
                firstname: row.firstname,
                lastname: row.lastname,
                purpose: Purpose::parse(&row.purpose)
                    .ok_or_else(|| inconsistent(format!("`directory_user.purpose` of `{}` is unknown", row.id)))?,
                authentication_method: method("directory_user", row.id, &row.authentication_method)?,
                emails: email.into_iter().collect(),
                enabled: row.enabled,
                created_at: Timestamp(row.created_at),
            }),
        }
    }
    Ok(users)
}

/// What a column `authentication_method` says.
pub(crate) fn method(table: &str, id: Uuid, text: &str) -> Result<AuthenticationMethod, StoreError> {
    AuthenticationMethod::parse(text)
        .ok_or_else(|| inconsistent(format!("`{table}.authentication_method` of `{id}` is unknown")))
}

/// A group.
#[derive(FromRow)]
pub(crate) struct GroupRow {
    id: Uuid,
    tenant: Uuid,
    name: String,
    slug: String,
    system: bool,
}

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        Self {
            id: GroupId(row.id),
            tenant: TenantId(row.tenant),
            name: row.name,
            slug: row.slug,
            system: row.system,
        }
    }
}

/// A tenant joined to one of its domains, if it has any.
#[derive(FromRow)]
pub(crate) struct TenantRow {
    id: Uuid,
    parent: Uuid,
    name: Option<String>,
    realm: Option<String>,
    slug: String,
    phone: Option<String>,
    contact: Option<Uuid>,
    address: String,
    authentication_method: String,
    domain: Option<String>,
}

/// Tenants from rows in which each tenant's rows follow each other.
pub(crate) fn tenants(rows: Vec<TenantRow>) -> Result<Vec<Tenant>, StoreError> {
    let mut tenants: Vec<Tenant> = Vec::new();
    for row in rows {
        match tenants.last_mut() {
            Some(tenant) if tenant.id.0 == row.id => tenant.domains.extend(row.domain),
            _ => tenants.push(Tenant {
                id: TenantId(row.id),
                parent: TenantId(row.parent),
                name: row.name,
                realm: row.realm,
                domains: row.domain.into_iter().collect(),
                slug: row.slug,
                phone: row.phone,
                contact: row.contact.map(UserId),
                address: from_json("tenant.address", &row.id, &row.address)?,
                authentication_method: method("tenant", row.id, &row.authentication_method)?,
            }),
        }
    }
    Ok(tenants)
}

/// What a tenant set for itself.
#[derive(FromRow)]
pub(crate) struct SettingRow {
    document: String,
    sealed: Option<Vec<u8>>,
}

impl From<SettingRow> for StoredSetting {
    fn from(row: SettingRow) -> Self {
        Self {
            document: row.document,
            sealed: row.sealed,
        }
    }
}

/// A policy.
#[derive(FromRow)]
pub(crate) struct PolicyRow {
    id: Uuid,
    tenant: Uuid,
    name: String,
    slug: String,
    description: Option<String>,
    accesses: String,
    shared: bool,
    managed: bool,
}

/// The accesses of a policy.
pub(crate) fn access_list(policy: Uuid, text: &str) -> Result<Vec<String>, StoreError> {
    from_json("policy.accesses", &policy, text)
}

impl TryFrom<PolicyRow> for Policy {
    type Error = StoreError;

    fn try_from(row: PolicyRow) -> Result<Self, StoreError> {
        let accesses = access_list(row.id, &row.accesses)?;
        Ok(Self {
            id: PolicyId(row.id),
            tenant: TenantId(row.tenant),
            name: row.name,
            slug: row.slug,
            description: row.description,
            accesses,
            shared: row.shared,
            managed: row.managed,
        })
    }
}

/// A server key.
#[derive(FromRow)]
pub(crate) struct KeyRow {
    id: i32,
    purpose: String,
    sealed: Vec<u8>,
    created_at: i64,
}

impl TryFrom<KeyRow> for SealedKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let purpose = [KeyPurpose::TokenHash]
            .into_iter()
            .find(|purpose| purpose.as_str() == row.purpose);
        let purpose =
            purpose.ok_or_else(|| inconsistent(format!("`server_key.purpose` of `{}` is unknown", row.id)))?;
        let created_at = Timestamp(row.created_at);
        Ok(Self {
            id: KeyId(row.id),
            purpose,
            sealed: row.sealed,
            created_at,
        })
    }
}

/// Something that happened.
#[derive(FromRow)]
pub(crate) struct EventRow {
    epoch: i64,
    id: i64,
    at: i64,
    kind: String,
    tenant: Option<Uuid>,
    identity: Option<Uuid>,
    document: String,
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        // A kind that only a newer node knows waits until that node reads it, rather than being lost here.
        let kind = EventKind::parse(&row.kind)
            .ok_or_else(|| inconsistent(format!("`event.kind` of `{}` is unknown", row.id)))?;
        Ok(Self {
            cursor: EventCursor {
                epoch: row.epoch,
                id: row.id,
            },
            at: Timestamp(row.at),
            event: NewEvent {
                kind,
                tenant: row.tenant.map(TenantId),
                identity: row.identity.map(IdentityId),
                document: from_json("event.document", &row.id, &row.document)?,
            },
        })
    }
}
