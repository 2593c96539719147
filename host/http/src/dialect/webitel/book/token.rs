//! Tokens of domains, as the store has them.

use keyway_core::model::{IdentityId, TenantId, Timestamp, UserId};
use keyway_core::port::{StoreError, StoredDocument};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::inconsistent;
use crate::dialect::webitel::acl::Acl;

/// A token of a domain, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::webitel) struct DomainToken {
    /// The domain.
    pub(in crate::dialect::webitel) tenant: TenantId,
    /// The name of its role.
    pub(in crate::dialect::webitel) role: String,
    /// What its maker could do: it never does more, whatever becomes of the role.
    pub(in crate::dialect::webitel) ceiling: Acl,
    /// From when on it is no longer good.
    pub(in crate::dialect::webitel) expires_at: Timestamp,
    /// Who made it: it never does more than that one could now.
    pub(in crate::dialect::webitel) maker: Maker,
    /// What its maker was called.
    pub(in crate::dialect::webitel) created_by: String,
    /// When.
    pub(in crate::dialect::webitel) created_at: Timestamp,
    /// Whether it is good.
    pub(in crate::dialect::webitel) enabled: bool,
    /// Which version of it the store has.
    pub(in crate::dialect::webitel) revision: i64,
}

/// Who makes tokens of domains and answers for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::dialect::webitel) enum Maker {
    /// A user of the directory.
    User(UserId),
    /// Somebody whom a backend alone knows.
    Subject(IdentityId),
    /// An account, by its API key of this number.
    Key {
        /// The account.
        tenant: TenantId,
        /// [`keyway_core::model::Account::api_key`].
        number: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct RawToken {
    tenant: Uuid,
    role: String,
    /// `None` for everything.
    ceiling: Option<Value>,
    expires_at: Timestamp,
    maker: Maker,
    created_by: String,
    created_at: Timestamp,
    enabled: bool,
}

impl DomainToken {
    pub(super) fn to_json(&self) -> Value {
        let raw = RawToken {
            tenant: self.tenant.0,
            role: self.role.clone(),
            ceiling: (!self.ceiling.is_everything()).then(|| self.ceiling.to_json()),
            expires_at: self.expires_at,
            maker: self.maker,
            created_by: self.created_by.clone(),
            created_at: self.created_at,
            enabled: self.enabled,
        };
        serde_json::json!(raw)
    }

    pub(super) fn read(stored: &StoredDocument) -> Result<(Uuid, Self), StoreError> {
        let bad = |why: &dyn std::fmt::Display| inconsistent("token", &stored.name, why);
        let id = Uuid::try_parse(&stored.name).map_err(|error| bad(&error))?;
        let raw: RawToken = serde_json::from_str(&stored.document).map_err(|error| bad(&error))?;
        let ceiling = match &raw.ceiling {
            None => Acl::everything([]),
            Some(value) => Acl::parse_stored(value).map_err(|error| bad(&error))?,
        };
        let token = Self {
            tenant: TenantId(raw.tenant),
            role: raw.role,
            ceiling,
            expires_at: raw.expires_at,
            maker: raw.maker,
            created_by: raw.created_by,
            created_at: raw.created_at,
            enabled: raw.enabled,
            revision: stored.revision,
        };
        Ok((id, token))
    }
}
