//! The server's own keys in `SQLite`.

use async_trait::async_trait;
use keyway_core::port::{KeyPurpose, KeyStore, SealedKey, StoreError};

use super::{SqliteStore, key};
use crate::failure::during;

#[async_trait]
impl KeyStore for SqliteStore {
    async fn list_keys(&self, purpose: KeyPurpose) -> Result<Vec<SealedKey>, StoreError> {
        during("read the server's keys", async {
            key::list_keys(&mut *self.reader().await?, purpose).await
        })
        .await
    }

    async fn add_key(&self, key: &SealedKey) -> Result<bool, StoreError> {
        let key = key.clone();
        let work = self.writer.write("add a key", move |connection| {
            Box::pin(async move { key::add_key(connection, &key).await })
        });
        work.await
    }
}
