//! Rules of reading events.

mod document;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use base64::Engine as _;
use futures::StreamExt;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use keyway_core::model::{EventKind, IdentityId, NewEvent, SessionId, TenantId};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::ACCESS;
use crate::dialect::{Dialect, router};
use crate::edge::{Drained, Edge, EdgeSettings, Listener, Stop};
use crate::testing::{TestState, ask};
use crate::{DialectSettings, EventStreamSettings};

/// How long a test waits for what must come at once.
const SOON: Duration = Duration::from_secs(20);

const PATH: &str = "/keyway/v1/events";

struct House {
    test: TestState,
    router: Router,
}

impl House {
    async fn new() -> Self {
        Self::with(EventStreamSettings::default()).await
    }

    async fn with(streams: EventStreamSettings) -> Self {
        let test = TestState::streaming(DialectSettings::default(), streams).await;
        let events = Arc::clone(&test.state.events.service);
        tokio::spawn(async move { events.run().await });
        let router = router(&[Dialect::Wazo], &test.state);
        Self { test, router }
    }

    /// A token of alice's, who may read events.
    async fn reader(&self) -> String {
        self.test.grant_alice(ACCESS).await;
        self.login("alice:s3cre7").await
    }

    async fn login(&self, credentials: &str) -> String {
        let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
        let basic = format!("Basic {encoded}");
        let reply = ask(&self.router, "POST", "/0.1/token", &[("authorization", &basic)], "{}").await;
        let token = reply.json()["data"]["token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("no token: {reply:?}"))
    }

    async fn open(&self, token: &str, more: &[(&str, &str)]) -> Response {
        let mut request = Request::get(PATH).header("x-auth-token", token);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        self.router.clone().oneshot(request).await.expect("routers answer")
    }

    async fn listen(&self, token: &str, more: &[(&str, &str)]) -> Ear {
        let response = self.open(token, more).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Ear(response.into_body().into_data_stream())
    }

    /// Lets something happen; `number` tells it from others.
    fn happen(&self, number: u128) {
        let tenant = TenantId(Uuid::from_u128(1));
        let identity = IdentityId(Uuid::from_u128(2));
        let session = SessionId(Uuid::from_u128(number));
        let kind = EventKind::SessionDeleted;
        self.test
            .store
            .record(NewEvent::session(kind, session, tenant, identity, false));
    }
}

/// A stream that is listened to.
struct Ear(BodyDataStream);

impl Ear {
    /// The next event: its id, its name and what it is about.
    async fn event(&mut self) -> (String, String, String) {
        let (id, body) = self.body().await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (id, text(&body["name"]), text(&body["data"]["uuid"]))
    }

    /// The next event: its id and its `data`.
    async fn body(&mut self) -> (String, Value) {
        loop {
            let text = self.part().await.expect("the stream goes on");
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim().to_owned())
            };
            if let (Some(id), Some(name), Some(body)) = (field("id:"), field("event:"), field("data:")) {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                assert_eq!(body["name"], name);
                return (id, body);
            }
        }
    }

    async fn part(&mut self) -> Option<String> {
        let part = timeout(SOON, self.0.next()).await.expect("something in time")?;
        Some(String::from_utf8(part.expect("no error").to_vec()).expect("text"))
    }

    /// Waits for the end.
    async fn ends(mut self) {
        while self.part().await.is_some() {}
    }
}

