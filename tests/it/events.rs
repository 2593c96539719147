//! What happens is told: to a webhook that was not there at first, and to whoever reads.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use keyway_tests::TestHost;
use nix::sys::signal::Signal;
use reqwest::{Method, Response};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// An address where nobody listens yet.
fn nowhere() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// Takes posts at this address, and passes on their bodies.
fn inbox(address: SocketAddr) -> Receiver<Value> {
    let listener = TcpListener::bind(address).expect("a free port");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut length = 0;
            let mut line = String::new();
            while stream.read_line(&mut line).expect("a head") > 2 {
                let header = line.to_ascii_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("sent");
            if sender.send(serde_json::from_slice(&body).expect("JSON")).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn follow(host: &TestHost, token: &str, last: &str) -> Response {
    let wazo = host.wazo().at(host.url(""));
    let request = wazo.request(Method::GET, "/keyway/v1/events");
    let request = request.header("X-Auth-Token", token).header("Last-Event-ID", last);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    response
}

/// Reads until an event of this name is there; returns all that was read.
async fn read(response: &mut Response, name: &str) -> String {
    let mut seen = String::new();
    let wanted = format!("event: {name}\n");
    while !seen.contains(&wanted) {
        let chunk = tokio::time::timeout(PATIENCE, response.chunk()).await;
        let chunk = chunk.expect("in time").expect("a stream").expect("more");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_and_its_end_are_told_to_a_webhook_and_to_a_reader() {
    let address = nowhere();
    let config = format!("[[events.webhook]]\nurl = \"http://{address}/hook\"\nsecret = {{ file = \"hook.key\" }}\n");
    let mut host = TestHost::builder()
        .config(&config)
        .file("hook.key", b"a key")
        .user("alice", "s3cre7")
        .user_with("root", "s3cre7", &["--admin"])
        .start();
    let wazo = host.wazo();
    let root = wazo.token("wazo_user", "root", "s3cre7").await;
    let mut reader = follow(&host, &root, "").await;

    // Nobody takes the webhook's requests, and no login notices.
    let answer = wazo.login("alice", "s3cre7", serde_json::json!({})).await;
    let (token, session) = (answer.token(), answer.body["data"]["session_uuid"].clone());
    assert_eq!(wazo.revoke(&token).await.status, 200);
    let seen = read(&mut reader, "auth_session_deleted").await;
    let created = seen.find("event: auth_session_created\n").expect("it began");
    assert!(created < seen.find("event: auth_session_deleted\n").expect("it ended"));
    assert!(!seen.contains(&token), "no token in it");

    let hooks = inbox(address);
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(hooks.recv_timeout(PATIENCE).expect("a request in time"));
    }
    let told: Vec<_> = told
        .iter()
        .map(|body| (body["name"].as_str(), &body["data"]["uuid"]))
        .collect();
    assert_eq!(told[1], (Some("auth_session_created"), &session));
    assert_eq!(told[2], (Some("auth_session_deleted"), &session));

    let asked = Instant::now();
    host.signal(Signal::SIGTERM);
    assert_eq!(host.wait(), Some(0));
    assert!(asked.elapsed() < PATIENCE, "a stream holds up no stop");
    while let Ok(Some(_)) = reader.chunk().await {}
}
