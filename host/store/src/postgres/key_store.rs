//! The server's own keys in `PostgreSQL`.

use async_trait::async_trait;
use keyway_core::port::{KeyPurpose, KeyStore, SealedKey, StoreError};

use super::{PostgresStore, key};

#[async_trait]
impl KeyStore for PostgresStore {
    async fn list_keys(&self, purpose: KeyPurpose) -> Result<Vec<SealedKey>, StoreError> {
        self.call("read the server's keys", async {
            key::list_keys(&mut *self.reader().await?, purpose).await
        })
        .await
    }

    async fn add_key(&self, key: &SealedKey) -> Result<bool, StoreError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let outcome = key::add_key(&mut transaction, key).await?;
            transaction.commit().await?;
            Ok(outcome)
        };
        self.call("add a key", work).await
    }
}
