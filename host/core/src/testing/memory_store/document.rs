//! Documents.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::port::{DocumentKind, DocumentStore, NewDocument, StoreError, StoredDocument};

/// What is configured through APIs.
#[derive(Default)]
pub(super) struct Documents {
    rows: BTreeMap<(DocumentKind, String), StoredDocument>,
    last: i64,
    /// How many changes there were.
    changes: i64,
}

#[async_trait]
impl DocumentStore for MemoryStore {
    async fn list_documents(&self, kind: DocumentKind) -> Result<Vec<StoredDocument>, StoreError> {
        let documents = &self.open("list documents")?.documents;
        let rows = documents.rows.iter().filter(|((known, _), _)| *known == kind);
        Ok(rows.map(|(_, document)| document.clone()).collect())
    }

    async fn find_document(&self, kind: DocumentKind, name: &str) -> Result<Option<StoredDocument>, StoreError> {
        let documents = &self.open("find a document")?.documents;
        Ok(documents.rows.get(&(kind, name.to_owned())).cloned())
    }

    async fn put_document(&self, kind: DocumentKind, new: &NewDocument) -> Result<StoredDocument, StoreError> {
        let documents = &mut self.open("put a document")?.documents;
        let key = (kind, new.name.clone());
        let now = documents.rows.get(&key).map(|known| (known.id, known.revision));
        let revision = now.map_or(0, |(_, revision)| revision);
        if new.replaces.is_some_and(|replaces| replaces != revision) {
            return Err(StoreError::Conflict { what: "document" });
        }
        let id = now.map_or(documents.last + 1, |(id, _)| id);
        documents.last = documents.last.max(id);
        documents.changes += 1;
        let stored = StoredDocument {
            name: new.name.clone(),
            id,
            revision: documents.changes,
            document: new.document.clone(),
            sealed: new.sealed.clone(),
        };
        documents.rows.insert(key, stored.clone());
        Ok(stored)
    }

    async fn remove_document(&self, kind: DocumentKind, name: &str) -> Result<Option<i64>, StoreError> {
        let documents = &mut self.open("remove a document")?.documents;
        let removed = documents.rows.remove(&(kind, name.to_owned()));
        Ok(removed.map(|document| document.id))
    }

    async fn remove_document_as_read(
        &self,
        kind: DocumentKind,
        name: &str,
        revision: i64,
    ) -> Result<Option<i64>, StoreError> {
        let documents = &mut self.open("remove a document")?.documents;
        let key = (kind, name.to_owned());
        match documents.rows.get(&key) {
            Some(known) if known.revision != revision => Err(StoreError::Conflict { what: "document" }),
            _ => Ok(documents.rows.remove(&key).map(|document| document.id)),
        }
    }
}
