//! Events, and how far their receivers have come: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{Event, EventCursor, EventKind, IdentityId, LINK_DIALECT, NewEvent, TenantId, Timestamp};
use keyway_core::port::{EventStore, ReceiverHold, StoreError};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Connection, Database, DriverStore, LAST_EVENT, LOCKS_ROWS, READ_EVENTS};
use crate::failure::{Failure, text};
use crate::row::{EventRow, ToldSession, to_json};

/// How many events one statement inserts: SQLite takes some 32,000 values, of which an event has four.
const CHUNK: usize = 1000;

/// Under this name stands, as if it were a receiver's, up to which time the ends of sessions are announced, in microseconds.
const EXPIRE_SOON: &str = "session_expire_soon";

#[async_trait]
impl EventStore for DriverStore {
    async fn read_events(&self, after: EventCursor, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.call("read events", async {
            read_events(&mut *self.reader().await?, after, limit).await
        })
        .await
    }

    async fn last_event(&self) -> Result<EventCursor, StoreError> {
        self.call("find the last event", async {
            last_event(&mut *self.reader().await?).await
        })
        .await
    }

    async fn sweep_events(&self, before: Timestamp, keep: u64, limit: u32) -> Result<u64, StoreError> {
        self.write("remove old events", move |connection| {
            Box::pin(sweep_events(connection, before, keep, limit))
        })
        .await
    }

    async fn announce_expiring(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Timestamp, StoreError> {
        self.write("announce sessions that end soon", move |connection| {
            Box::pin(announce_expiring(connection, now, until, limit))
        })
        .await
    }

    async fn add_event_receiver(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("add a receiver of events", move |connection| {
            Box::pin(async move {
                let head = last_event(connection).await?;
                add_receiver(connection, &name, head, at).await
            })
        })
        .await
    }

    async fn hold_event_receiver(&self, name: &str) -> Result<Option<Box<dyn ReceiverHold + '_>>, StoreError> {
        Box::pin(self.hold(name)).await
    }
}

