//! Rules of following and delivering.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use uuid::Uuid;

use super::{EventService, EventSettings};
use crate::model::{Event, EventCursor, EventKind, IdentityId, NewEvent, SessionId, TenantId};
use crate::port::{EventSink, EventStore as _, TenantStore as _, Undelivered};
use crate::tenants::TenantDirectory;
use crate::testing::{MemoryStore, StillClock};

const PATIENCE: Duration = Duration::from_hours(1);

struct Fixture {
    store: Arc<MemoryStore>,
    events: Arc<EventService>,
    tenants: Arc<TenantDirectory>,
    top: TenantId,
}

impl Fixture {
    async fn new() -> Self {
        let store = MemoryStore::new();
        let tenants = Arc::new(TenantDirectory::new(store.clone()));
        let top = tenants.master().await.expect("the top tenant");
        let events = EventService::new(
            store.clone(),
            Arc::clone(&tenants),
            Arc::new(StillClock::new()),
            EventSettings::default(),
        );
        Self {
            store,
            events: Arc::new(events),
            tenants,
            top,
        }
    }

    /// Lets a login happen; `number` tells it from others.
    fn login(&self, number: u128, tenant: TenantId) {
        let kind = EventKind::SessionCreated;
        let (session, identity) = (SessionId(Uuid::from_u128(number)), IdentityId(Uuid::nil()));
        self.store
            .record(NewEvent::session(kind, session, tenant, identity, false));
    }

    /// Delivers on a node of its own.
    fn deliver(&self, sink: &Arc<Sink>) -> tokio::task::JoinHandle<()> {
        let (events, sink) = (Arc::clone(&self.events), Arc::clone(sink));
        tokio::spawn(async move {
            tokio::select! {
                () = events.run() => {}
                () = events.deliver(&*sink) => {}
            }
        })
    }
}

/// A receiver that is down for a number of attempts, each of which lets one event pass.
struct Sink {
    failures: AtomicUsize,
    heard: Mutex<Vec<i64>>,
    only: Option<EventKind>,
}

impl Sink {
    fn new(failures: usize) -> Arc<Self> {
        Arc::new(Self {
            failures: AtomicUsize::new(failures),
            heard: Mutex::default(),
            only: None,
        })
    }

    fn heard(&self) -> Vec<i64> {
        self.heard.lock().expect("no panic").clone()
    }

    async fn has_heard(&self, count: usize) -> Vec<i64> {
        let heard = async {
            while self.heard().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, heard).await.expect("heard in time");
        self.heard()
    }
}

