//! Entries of the audit.

use std::time::Duration;

use keyway_core::model::Timestamp;
use keyway_core::port::{AuditEntry, NewAuditEntry, StoreError};
use sqlx::FromRow;

use super::inconsistent;

/// An entry.
#[derive(FromRow)]
pub(crate) struct AuditRow {
    id: i64,
    at: i64,
    success: bool,
    duration: i64,
    action: String,
    authentication: String,
    login: String,
    realm: String,
    resolver: String,
    administrator: String,
    serial: String,
    token_type: String,
    policies: String,
    info: String,
    client: String,
    user_agent: String,
    request_id: String,
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let duration = u64::try_from(row.duration)
            .map_err(|_| inconsistent(format!("`audit.duration` of `{}` is negative", row.id)))?;
        Ok(Self {
            id: row.id,
            at: Timestamp(row.at),
            entry: NewAuditEntry {
                action: row.action,
                success: row.success,
                authentication: row.authentication,
                user: row.login,
                realm: row.realm,
                resolver: row.resolver,
                administrator: row.administrator,
                serial: row.serial,
                token_type: row.token_type,
                policies: row.policies,
                info: row.info,
                client: row.client,
                user_agent: row.user_agent,
                request_id: row.request_id,
                duration: Duration::from_micros(duration),
            },
        })
    }
}
