//! What the store keeps and cannot read: documents and challenges.

use keyway_core::model::Timestamp;
use keyway_core::port::{StoreError, StoredChallenge, StoredDocument};
use sqlx::FromRow;

use super::bytes32;

/// A document.
#[derive(FromRow)]
pub(crate) struct DocumentRow {
    name: String,
    id: i64,
    revision: i64,
    content: String,
    sealed: Option<Vec<u8>>,
}

impl From<DocumentRow> for StoredDocument {
    fn from(row: DocumentRow) -> Self {
        Self {
            name: row.name,
            id: row.id,
            revision: row.revision,
            document: row.content,
            sealed: row.sealed,
        }
    }
}

/// A challenge.
#[derive(FromRow)]
pub(crate) struct ChallengeRow {
    digest: Vec<u8>,
    sealed: Vec<u8>,
    expires_at: i64,
    answered: bool,
}

impl TryFrom<ChallengeRow> for StoredChallenge {
    type Error = StoreError;

    fn try_from(row: ChallengeRow) -> Result<Self, StoreError> {
        Ok(Self {
            digest: bytes32("challenge.digest", &row.digest)?,
            sealed: row.sealed,
            expires_at: Timestamp(row.expires_at),
            answered: row.answered,
        })
    }
}
