//! What is configured through APIs and belongs to the whole installation.

use async_trait::async_trait;

use super::StoreError;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// What an API adds to a backend's configuration; by the backend's name.
    BackendConfig,
    /// A policy of privacyIDEA's API; by its name.
    PrivacyideaPolicy,
    /// A setting of privacyIDEA's API; by its key.
    PrivacyideaSetting,
    /// A key that answers and tokens are signed with, sealed; by its name.
    SigningKey,
    /// A role of Webitel's API; by its name.
    WebitelRole,
    /// A token of a domain, of Webitel's API; by its id.
    WebitelToken,
}

impl DocumentKind {
    /// The name that the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackendConfig => "backend-config",
            Self::PrivacyideaPolicy => "privacyidea-policy",
            Self::PrivacyideaSetting => "privacyidea-setting",
            Self::SigningKey => "signing-key",
            Self::WebitelRole => "webitel-role",
            Self::WebitelToken => "webitel-token",
        }
    }
}

/// A document as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its name, unique within its kind, 1 to 255 bytes; case counts.
    pub name: String,
    /// A number that clients know it by: it stays while the document does, and is not given again.
    pub id: i64,
    /// Grows with each change of the document, and is not given again: not to another document that comes in its place either.
    pub revision: i64,
    /// What is no secret: a JSON document.
    pub document: String,
    /// What is, sealed under the master key. The store cannot open it.
    pub sealed: Option<Vec<u8>>,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// Its name.
    pub name: String,
    /// What is no secret.
    pub document: String,
    /// What is, sealed.
    pub sealed: Option<Vec<u8>>,
    /// The revision that it takes the place of: `Some(0)` for none that is there, `None` for whatever is.
    pub replaces: Option<i64>,
}

/// Documents at rest. Each change is told to the other nodes as [`Change::DocumentsChanged`](super::Change::DocumentsChanged).
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// All documents of this kind, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn list_documents(&self, kind: DocumentKind) -> Result<Vec<StoredDocument>, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_document(&self, kind: DocumentKind, name: &str) -> Result<Option<StoredDocument>, StoreError>;

    /// Puts a document in the place of the one of its name; returns it as it is stored.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for the `document`, if another revision is there than it replaces; [`StoreError::Unavailable`].
    async fn put_document(&self, kind: DocumentKind, new: &NewDocument) -> Result<StoredDocument, StoreError>;

    /// Removes a document; returns its id, if there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_document(&self, kind: DocumentKind, name: &str) -> Result<Option<i64>, StoreError>;

    /// Removes a document as it was read: in this revision. Returns its id, if there was one of its name.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for the `document`, if another revision is there; [`StoreError::Unavailable`].
    async fn remove_document_as_read(
        &self,
        kind: DocumentKind,
        name: &str,
        revision: i64,
    ) -> Result<Option<i64>, StoreError>;
}
