//! Receivers of events: of several nodes, one delivers to each.
//!
//! It holds a lock that ends with its connection, and notes what it delivered over that connection. So a node that was cut off, whose lock
//! another has by now, cannot note anything any more.

use std::time::Duration;

use async_trait::async_trait;
use keyway_core::model::{EventCursor, Timestamp};
use keyway_core::port::{ReceiverHold, StoreError};
use sqlx::{ConnectOptions as _, PgConnection};

use super::{PostgresStore, event, within};
use crate::failure::during;

struct Hold {
    connection: PgConnection,
    limit: Duration,
    name: String,
}

impl PostgresStore {
    pub(super) async fn hold(&self, name: &str) -> Result<Option<Box<dyn ReceiverHold + '_>>, StoreError> {
        let work = async {
            // Not one of the pool's: it is held for as long as the server runs.
            let mut connection = self.pool.connect_options().connect().await?;
            let held: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(lock_name(name))
                .fetch_one(&mut connection)
                .await?;
            Ok(held.then_some(connection))
        };
        let connection = self.call("hold a receiver of events", Box::pin(work)).await?;
        Ok(connection.map(|connection| {
            let hold: Box<dyn ReceiverHold> = Box::new(Hold {
                connection,
                limit: self.call_timeout,
                name: name.to_owned(),
            });
            hold
        }))
    }
}

#[async_trait]
impl ReceiverHold for Hold {
    async fn cursor(&mut self) -> Result<EventCursor, StoreError> {
        let work = event::cursor(&mut self.connection, &self.name);
        during("find how far a receiver of events has come", within(self.limit, work)).await
    }

    async fn advance(&mut self, to: EventCursor, at: Timestamp) -> Result<(), StoreError> {
        let work = event::advance(&mut self.connection, &self.name, to, at);
        during("note how far a receiver of events has come", within(self.limit, work)).await
    }
}

/// Events of another server, from which the database was restored, may have numbers of transactions that this one has not come to. They would
/// not be read until it has, and its own would count as older. So they get a number of this server, and who was told of some of them goes on
/// at the first that it was not.
pub(super) async fn renumber_restored(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Events that another node writes at the same time may have a higher number, too: nobody can have read them, because this transaction is
    // older.
    for statement in [
        "UPDATE event_receiver r SET epoch = pg_current_xact_id()::text::bigint, position = coalesce(\
         (SELECT min(e.id) - 1 FROM event e WHERE (e.transaction, e.id) > (r.epoch::text::xid8, r.position)), \
         (SELECT max(e.id) FROM event e), r.position) WHERE r.epoch > pg_current_xact_id()::text::bigint",
        "UPDATE event SET transaction = pg_current_xact_id() WHERE transaction > pg_current_xact_id()",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A lock's name is a number: the receiver's name, hashed (FNV-1a, which stays the same from version to version).
fn lock_name(name: &str) -> i64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}