/// Records events in the transaction in which they happen.
pub(super) async fn record(connection: &mut Connection, events: &[NewEvent]) -> Result<(), Failure> {
    for chunk in events.chunks(CHUNK) {
        let mut documents = Vec::with_capacity(chunk.len());
        for event in chunk {
            documents.push(to_json("event.document", &event.document)?);
        }
        // When it happened is what the database's own clock says: it is the one that all nodes share.
        let mut insert: QueryBuilder<Database> =
            QueryBuilder::new("INSERT INTO event (kind, tenant, identity, document) ");
        insert.push_values(chunk.iter().zip(documents), |mut row, (event, document)| {
            row.push_bind(event.kind.as_str())
                .push_bind(event.tenant.map(|tenant| tenant.0))
                .push_bind(event.identity.map(|identity| identity.0))
                .push_bind(document);
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn read_events(connection: &mut Connection, after: EventCursor, limit: u32) -> Result<Vec<Event>, Failure> {
    let rows: Vec<EventRow> = sqlx::query_as(READ_EVENTS)
        .bind(after.id)
        .bind(i64::from(limit))
        .bind(after.epoch.to_string())
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(Event::try_from).collect::<Result<_, _>>()?)
}

async fn last_event(connection: &mut Connection) -> Result<EventCursor, Failure> {
    let last: Option<(i64, i64)> = sqlx::query_as(LAST_EVENT).fetch_optional(connection).await?;
    Ok(last.map_or(EventCursor::START, |(epoch, id)| EventCursor { epoch, id }))
}

async fn sweep_events(connection: &mut Connection, before: Timestamp, keep: u64, limit: u32) -> Result<u64, Failure> {
    let old = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < $1 ORDER BY at LIMIT $2)";
    let old = sqlx::query(old)
        .bind(before.0)
        .bind(i64::from(limit))
        .execute(&mut *connection)
        .await?;
    // Ids are not given out twice, so that there are at most as many events as ids. There may be fewer.
    let spare = "DELETE FROM event WHERE id IN \
        (SELECT id FROM event WHERE id <= (SELECT max(id) FROM event) - $1 ORDER BY id LIMIT $2)";
    let spare = sqlx::query(spare)
        .bind(i64::try_from(keep).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .execute(connection)
        .await?;
    Ok(old.rows_affected() + spare.rows_affected())
}

async fn announce_expiring(
    connection: &mut Connection,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Timestamp, Failure> {
    let start = EventCursor { epoch: 0, id: now.0 };
    add_receiver(connection, EXPIRE_SOON, start, now).await?;
    let announced = if LOCKS_ROWS {
        "SELECT position FROM event_receiver WHERE name = $1 FOR UPDATE"
    } else {
        "SELECT position FROM event_receiver WHERE name = $1"
    };
    let announced: i64 = sqlx::query_scalar(announced)
        .bind(EXPIRE_SOON)
        .fetch_one(&mut *connection)
        .await?;
    let from = announced.max(now.0);
    if from >= until.0 {
        return Ok(until);
    }
    let due: (i64, Option<i64>) = sqlx::query_as(
        "SELECT count(*), max(expires_at) FROM \
         (SELECT expires_at FROM token WHERE expires_at > $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3) due",
    )
    .bind(from)
    .bind(until.0)
    .bind(i64::from(limit.max(1)))
    .fetch_one(&mut *connection)
    .await?;
    let to = match due {
        (count, Some(last)) if count >= i64::from(limit.max(1)) => last,
        _ => until.0,
    };
    let sessions: Vec<ToldSession> = sqlx::query_as(
        "SELECT DISTINCT s.id, s.tenant, s.identity, s.mobile, s.dialect, s.actor FROM token t JOIN session s ON s.id = t.session \
         WHERE t.expires_at > $1 AND t.expires_at <= $2",
    )
    .bind(from)
    .bind(to)
    .fetch_all(&mut *connection)
    .await?;
    record_sessions(connection, EventKind::SessionExpireSoon, &sessions).await?;
    let position = EventCursor { epoch: 0, id: to };
    advance(connection, EXPIRE_SOON, position, now).await?;
    Ok(Timestamp(to))
}

/// What there is to say of a refresh token: its client, tenant, identity, and whether the client is a mobile one.
pub(super) type ToldRefresh = (String, Uuid, Uuid, bool);

/// Records that something became of sessions. Those of mailed links are no logins, and nobody is told of them.
pub(super) async fn record_sessions(
    connection: &mut Connection,
    kind: EventKind,
    sessions: &[ToldSession],
) -> Result<(), Failure> {
    let logins = sessions.iter().filter(|session| session.dialect != LINK_DIALECT);
    let events: Vec<_> = logins.map(|session| session.tell(kind)).collect::<Result<_, _>>()?;
    record(connection, &events).await
}

/// Records that something became of refresh tokens.
pub(super) async fn record_refresh_tokens(
    connection: &mut Connection,
    kind: EventKind,
    tokens: &[ToldRefresh],
) -> Result<(), Failure> {
    let events: Vec<_> = tokens
        .iter()
        .map(|(client, tenant, identity, mobile)| {
            NewEvent::refresh_token(kind, client, TenantId(*tenant), IdentityId(*identity), *mobile)
        })
        .collect();
    record(connection, &events).await
}

async fn add_receiver(
    connection: &mut Connection,
    name: &str,
    place: EventCursor,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO event_receiver (name, epoch, position, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(text("event_receiver.name", name)?)
    .bind(place.epoch)
    .bind(place.id)
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// How far a receiver has come.
pub(super) async fn cursor(connection: &mut Connection, name: &str) -> Result<EventCursor, Failure> {
    let found: Option<(i64, i64)> = sqlx::query_as("SELECT epoch, position FROM event_receiver WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    let (epoch, id) = found.ok_or(StoreError::Missing { what: "event receiver" })?;
    Ok(EventCursor { epoch, id })
}

/// Notes how far a receiver has come.
pub(super) async fn advance(
    connection: &mut Connection,
    name: &str,
    to: EventCursor,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query("UPDATE event_receiver SET epoch = $2, position = $3, at = $4 WHERE name = $1")
        .bind(name)
        .bind(to.epoch)
        .bind(to.id)
        .bind(at.0)
        .execute(connection)
        .await?;
    Ok(())
}
