//! Events at rest, and how far each receiver of them has come.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Event, EventCursor, Timestamp};

/// Events. They are recorded by the calls that do what they tell, in the same transaction: an event is there if, and only if, what it says
/// happened.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// At most `limit` events behind this place, in their order. Whoever goes on from the last of them misses nothing, however the
    /// transactions that record events overlap.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn read_events(&self, after: EventCursor, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The last event that can be read; [`EventCursor::START`] if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn last_event(&self) -> Result<EventCursor, StoreError>;

    /// Forgets events from before `before`, and those that are more than the newest `keep`; at most `limit` of either. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sweep_events(&self, before: Timestamp, keep: u64, limit: u32) -> Result<u64, StoreError>;

    /// Records that sessions end before long: those with tokens that expire after `now` and not after `until`, about `limit` of them. Each
    /// token is looked at once, whichever node does it. Returns the time up to which that is done: less than `until` if there are more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn announce_expiring(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Timestamp, StoreError>;

    /// Makes a place for a receiver, who begins with what happens from now on. One that is known already keeps the place it had.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn add_event_receiver(&self, name: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Takes a receiver for this node alone; `None` while another node has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn hold_event_receiver(&self, name: &str) -> Result<Option<Box<dyn ReceiverHold + '_>>, StoreError>;
}

/// A receiver that no other node delivers to until this is dropped. Nodes that lose the store lose what they hold; each call finds that out.
#[async_trait]
pub trait ReceiverHold: Send {
    /// How far the receiver has come.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also where it is no longer held; [`StoreError::Missing`] if there is no such receiver.
    async fn cursor(&mut self) -> Result<EventCursor, StoreError>;

    /// The receiver has come this far.
    ///
    /// # Errors
    /// As [`ReceiverHold::cursor`].
    async fn advance(&mut self, to: EventCursor, at: Timestamp) -> Result<(), StoreError>;
}