fn uuid(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

#[tokio::test]
async fn a_stream_tells_what_happens_from_now_on() {
    let house = House::new().await;
    house.happen(1);
    let token = house.reader().await;
    let mut ear = house.listen(&token, &[]).await;
    let (first, second) = (house.happen(2), house.happen(3));
    assert_eq!((first, second), ((), ()));
    let (id, name, about) = ear.event().await;
    assert_eq!((name.as_str(), about), ("auth_session_deleted", uuid(2)));
    assert!(id.starts_with("0-"), "{id}");
    assert_eq!(ear.event().await.2, uuid(3));
    house.login("bob:any").await;
    assert_eq!(ear.event().await.1, "auth_session_created");
}

#[tokio::test]
async fn a_stream_goes_on_behind_the_last_event() {
    let house = House::new().await;
    let token = house.reader().await;
    let mut ear = house.listen(&token, &[]).await;
    house.happen(1);
    let (id, ..) = ear.event().await;
    drop(ear);
    house.happen(2);
    house.happen(3);
    let mut ear = house.listen(&token, &[("last-event-id", &id)]).await;
    assert_eq!(ear.event().await.2, uuid(2));
    assert_eq!(ear.event().await.2, uuid(3));
    let request = Request::get(format!("{PATH}?after={id}")).header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    let response = house.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(Ear(response.into_body().into_data_stream()).event().await.2, uuid(2));
}

#[tokio::test]
async fn a_stream_without_a_good_token_is_refused() {
    let house = House::new().await;
    let lacking = house.login("alice:s3cre7").await;
    let unknown = Uuid::from_u128(9).to_string();
    let table = [
        (None, 401, "no token that is good"),
        (Some("x"), 401, "no token that is good"),
        (Some(unknown.as_str()), 401, "no token that is good"),
        (
            Some(lacking.as_str()),
            403,
            "the token lacks the access `keyway.events.read`",
        ),
    ];
    for (token, status, error) in table {
        let headers: Vec<_> = token.map(|token| ("x-auth-token", token)).into_iter().collect();
        let reply = ask(&house.router, "GET", PATH, &headers, "").await;
        assert_eq!(reply.status, status, "{token:?}");
        assert_eq!(reply.json()["error"], error);
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    }
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let house = House::new().await;
    let token = house.reader().await;
    for (path, last) in [
        (format!("{PATH}?after=x"), ""),
        (PATH.to_owned(), "1-'"),
        (format!("{PATH}?after="), ""),
    ] {
        let headers = [("x-auth-token", token.as_str()), ("last-event-id", last)];
        let reply = ask(&house.router, "GET", &path, &headers, "").await;
        assert_eq!(reply.status, 400, "{path} {last}");
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_503() {
    let house = House::new().await;
    let token = house.reader().await;
    house.listen(&token, &[]).await;
    house.test.store.set_down(true);
    let reply = ask(&house.router, "GET", PATH, &[("x-auth-token", &token)], "").await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let settings = EventStreamSettings {
        check_interval: Duration::from_millis(10),
        ..EventStreamSettings::default()
    };
    let house = House::with(settings).await;
    let token = house.reader().await;
    let ear = house.listen(&token, &[]).await;
    let reply = ask(&house.router, "DELETE", &format!("/0.1/token/{token}"), &[], "").await;
    assert_eq!(reply.status, 200);
    ear.ends().await;

    let token = house.login("alice:s3cre7").await;
    let ear = house.listen(&token, &[]).await;
    house.test.clock.advance(Duration::from_hours(3));
    ear.ends().await;
}

#[tokio::test]
async fn nothing_is_told_under_a_token_that_was_revoked() {
    let house = House::new().await;
    let token = house.reader().await;
    let mut ear = house.listen(&token, &[]).await;
    house.happen(1);
    ear.event().await;
    ask(&house.router, "DELETE", &format!("/0.1/token/{token}"), &[], "").await;
    // Its own end is the next that happens.
    let rest = timeout(SOON, StreamExt::collect::<Vec<_>>(ear.0))
        .await
        .expect("an end");
    let told = rest
        .iter()
        .flatten()
        .any(|part| part.windows(5).any(|text| text == b"data:"));
    assert!(!told, "{rest:?}");
}

#[tokio::test]
async fn streams_are_bounded_and_one_that_ends_makes_room() {
    let settings = EventStreamSettings {
        max_streams: 1,
        ..EventStreamSettings::default()
    };
    let house = House::with(settings).await;
    let token = house.reader().await;
    let ear = house.listen(&token, &[]).await;
    let refused = house.open(&token, &[]).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    let body = refused.into_body().collect().await.expect("a body").to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("`events.max_streams`"));
    drop(ear);
    let again = async {
        while house.open(&token, &[]).await.status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, again).await.expect("room again");
}

#[tokio::test]
async fn a_reader_that_takes_too_long_loses_its_place() {
    let settings = EventStreamSettings {
        max_streams: 1,
        patience: Duration::from_millis(50),
        ..EventStreamSettings::default()
    };
    let house = House::with(settings).await;
    let token = house.reader().await;
    let slow = house.listen(&token, &[]).await;
    for number in 0..100 {
        house.happen(number);
    }
    let again = async {
        while house.open(&token, &[]).await.status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, again).await.expect("room again");
    let taken = timeout(SOON, StreamExt::collect::<Vec<_>>(slow.0))
        .await
        .expect("an end");
    assert!(taken.len() < 100, "{} were kept for it", taken.len());
}

#[tokio::test]
async fn a_stream_outlasts_the_edges_timeouts_and_not_the_server() {
    let settings = EventStreamSettings {
        keep_alive: Duration::from_millis(200),
        ..EventStreamSettings::default()
    };
    let house = House::with(settings).await;
    let token = house.reader().await;
    let listener = Listener::tcp("127.0.0.1:0".parse().expect("an address"), None).expect("a free port");
    let address = listener.address().expect("a port");
    let stop = Stop::new();
    let edge = Edge::new(EdgeSettings {
        head_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        shutdown_grace: SOON,
        ..EdgeSettings::default()
    });
    let served = tokio::spawn(listener.serve(house.router.clone(), house.test.state.clone(), edge, stop.clone()));
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut seen = String::new();
    // Six signs of life take four times as long as the edge has patience for a connection that rests.
    while seen.matches("id: ").count() < 6 {
        read_some(&mut stream, &mut seen).await;
    }
    house.happen(7);
    while !seen.contains(&uuid(7)) {
        read_some(&mut stream, &mut seen).await;
    }
    stop.trigger();
    house.test.state.events.service.close();
    let drained = timeout(SOON, served).await.expect("an end in time").expect("no panic");
    assert_eq!(drained, Drained::Whole);
}

async fn read_some(stream: &mut TcpStream, seen: &mut String) {
    let mut buffer = [0; 4096];
    let count = timeout(SOON, stream.read(&mut buffer))
        .await
        .expect("in time")
        .expect("bytes");
    assert!(count > 0, "the stream was cut: {seen}");
    seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
}
