//! Receivers of events: no other process delivers, so that there is nothing to hold.

use async_trait::async_trait;
use keyway_core::model::{EventCursor, Timestamp};
use keyway_core::port::{ReceiverHold, StoreError};

use super::{SqliteStore, event};

struct Hold<'a> {
    store: &'a SqliteStore,
    name: String,
}

impl SqliteStore {
    #[expect(clippy::unused_async, reason = "the other store has to ask its database")]
    pub(super) async fn hold(&self, name: &str) -> Result<Option<Box<dyn ReceiverHold + '_>>, StoreError> {
        Ok(Some(Box::new(Hold {
            store: self,
            name: name.to_owned(),
        })))
    }
}

#[async_trait]
impl ReceiverHold for Hold<'_> {
    async fn cursor(&mut self) -> Result<EventCursor, StoreError> {
        let work = async { event::cursor(&mut *self.store.reader().await?, &self.name).await };
        self.store
            .call("find how far a receiver of events has come", work)
            .await
    }

    async fn advance(&mut self, to: EventCursor, at: Timestamp) -> Result<(), StoreError> {
        let name = self.name.clone();
        self.store
            .write("note how far a receiver of events has come", move |connection| {
                Box::pin(async move { event::advance(connection, &name, to, at).await })
            })
            .await
    }
}
