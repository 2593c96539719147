//! Events.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::model::{Event, EventCursor, EventKind, LINK_DIALECT, NewEvent, RefreshToken, SessionId, Timestamp};
use crate::port::{Clock as _, EventStore, ReceiverHold, StoreError, SystemClock};

/// What happened, and who was told.
#[derive(Default)]
pub(super) struct Events {
    happened: BTreeMap<EventCursor, Event>,
    last: i64,
    receivers: HashMap<String, EventCursor>,
    held: HashSet<String>,
    announced: Option<Timestamp>,
}

impl Events {
    pub(super) fn record(&mut self, event: NewEvent) {
        self.last += 1;
        let cursor = EventCursor {
            epoch: 0,
            id: self.last,
        };
        let at = SystemClock.now();
        self.happened.insert(cursor, Event { cursor, at, event });
    }

    fn head(&self) -> EventCursor {
        self.happened
            .last_key_value()
            .map_or(EventCursor::START, |(cursor, _)| *cursor)
    }
}

impl MemoryStore {
    /// Records an event, as a call would that did what it tells.
    pub fn record(&self, event: NewEvent) {
        super::lock(&self.tables).events.record(event);
    }

    /// How far a receiver has come.
    pub fn receiver(&self, name: &str) -> Option<EventCursor> {
        super::lock(&self.tables).events.receivers.get(name).copied()
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn read_events(&self, after: EventCursor, limit: u32) -> Result<Vec<Event>, StoreError> {
        let tables = self.open("read events")?;
        let behind = tables.events.happened.values().filter(|event| event.cursor > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    async fn last_event(&self) -> Result<EventCursor, StoreError> {
        Ok(self.open("find the last event")?.events.head())
    }

    async fn sweep_events(&self, before: Timestamp, keep: u64, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.open("remove old events")?;
        let happened = &mut tables.events.happened;
        let count = happened.len();
        let spare = (count as u64).saturating_sub(keep);
        let mut position = 0;
        let mut left = limit;
        happened.retain(|_, event| {
            let remove = (position < spare || event.at < before) && left > 0;
            position += 1;
            left -= u32::from(remove);
            !remove
        });
        Ok((count - happened.len()) as u64)
    }

    async fn announce_expiring(&self, now: Timestamp, until: Timestamp, _limit: u32) -> Result<Timestamp, StoreError> {
        let mut tables = self.open("announce sessions that end soon")?;
        let from = tables.events.announced.unwrap_or(now).max(now);
        let due: HashSet<_> = tables
            .tokens
            .values()
            .filter(|token| token.expires_at > from && token.expires_at <= until)
            .map(|token| token.session)
            .collect();
        for id in due {
            tables.record_session(EventKind::SessionExpireSoon, id);
        }
        tables.events.announced = Some(until.max(from));
        Ok(until)
    }

    async fn add_event_receiver(&self, name: &str, _at: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.open("add a receiver of events")?;
        let head = tables.events.head();
        tables.events.receivers.entry(name.to_owned()).or_insert(head);
        Ok(())
    }

    async fn hold_event_receiver(&self, name: &str) -> Result<Option<Box<dyn ReceiverHold + '_>>, StoreError> {
        let mut tables = self.open("hold a receiver of events")?;
        if !tables.events.held.insert(name.to_owned()) {
            return Ok(None);
        }
        Ok(Some(Box::new(Hold {
            store: self,
            name: name.to_owned(),
        })))
    }
}

impl Tables {
    /// Removes refresh tokens, and records that; returns how many.
    pub(super) fn end_refresh_tokens(&mut self, ends: impl Fn(&RefreshToken) -> bool) -> usize {
        let ended: Vec<_> = self.refresh_tokens.extract_if(|_, token| ends(token)).collect();
        for (_, token) in &ended {
            self.record_refresh_token(EventKind::RefreshTokenDeleted, token);
        }
        ended.len()
    }

    /// Records that something became of a refresh token.
    pub(super) fn record_refresh_token(&mut self, kind: EventKind, token: &RefreshToken) {
        let identity = &token.identity;
        let event = NewEvent::refresh_token(kind, &token.client_id, identity.tenant, identity.id, token.mobile);
        self.events.record(event);
    }

    /// Records that something became of a session that is there.
    pub(super) fn record_session(&mut self, kind: EventKind, id: SessionId) {
        if let Some(session) = self.sessions.get(&id)
            && session.dialect != LINK_DIALECT
        {
            let identity = &session.identity;
            let event = NewEvent::session(kind, id, identity.tenant, identity.id, session.mobile);
            let event = event.impersonated(session.actor.as_ref());
            self.events.record(event);
        }
    }
}

struct Hold<'a> {
    store: &'a MemoryStore,
    name: String,
}

#[async_trait]
impl ReceiverHold for Hold<'_> {
    async fn cursor(&mut self) -> Result<EventCursor, StoreError> {
        let tables = self.store.open("find how far a receiver of events has come")?;
        let cursor = tables.events.receivers.get(&self.name).copied();
        cursor.ok_or(StoreError::Missing { what: "event receiver" })
    }

    async fn advance(&mut self, to: EventCursor, _at: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.store.open("note how far a receiver of events has come")?;
        tables.events.receivers.insert(self.name.clone(), to);
        Ok(())
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        super::lock(&self.store.tables).events.held.remove(&self.name);
    }
}
