//! The queue's rules, against a mail server that does what a test says. Time is tokio's and moves by itself when all wait.

use std::sync::Mutex;

use keyway_core::port::SystemRandom;
use keyway_core::testing::StillClock;
use tokio::time::Instant;

use super::*;
use crate::testing::{letter, settings};
use crate::transport::Undelivered;

/// Answers with one result after the other, then takes everything; notes who came when.
struct Scripted {
    script: Mutex<Vec<Result<(), Undelivered>>>,
    seen: mpsc::UnboundedSender<(Duration, String)>,
    started: Instant,
}

#[async_trait::async_trait]
impl Carrier for Scripted {
    async fn carry(&self, mail: Message) -> Result<(), Undelivered> {
        let to = mail.envelope().to().first().expect("a recipient").to_string();
        let _ = self.seen.send((self.started.elapsed(), to));
        let mut script = self.script.lock().expect("no panic while locked");
        if script.is_empty() { Ok(()) } else { script.remove(0) }
    }
}

struct House {
    outbox: Outbox,
    clock: Arc<StillClock>,
    seen: mpsc::UnboundedReceiver<(Duration, String)>,
}

impl House {
    fn new(script: Vec<Result<(), Undelivered>>) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let carrier = Arc::new(Scripted {
            script: Mutex::new(script),
            seen: sender,
            started: Instant::now(),
        });
        let clock = Arc::new(StillClock::new());
        let templates = Arc::new(Templates::built_in().expect("templates"));
        let outbox = Outbox::with(settings(), templates, clock.clone(), Arc::new(SystemRandom), carrier);
        Self { outbox, clock, seen }
    }

    fn post(&self, address: &str) -> Result<(), MailerError> {
        let letter = Letter {
            address: format!("{address}@example.org"),
            ..letter(self.clock.now())
        };
        self.outbox.post(&letter)
    }

    /// Who is tried next, and after how many seconds.
    async fn next(&mut self) -> (u64, String) {
        let (at, to) = self.seen.recv().await.expect("a mail");
        (at.as_secs(), to.split('@').next().unwrap_or_default().to_owned())
    }
}

fn unreachable() -> Result<(), Undelivered> {
    Err(Undelivered::Unreachable("connection refused".to_owned()))
}

fn deferred() -> Result<(), Undelivered> {
    Err(Undelivered::Deferred("451".to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_sent_and_its_place_is_free_again() {
    let mut house = House::new(Vec::new());
    house.post("a").expect("there is room");
    assert_eq!(house.next().await, (0, "a".to_owned()));
    assert_eq!(house.outbox.empty(Duration::from_secs(5)).await, 0);
    assert_eq!(house.outbox.places.available_permits(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_is_down_is_tried_ever_more_rarely_and_by_one_mail_at_a_time() {
    let mut house = House::new(vec![unreachable(), unreachable(), unreachable()]);
    house.post("a").expect("there is room");
    assert_eq!(house.next().await, (0, "a".to_owned()));
    tokio::time::sleep(Duration::from_millis(10)).await;
    house.post("b").expect("there is room");
    assert_eq!(house.next().await, (1, "a".to_owned()));
    // The mail that failed stands behind the other now.
    assert_eq!(house.next().await, (3, "b".to_owned()));
    assert_eq!(house.next().await, (7, "a".to_owned()));
    assert_eq!(house.next().await, (7, "b".to_owned()));
    assert_eq!(house.outbox.empty(Duration::from_secs(5)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_is_refused_for_now_waits_alone() {
    let mut house = House::new(vec![deferred(), Ok(()), deferred()]);
    house.post("a").expect("there is room");
    assert_eq!(house.next().await, (0, "a".to_owned()));
    house.post("b").expect("there is room");
    assert_eq!(house.next().await, (0, "b".to_owned()));
    assert_eq!(house.next().await, (1, "a".to_owned()));
    assert_eq!(house.next().await, (3, "a".to_owned()));
    assert_eq!(house.outbox.empty(Duration::from_secs(5)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_is_refused_for_good_is_dropped() {
    let mut house = House::new(vec![Err(Undelivered::Refused("550".to_owned()))]);
    house.post("a").expect("there is room");
    assert_eq!(house.next().await, (0, "a".to_owned()));
    assert_eq!(house.outbox.empty(Duration::from_secs(5)).await, 0);
    house.post("b").expect("there is room");
    assert_eq!(house.next().await.1, "b");
}

#[tokio::test(start_paused = true)]
async fn a_mail_whose_link_has_expired_is_not_sent() {
    let mut house = House::new(vec![unreachable()]);
    house.post("a").expect("there is room");
    assert_eq!(house.next().await, (0, "a".to_owned()));
    house.clock.advance(Duration::from_hours(1));
    assert_eq!(house.outbox.empty(Duration::from_secs(5)).await, 0);
    assert!(house.seen.try_recv().is_err(), "it was not tried again");
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_the_rest_is_counted_at_the_end() {
    let house = House::new((0..100).map(|_| unreachable()).collect());
    for address in ["a", "b", "c"] {
        house.post(address).expect("there is room");
    }
    assert!(matches!(house.post("d"), Err(MailerError::Full { capacity: 3 })));
    assert_eq!(house.outbox.empty(Duration::from_secs(5)).await, 3);
}

#[tokio::test]
async fn a_mail_that_cannot_be_written_takes_no_place() {
    let house = House::new(Vec::new());
    assert!(matches!(house.post("a b"), Err(MailerError::Unwritable { .. })));
    assert_eq!(house.outbox.places.available_permits(), 3);
}
