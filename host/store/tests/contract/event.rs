//! Events: in which order they are read, who was told, and what is forgotten. What is recorded at all stands in `told.rs`.

use std::sync::Arc;
use std::time::Duration;

use keyway_core::model::{Event, EventCursor, EventKind, Timestamp};
use keyway_core::port::{ReceiverHold, Store, StoreError};

use crate::fixture::{NOW, open_session, own_opening};

/// Everything that is behind this place.
pub(crate) async fn behind(store: &dyn Store, place: EventCursor) -> Vec<Event> {
    store.read_events(place, 10_000).await.expect("events")
}

pub(crate) async fn head(store: &dyn Store) -> EventCursor {
    store.last_event().await.expect("an answer")
}

pub(crate) async fn events_are_read_from_any_place_in_parts(store: Arc<dyn Store>) {
    let place = head(&*store).await;
    for _ in 0..5 {
        let opening = own_opening(&*store).await;
        open_session(&*store, &opening).await;
    }
    let all = behind(&*store, place).await;
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by_key(|event| event.cursor));
    let mut read = Vec::new();
    let mut at = place;
    loop {
        let part = store.read_events(at, 2).await.expect("events");
        let Some(last) = part.last() else { break };
        at = last.cursor;
        read.extend(part);
    }
    assert_eq!(read, all);
}

pub(crate) async fn events_of_many_at_once_are_all_read_once(store: Arc<dyn Store>) {
    let place = head(&*store).await;
    let reader = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let (mut at, mut read) = (place, Vec::new());
            while read.len() < 200 {
                for event in store.read_events(at, 7).await.expect("events") {
                    assert!(event.cursor > at, "in order");
                    at = event.cursor;
                    read.push(event.event.document.get("uuid").cloned());
                }
                tokio::task::yield_now().await;
            }
            read
        })
    };
    let logins = (0..200).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let opening = own_opening(&*store).await;
            open_session(&*store, &opening).await;
        })
    });
    for login in logins.collect::<Vec<_>>() {
        login.await.expect("no panic");
    }
    let read = tokio::time::timeout(Duration::from_mins(1), reader).await;
    let mut read: Vec<_> = read.expect("all in time").expect("no panic");
    read.sort_by_key(|uuid| uuid.as_ref().map(ToString::to_string));
    read.dedup();
    assert_eq!(read.len(), 200);
}

pub(crate) async fn a_session_is_announced_to_end_soon_once(store: Arc<dyn Store>) {
    let start = NOW;
    let at = |seconds: u64| start.plus(Duration::from_secs(seconds));
    for expiry in [30, 60, 61, 200] {
        let mut opening = own_opening(&*store).await;
        opening.token.expires_at = at(expiry);
        open_session(&*store, &opening).await;
    }
    let place = head(&*store).await;
    let soon = async |now: u64, until: u64| {
        let done = store
            .announce_expiring(at(now), at(until), 100)
            .await
            .expect("announced");
        assert_eq!(done, at(until));
        let events = behind(&*store, place).await;
        let soon = events
            .iter()
            .all(|event| event.event.kind == EventKind::SessionExpireSoon);
        assert!(soon, "{events:?}");
        events.len()
    };
    assert_eq!(soon(0, 60).await, 2);
    assert_eq!(soon(0, 60).await, 2, "once");
    assert_eq!(soon(1, 61).await, 3);
    assert_eq!(soon(0, 30).await, 3, "a clock that is behind");
    // Nobody looked for a while: what has ended does not end soon.
    assert_eq!(soon(300, 360).await, 3);
}

pub(crate) async fn many_sessions_are_announced_in_batches(store: Arc<dyn Store>) {
    let start = NOW;
    for expiry in [1, 2, 2, 3, 4] {
        let mut opening = own_opening(&*store).await;
        opening.token.expires_at = Timestamp(start.0 + expiry);
        open_session(&*store, &opening).await;
    }
    let place = head(&*store).await;
    let until = Timestamp(start.0 + 10);
    let mut batches = 0;
    while store.announce_expiring(start, until, 2).await.expect("announced") < until {
        batches += 1;
        assert!(batches < 10);
    }
    assert_eq!(behind(&*store, place).await.len(), 5);
    assert!(batches > 1);
}

pub(crate) async fn a_receiver_goes_on_where_it_was(store: Arc<dyn Store>) {
    let opening = own_opening(&*store).await;
    open_session(&*store, &opening).await;
    store.add_event_receiver("webhook:a", NOW).await.expect("added");
    let place = head(&*store).await;
    let unknown = store.hold_event_receiver("webhook:b").await.expect("an answer");
    let unknown = unknown.expect("free").cursor().await.expect_err("unknown");
    assert!(matches!(unknown, StoreError::Missing { what: "event receiver" }));
    let to = EventCursor {
        epoch: place.epoch + 3,
        id: 7,
    };
    {
        let mut hold = held(&*store, "webhook:a").await;
        assert_eq!(hold.cursor().await.expect("a place"), place);
        hold.advance(to, NOW).await.expect("noted");
        assert_eq!(hold.cursor().await.expect("a place"), to);
    }
    store.add_event_receiver("webhook:a", NOW).await.expect("known");
    assert_eq!(held(&*store, "webhook:a").await.cursor().await.expect("a place"), to);
}

/// Holds a receiver, whose last holder may only just have let go.
pub(crate) async fn held<'a>(store: &'a dyn Store, name: &str) -> Box<dyn ReceiverHold + 'a> {
    let held = async {
        loop {
            if let Some(hold) = store.hold_event_receiver(name).await.expect("an answer") {
                return hold;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), held)
        .await
        .expect("held in time")
}

pub(crate) async fn old_events_and_too_many_are_forgotten(store: Arc<dyn Store>) {
    for _ in 0..6 {
        let opening = own_opening(&*store).await;
        open_session(&*store, &opening).await;
    }
    let place = EventCursor::START;
    let all = behind(&*store, place).await;
    let long_ago = Timestamp(0);
    let swept = store.sweep_events(long_ago, 1000, 100).await.expect("swept");
    assert_eq!((swept, behind(&*store, place).await.len()), (0, 6));
    let swept = store.sweep_events(long_ago, 4, 1).await.expect("swept");
    assert_eq!(swept, 1, "in batches");
    let swept = store.sweep_events(long_ago, 4, 100).await.expect("swept");
    assert_eq!(swept, 1);
    assert_eq!(behind(&*store, place).await, all[2..]);
    let swept = store.sweep_events(Timestamp(i64::MAX), 1000, 100).await.expect("swept");
    assert_eq!((swept, behind(&*store, place).await.len()), (4, 0));
    let opening = own_opening(&*store).await;
    open_session(&*store, &opening).await;
    let next = behind(&*store, all[5].cursor).await;
    assert_eq!(next.len(), 1, "places are not given out twice");
}
