//! The audit: who asked for what, and how it ended.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Paged, Timestamp};

/// One entry, before the store has numbered it. No field holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewAuditEntry {
    /// What was asked: a method and a route, `POST /auth` for example.
    pub action: String,
    /// Whether it was done.
    pub success: bool,
    /// What the answer says about it: `ACCEPT`, `REJECT`, `CHALLENGE`, or empty.
    pub authentication: String,
    /// The login name of whom it is about.
    pub user: String,
    /// Its realm.
    pub realm: String,
    /// Its resolver.
    pub resolver: String,
    /// The administrator who asked.
    pub administrator: String,
    /// The serial of the factor that it is about.
    pub serial: String,
    /// The factor's kind.
    pub token_type: String,
    /// The names of the policies that had a say, separated by commas.
    pub policies: String,
    /// What happened, in words.
    pub info: String,
    /// The caller's IP address.
    pub client: String,
    /// The caller's `User-Agent`, cut at 128 bytes.
    pub user_agent: String,
    /// The id under which the request is logged.
    pub request_id: String,
    /// How long it took.
    pub duration: Duration,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When, by the store's clock for all nodes.
    pub at: Timestamp,
    /// What it says.
    pub entry: NewAuditEntry,
}

/// Which entries are meant: patterns in which `*` stands for any text and case does not count, by the column's name: `action`, `authentication`, `user`,
/// `realm`, `resolver`, `administrator`, `serial`, `token_type`, `policies`, `info`, `client`, `user_agent`, `request_id`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// The patterns; an unknown column fits nothing.
    pub patterns: Vec<(String, String)>,
    /// Only those that were done, or only those that were not.
    pub success: Option<bool>,
    /// Only those at this time or later.
    pub since: Option<Timestamp>,
}

/// What is counted for a limit: entries of these actions about this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCount<'a> {
    /// The actions.
    pub actions: &'a [&'a str],
    /// Whose, exactly.
    pub user: &'a str,
    /// Of which realm, exactly.
    pub realm: &'a str,
    /// Those that ended so: the value of [`NewAuditEntry::authentication`].
    pub authentication: &'a str,
    /// How far back.
    pub within: Duration,
}

/// The audit at rest.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Writes an entry, durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn record_audit(&self, entry: &NewAuditEntry) -> Result<(), StoreError>;

    /// Some of the entries, newest first or, `ascending`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn list_audit(
        &self,
        filter: &AuditFilter,
        ascending: bool,
        limit: u32,
        offset: u32,
    ) -> Result<Paged<AuditEntry>, StoreError>;

    /// How many entries there are of these.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn count_audit(&self, count: &AuditCount<'_>) -> Result<u64, StoreError>;

    /// Removes at most `batch` of those that are older than `before`; returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sweep_audit(&self, before: Timestamp, batch: u32) -> Result<u64, StoreError>;
}
