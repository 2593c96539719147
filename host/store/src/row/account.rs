//! Accounts, profiles, digests of passwords, and attempts to log in.

use keyway_core::Secret;
use keyway_core::model::{Account, DigestAlgorithm, IdentityId, Profile, TenantId, Timestamp, UserId};
use keyway_core::port::{Attempt, NewAttempt, StoreError, StoredDigest};
use sqlx::FromRow;
use uuid::Uuid;

use super::{bytes32, from_json, inconsistent};

/// An account joined to one of its phone numbers, if it has any.
#[derive(FromRow)]
pub(crate) struct AccountRow {
    tenant: Uuid,
    enabled: bool,
    trial_expires_at: Option<i64>,
    reseller: bool,
    language: Option<String>,
    timezone: Option<String>,
    api_key: i64,
    document: String,
    number: Option<String>,
}

/// Accounts from rows in which each account's rows follow each other.
pub(crate) fn accounts(rows: Vec<AccountRow>) -> Result<Vec<Account>, StoreError> {
    let mut accounts: Vec<Account> = Vec::new();
    for row in rows {
        match accounts.last_mut() {
            Some(account) if account.tenant.0 == row.tenant => account.phone_numbers.extend(row.number),
            _ => accounts.push(Account {
                tenant: TenantId(row.tenant),
                enabled: row.enabled,
                trial_expires_at: row.trial_expires_at.map(Timestamp),
                reseller: row.reseller,
                language: row.language,
                timezone: row.timezone,
                phone_numbers: row.number.into_iter().collect(),
                api_key: u32::try_from(row.api_key)
                    .map_err(|_| inconsistent(format!("`account.api_key` of `{}` is out of range", row.tenant)))?,
                document: from_json("account.document", &row.tenant, &row.document)?,
            }),
        }
    }
    Ok(accounts)
}

/// A profile.
#[derive(FromRow)]
pub(crate) struct ProfileRow {
    directory_user: Uuid,
    language: Option<String>,
    timezone: Option<String>,
    verified: bool,
    require_password_update: bool,
    document: String,
}

impl TryFrom<ProfileRow> for Profile {
    type Error = StoreError;

    fn try_from(row: ProfileRow) -> Result<Self, StoreError> {
        Ok(Self {
            user: UserId(row.directory_user),
            language: row.language,
            timezone: row.timezone,
            verified: row.verified,
            require_password_update: row.require_password_update,
            document: from_json("user_profile.document", &row.directory_user, &row.document)?,
        })
    }
}

/// What stands for a digest of a password.
#[derive(FromRow)]
pub(crate) struct StoredDigestRow {
    directory_user: Uuid,
    algorithm: String,
    cost: String,
    hash: Vec<u8>,
}

impl TryFrom<StoredDigestRow> for StoredDigest {
    type Error = StoreError;

    fn try_from(row: StoredDigestRow) -> Result<Self, StoreError> {
        let algorithm = DigestAlgorithm::parse(&row.algorithm).ok_or_else(|| {
            inconsistent(format!(
                "`user_digest.algorithm` of `{}` is unknown",
                row.directory_user
            ))
        })?;
        Ok(Self {
            algorithm,
            cost: row.cost,
            hash: Secret::new(bytes32("user_digest.hash", &row.hash)?),
        })
    }
}

/// An attempt to log in.
#[derive(FromRow)]
pub(crate) struct AttemptRow {
    id: i64,
    at: i64,
    tenant: Uuid,
    identity: Option<Uuid>,
    actor: Option<Uuid>,
    kind: String,
    success: bool,
    message: String,
    client: String,
    user_agent: String,
    request_id: String,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        Self {
            id: row.id,
            attempt: NewAttempt {
                at: Timestamp(row.at),
                tenant: TenantId(row.tenant),
                identity: row.identity.map(IdentityId),
                actor: row.actor.map(IdentityId),
                kind: row.kind,
                success: row.success,
                message: row.message,
                client: row.client,
                user_agent: row.user_agent,
                request_id: row.request_id,
            },
        }
    }
}