#[async_trait]
impl EventSink for Sink {
    fn name(&self) -> &'static str {
        "sink"
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.only.is_none_or(|only| only == kind)
    }

    async fn deliver(&self, events: &[Event]) -> Result<(), Undelivered> {
        let fails = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        let arrived = if fails { &events[..1] } else { events };
        let mut heard = self.heard.lock().expect("no panic");
        heard.extend(arrived.iter().map(|event| event.cursor.id));
        if fails {
            return Err(Undelivered {
                delivered: 1,
                reason: "down".into(),
            });
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_hears_of_everything_in_order_once_it_is_up() {
    let fixture = Fixture::new().await;
    fixture.login(1, fixture.top);
    fixture.events.add_receiver("sink").await.expect("added");
    let sink = Sink::new(3);
    let task = fixture.deliver(&sink);
    for number in 2..=6 {
        fixture.login(number, fixture.top);
    }
    // The first was there before the receiver.
    assert_eq!(sink.has_heard(5).await, [2, 3, 4, 5, 6]);
    fixture.login(7, fixture.top);
    assert_eq!(sink.has_heard(6).await, [2, 3, 4, 5, 6, 7]);
    fixture.events.close();
    timeout(PATIENCE, task)
        .await
        .expect("an end in time")
        .expect("no panic");
    assert_eq!(fixture.store.receiver("sink"), Some(EventCursor { epoch: 0, id: 7 }));
}

#[tokio::test(start_paused = true)]
async fn delivery_goes_on_where_it_was() {
    let fixture = Fixture::new().await;
    fixture.events.add_receiver("sink").await.expect("added");
    fixture.login(1, fixture.top);
    let first = Sink::new(0);
    let task = fixture.deliver(&first);
    first.has_heard(1).await;
    task.abort();
    assert!(task.await.is_err());
    fixture.login(2, fixture.top);
    fixture.events.add_receiver("sink").await.expect("known");
    let second = Sink::new(0);
    let _task = fixture.deliver(&second);
    // The first may have been heard and not noted: at least once.
    let heard = second.has_heard(1).await;
    assert_eq!(heard.last(), Some(&2));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_for_a_while_delays_delivery() {
    let fixture = Fixture::new().await;
    fixture.events.add_receiver("sink").await.expect("added");
    let sink = Sink::new(0);
    let _task = fixture.deliver(&sink);
    fixture.login(1, fixture.top);
    sink.has_heard(1).await;
    fixture.store.set_down(true);
    tokio::time::sleep(Duration::from_mins(5)).await;
    fixture.store.set_down(false);
    fixture.login(2, fixture.top);
    assert_eq!(sink.has_heard(2).await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn one_node_at_a_time_delivers_to_a_receiver() {
    let fixture = Fixture::new().await;
    fixture.events.add_receiver("sink").await.expect("added");
    let (first, second) = (Sink::new(0), Sink::new(0));
    let task = fixture.deliver(&first);
    fixture.login(1, fixture.top);
    first.has_heard(1).await;
    let _other = fixture.deliver(&second);
    for number in 2..20 {
        fixture.login(number, fixture.top);
        first.has_heard(usize::try_from(number).expect("small")).await;
    }
    assert!(second.heard().is_empty());
    task.abort();
    assert!(task.await.is_err());
    fixture.login(20, fixture.top);
    assert_eq!(second.has_heard(1).await.last(), Some(&20));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_not_told_what_it_does_not_want_and_not_held_up_by_it() {
    let fixture = Fixture::new().await;
    fixture.events.add_receiver("sink").await.expect("added");
    let sink = Arc::new(Sink {
        failures: AtomicUsize::new(0),
        heard: Mutex::default(),
        only: Some(EventKind::TenantDeleted),
    });
    let _task = fixture.deliver(&sink);
    for number in 0..1000 {
        fixture.login(number, fixture.top);
    }
    let gone = TenantId(Uuid::from_u128(5));
    fixture.store.record(NewEvent::tenant_deleted(gone, fixture.top));
    assert_eq!(sink.has_heard(1).await, [1001]);
}

#[tokio::test]
async fn a_reader_sees_what_concerns_its_tenant_and_those_below() {
    let fixture = Fixture::new().await;
    let mut added = Vec::new();
    for (number, parent) in [(1_u128, None), (2, Some(0)), (3, None)] {
        let parent = parent.map_or(fixture.top, |position: usize| added[position]);
        let id = TenantId(Uuid::from_u128(number));
        let tenant = crate::model::Tenant::new(id, parent, &format!("t{number}"));
        let group = crate::model::GroupId(Uuid::from_u128(100 + number));
        let tenant = crate::port::NewTenant::of(tenant, group);
        fixture.store.add_tenant(&tenant).await.expect("added");
        added.push(id);
    }
    fixture.tenants.invalidate();
    let start = fixture.store.last_event().await.expect("an answer");
    let gone = TenantId(Uuid::from_u128(9));
    for tenant in [fixture.top, added[0], added[1], added[2], gone] {
        fixture.login(tenant.0.as_u128(), tenant);
    }
    let seen_by = async |tenant| {
        let batch = fixture.events.read(start, tenant, 10).await.expect("events");
        assert_eq!(batch.reached.id, start.id + 5);
        batch
            .events
            .into_iter()
            .map(|event| event.cursor.id - start.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(seen_by(fixture.top).await, [1, 2, 3, 4, 5]);
    assert_eq!(seen_by(added[0]).await, [2, 3]);
    assert_eq!(seen_by(added[1]).await, [3]);
    assert_eq!(seen_by(gone).await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_reader_begins_now_or_where_it_was() {
    let fixture = Fixture::new().await;
    fixture.login(1, fixture.top);
    let head = fixture.store.last_event().await.expect("an answer");
    let place = async |last| fixture.events.place(last).await.expect("a place");
    assert_eq!(place(None).await, head);
    assert_eq!(place(Some(EventCursor::START)).await, EventCursor::START);
    assert_eq!(place(Some(head)).await, head);
    let foreign = EventCursor { epoch: 9, id: 1 };
    assert_eq!(place(Some(foreign)).await, EventCursor::START);
}

#[tokio::test(start_paused = true)]
async fn a_follower_is_told_of_news_and_of_the_end() {
    let fixture = Fixture::new().await;
    let events = Arc::clone(&fixture.events);
    tokio::spawn(async move { events.run().await });
    let mut follower = fixture.events.follow();
    let head = fixture.store.last_event().await.expect("an answer");
    let nothing = timeout(PATIENCE, follower.wait_beyond(head)).await;
    assert!(nothing.is_err(), "nothing has happened");
    fixture.login(1, fixture.top);
    assert_eq!(timeout(PATIENCE, follower.wait_beyond(head)).await, Ok(true));
    fixture.events.close();
    assert_eq!(timeout(PATIENCE, follower.wait_beyond(head)).await, Ok(false));
    assert_eq!(timeout(PATIENCE, fixture.events.follow().closed()).await, Ok(()));
}
