//! Receivers that are down at first, over real sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use base64::Engine as _;
use futures::StreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use keyway_core::Secret;
use keyway_core::event::{EventService, EventSettings};
use keyway_core::model::{EventKind, IdentityId, NewEvent, SessionId, TenantId};
use keyway_core::port::{Clock, SystemClock};
use keyway_core::tenants::TenantDirectory;
use keyway_core::testing::MemoryStore;
use keyway_http::WazoSettings;
use keyway_tests::rabbitmq::RabbitServer;
use lapin::options::{BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties, Consumer, ExchangeKind};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::sinks;
use crate::config::{AmqpConfig, EventsConfig, ExchangeType, Wanted, WebhookConfig};

/// How long a test waits for what must come before long.
const SOON: Duration = Duration::from_mins(1);

const SECRET: &str = "a key of the test's own";

/// Delivers what happens in a store to the receivers of a configuration.
struct Node {
    store: Arc<MemoryStore>,
    events: Arc<EventService>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    async fn new(config: EventsConfig) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = MemoryStore::new();
        let tenants = Arc::new(TenantDirectory::new(store.clone()));
        let sinks = sinks(&config, &WazoSettings::default(), &clock).expect("receivers");
        let events = Arc::new(EventService::new(store.clone(), tenants, clock, config.settings));
        let mut tasks = Vec::new();
        for sink in sinks {
            events.add_receiver(sink.name()).await.expect("added");
            let service = Arc::clone(&events);
            tasks.push(tokio::spawn(async move { service.deliver(&*sink).await }));
        }
        let service = Arc::clone(&events);
        tasks.push(tokio::spawn(async move { service.run().await }));
        Self { store, events, tasks }
    }

    /// Lets something happen; `number` tells it from others.
    fn happen(&self, kind: EventKind, number: u128) {
        let (tenant, identity) = (TenantId(Uuid::from_u128(1)), IdentityId(Uuid::from_u128(2)));
        let session = SessionId(Uuid::from_u128(number));
        self.store
            .record(NewEvent::session(kind, session, tenant, identity, false));
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.events.close();
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn config() -> EventsConfig {
    EventsConfig {
        settings: EventSettings {
            poll_interval: Duration::from_millis(10),
            retry: (Duration::from_millis(10), Duration::from_millis(100)),
            ..EventSettings::default()
        },
        streams: keyway_http::EventStreamSettings::default(),
        webhooks: Vec::new(),
        amqp: None,
    }
}

fn webhook(url: &str) -> WebhookConfig {
    WebhookConfig {
        name: "test".to_owned(),
        url: Secret::new(url.to_owned()),
        secret: SECRET.into(),
        events: Wanted(None),
        ca: None,
    }
}

/// What a receiver was sent.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<(HeaderMap, String)>>>);

impl Inbox {
    /// Serves at this address; refuses the first requests.
    async fn serve(&self, address: SocketAddr, refusals: usize) -> SocketAddr {
        let refusals = Arc::new(AtomicUsize::new(refusals));
        let take = async move |State(inbox): State<Self>, headers: HeaderMap, body: String| {
            let refused = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if refused.is_ok() {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            inbox.0.lock().expect("no panic").push((headers, body));
            StatusCode::NO_CONTENT
        };
        #[expect(clippy::disallowed_methods, reason = "the route is a test's")]
        let router = Router::new().route("/hook", post(take)).with_state(self.clone());
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// What each of the first events was about, when there are so many.
    async fn uuids(&self, count: usize) -> Vec<u128> {
        let arrived = async {
            while self.0.lock().expect("no panic").len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, arrived).await.expect("events in time");
        let inbox = self.0.lock().expect("no panic");
        inbox.iter().map(|(_, body)| about(body.as_bytes())).collect()
    }
}

/// Which session a body is about.
fn about(body: &[u8]) -> u128 {
    let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let uuid = body["data"]["uuid"].as_str().expect("a uuid");
    Uuid::parse_str(uuid).expect("a uuid").as_u128()
}

/// An address where nobody listens: on the loopback, and of this test's own.
async fn nowhere() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address")
}

#[tokio::test]
async fn a_webhook_that_is_down_at_first_hears_of_everything_in_order() {
    let address = nowhere().await;
    let mut config = config();
    config.webhooks.push(webhook(&format!("http://{address}/hook")));
    let node = Node::new(config).await;
    for number in 0..20 {
        node.happen(EventKind::SessionCreated, number);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let inbox = Inbox::default();
    inbox.serve(address, 3).await;
    for number in 20..30 {
        node.happen(EventKind::SessionDeleted, number);
    }
    assert_eq!(inbox.uuids(30).await, (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_webhooks_requests_are_signed_with_their_time() {
    let inbox = Inbox::default();
    let address = inbox.serve("127.0.0.1:0".parse().expect("an address"), 0).await;
    let mut config = config();
    config.webhooks.push(WebhookConfig {
        events: Wanted(Some(vec![EventKind::SessionDeleted])),
        ..webhook(&format!("http://{address}/hook"))
    });
    let node = Node::new(config).await;
    node.happen(EventKind::SessionCreated, 1);
    node.happen(EventKind::SessionDeleted, 2);
    assert_eq!(inbox.uuids(1).await, [2], "the other is not wanted");
    let (headers, body) = inbox.0.lock().expect("no panic")[0].clone();
    assert_eq!(headers["content-type"], "application/json");
    let text = |name: &str| headers[name].to_str().expect("text").to_owned();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(format!("{}.{}.{body}", text("webhook-id"), text("webhook-timestamp")).as_bytes());
    let signature = text("webhook-signature");
    let signature = signature.strip_prefix("v1,").expect("a version");
    let signature = base64::engine::general_purpose::STANDARD.decode(signature);
    mac.verify_slice(&signature.expect("base64")).expect("it fits");
    let sent: i64 = text("webhook-timestamp").parse().expect("seconds");
    assert!((SystemClock.now().to_utc().unix_timestamp() - sent).abs() < 100);
    assert_eq!(text("webhook-id"), "0-2");
}

#[tokio::test]
async fn a_webhook_is_not_sent_elsewhere() {
    let elsewhere = Inbox::default();
    let target = elsewhere.serve("127.0.0.1:0".parse().expect("an address"), 0).await;
    let location = format!("http://{target}/hook");
    let asked = Arc::new(tokio::sync::Notify::new());
    let redirect = {
        let asked = Arc::clone(&asked);
        async move || {
            asked.notify_one();
            (StatusCode::TEMPORARY_REDIRECT, [("location", location)])
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    #[expect(clippy::disallowed_methods, reason = "the route is a test's")]
    let router = Router::new().route("/hook", post(redirect));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut config = config();
    config.webhooks.push(webhook(&format!("http://{address}/hook")));
    let node = Node::new(config).await;
    node.happen(EventKind::SessionCreated, 1);
    for _ in 0..3 {
        timeout(SOON, asked.notified()).await.expect("it is tried again");
    }
    assert!(elsewhere.0.lock().expect("no panic").is_empty());
}

fn amqp(port: u16) -> AmqpConfig {
    AmqpConfig {
        uri: Secret::new(format!("amqp://guest:wrong@127.0.0.1:{port}/%2F")),
        password: Some(Secret::new("guest".to_owned())),
        exchange: "xivo".to_owned(),
        exchange_type: ExchangeType::Topic,
        events: Wanted(None),
        ca: None,
    }
}

/// Hears what goes through the exchange under keys of this form.
async fn consume(port: u16, binding: &str) -> (Connection, Consumer) {
    let uri = format!("amqp://guest:guest@127.0.0.1:{port}/%2F");
    let connection = async {
        // Its port answers before it lets anybody in.
        loop {
            match Connection::connect(&uri, ConnectionProperties::default()).await {
                Ok(connection) => return connection,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let connection = timeout(SOON, connection).await.expect("a broker");
    let channel = connection.create_channel().await.expect("a channel");
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let (none, options) = (FieldTable::default, QueueDeclareOptions::default());
    let declared = channel.exchange_declare("xivo".into(), ExchangeKind::Topic, durable, none());
    declared.await.expect("an exchange");
    let queue = channel
        .queue_declare("".into(), options, none())
        .await
        .expect("a queue");
    let name = queue.name().clone();
    let bound = channel.queue_bind(
        name.clone(),
        "xivo".into(),
        binding.into(),
        QueueBindOptions::default(),
        none(),
    );
    bound.await.expect("bound");
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = channel.basic_consume(name, "test".into(), options, none()).await;
    (connection, consumer.expect("a consumer"))
}

/// Lets connections to `from` through to the broker, until it is dropped, which cuts them.
async fn proxy(from: SocketAddr, to: u16) -> JoinHandle<()> {
    let listener = TcpListener::bind(from).await.expect("a free port");
    tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            connections.spawn(async move {
                if let Ok(mut broker) = TcpStream::connect(("127.0.0.1", to)).await {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut broker).await;
                }
            });
        }
    })
}

async fn heard(consumer: &mut Consumer) -> lapin::message::Delivery {
    let delivery = timeout(SOON, consumer.next()).await.expect("a message in time");
    delivery.expect("a message").expect("a message")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_hears_of_everything_in_wazos_envelope_however_often_it_is_down() {
    let broker = RabbitServer::start();
    let (_connection, mut consumer) = consume(broker.port(), "auth.sessions.#").await;
    let address = nowhere().await;
    let mut config = config();
    config.amqp = Some(amqp(address.port()));
    let node = Node::new(config).await;
    for number in 0..10 {
        node.happen(EventKind::SessionCreated, number);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let line = proxy(address, broker.port()).await;
    let first = heard(&mut consumer).await;
    check_envelope(&first);
    for number in 1..10 {
        assert_eq!(about(&heard(&mut consumer).await.data), number);
    }

    line.abort();
    let _ = line.await;
    for number in 10..20 {
        node.happen(EventKind::SessionDeleted, number);
    }
    // Not a session's: bound to by nobody, and no hindrance.
    node.happen(EventKind::SessionExpireSoon, 99);
    node.happen(EventKind::SessionDeleted, 20);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _line = proxy(address, broker.port()).await;
    // At least once: what was confirmed and not noted comes again, however much that is.
    let mut seen = Vec::new();
    while seen.last() != Some(&20) {
        seen.push(about(&heard(&mut consumer).await.data));
    }
    seen.retain(|number| *number >= 10);
    seen.dedup();
    assert_eq!(seen, (10..=20).collect::<Vec<_>>());
}

fn check_envelope(delivery: &lapin::message::Delivery) {
    let uuid = Uuid::from_u128(0);
    assert_eq!(delivery.exchange.as_str(), "xivo");
    assert_eq!(delivery.routing_key.as_str(), format!("auth.sessions.{uuid}.created"));
    let properties = &delivery.properties;
    assert_eq!(*properties.delivery_mode(), Some(2));
    let kind = properties
        .content_type()
        .as_ref()
        .map(lapin::types::ShortString::as_str);
    assert_eq!(kind, Some("application/json"));
    let headers = properties.headers().as_ref().expect("headers").inner();
    let text = |text: &str| AMQPValue::LongString(text.into());
    let user = format!("user_uuid:{}", Uuid::from_u128(2));
    let expected = [
        ("name", text("auth_session_created")),
        ("tenant_uuid", text(&Uuid::from_u128(1).to_string())),
        (user.as_str(), AMQPValue::Boolean(true)),
        ("required_access", text("event.auth_session_created")),
    ];
    assert_eq!(headers.len(), expected.len(), "{headers:?}");
    for (name, value) in expected {
        assert_eq!(headers.get(name), Some(&value), "{name}");
    }
    let body: serde_json::Value = serde_json::from_slice(&delivery.data).expect("JSON");
    assert_eq!(body["name"], "auth_session_created");
    assert_eq!(body[&user], true);
    assert_eq!(body["data"]["tenant_uuid"], Uuid::from_u128(1).to_string());
}
