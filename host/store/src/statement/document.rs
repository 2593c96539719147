//! What is configured through APIs: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::port::{DocumentKind, DocumentStore, NewDocument, StoreError, StoredDocument};

use super::{Connection, DriverStore};
use crate::failure::{Failure, explain, text};
use crate::row::DocumentRow;

#[async_trait]
impl DocumentStore for DriverStore {
    async fn list_documents(&self, kind: DocumentKind) -> Result<Vec<StoredDocument>, StoreError> {
        self.call("list documents", async { list(&mut *self.reader().await?, kind).await })
            .await
    }

    async fn find_document(&self, kind: DocumentKind, name: &str) -> Result<Option<StoredDocument>, StoreError> {
        self.call("find a document", async {
            find(&mut *self.reader().await?, kind, name).await
        })
        .await
    }

    async fn put_document(&self, kind: DocumentKind, new: &NewDocument) -> Result<StoredDocument, StoreError> {
        let new = new.clone();
        self.write_documents("write a document", move |connection| {
            Box::pin(async move { put(connection, kind, &new).await })
        })
        .await
    }

    async fn remove_document(&self, kind: DocumentKind, name: &str) -> Result<Option<i64>, StoreError> {
        let name = name.to_owned();
        self.write_documents("remove a document", move |connection| {
            Box::pin(async move { remove(connection, kind, &name, None).await })
        })
        .await
    }

    async fn remove_document_as_read(
        &self,
        kind: DocumentKind,
        name: &str,
        revision: i64,
    ) -> Result<Option<i64>, StoreError> {
        let name = name.to_owned();
        self.write_documents("remove a document", move |connection| {
            Box::pin(async move { remove(connection, kind, &name, Some(revision)).await })
        })
        .await
    }
}

async fn list(connection: &mut Connection, kind: DocumentKind) -> Result<Vec<StoredDocument>, Failure> {
    let rows: Vec<DocumentRow> =
        sqlx::query_as("SELECT name, id, revision, content, sealed FROM document WHERE kind = $1 ORDER BY name")
            .bind(kind.as_str())
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(StoredDocument::from).collect())
}

async fn find(connection: &mut Connection, kind: DocumentKind, name: &str) -> Result<Option<StoredDocument>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if name.contains('\0') {
        return Ok(None);
    }
    let row: Option<DocumentRow> =
        sqlx::query_as("SELECT name, id, revision, content, sealed FROM document WHERE kind = $1 AND name = $2")
            .bind(kind.as_str())
            .bind(name)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(StoredDocument::from))
}

/// The next revision. Whoever writes a document asks for it first: the others wait until the transaction ends.
async fn next_revision(connection: &mut Connection) -> Result<i64, Failure> {
    Ok(
        sqlx::query_scalar("UPDATE document_clock SET revision = revision + 1 RETURNING revision")
            .fetch_one(connection)
            .await?,
    )
}

async fn put(connection: &mut Connection, kind: DocumentKind, new: &NewDocument) -> Result<StoredDocument, Failure> {
    let name = text("document.name", &new.name)?;
    let content = text("document.content", &new.document)?;
    let revision = next_revision(connection).await?;
    let replaced: Vec<DocumentRow> = sqlx::query_as(
        "UPDATE document SET revision = $3, content = $4, sealed = $5 \
         WHERE kind = $1 AND name = $2 AND revision = coalesce($6, revision) RETURNING name, id, revision, content, sealed",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(revision)
    .bind(content)
    .bind(new.sealed.as_deref())
    .bind(new.replaces)
    .fetch_all(&mut *connection)
    .await?;
    if let Some(row) = replaced.into_iter().next() {
        return Ok(row.into());
    }
    if new.replaces.is_some_and(|replaced| replaced != 0) {
        return Err(StoreError::Conflict { what: "document" }.into());
    }
    let added: DocumentRow = sqlx::query_as(
        "INSERT INTO document (kind, name, revision, content, sealed) VALUES ($1, $2, $3, $4, $5) \
         RETURNING name, id, revision, content, sealed",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(revision)
    .bind(content)
    .bind(new.sealed.as_deref())
    .fetch_one(connection)
    .await
    .map_err(|error| explain(error, &[("name", "document")], "document"))?;
    Ok(added.into())
}

/// Removes a document, whatever its revision if none is said.
async fn remove(
    connection: &mut Connection,
    kind: DocumentKind,
    name: &str,
    revision: Option<i64>,
) -> Result<Option<i64>, Failure> {
    if name.contains('\0') {
        return Ok(None);
    }
    let removed: Vec<i64> = sqlx::query_scalar(
        "DELETE FROM document WHERE kind = $1 AND name = $2 AND revision = coalesce($3, revision) RETURNING id",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(revision)
    .fetch_all(&mut *connection)
    .await?;
    if removed.is_empty() && revision.is_some() && find(connection, kind, name).await?.is_some() {
        return Err(StoreError::Conflict { what: "document" }.into());
    }
    Ok(removed.into_iter().next())
}
