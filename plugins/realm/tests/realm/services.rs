//! Resolvers of the type `http`, against a server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use keyway_sdk::testing::MockHost;
use keyway_sdk::{Capability, Fault, Found, Key, Outcome, Refusal, Subject, json};
use realm::Realm;
use serde_json::Value;

use super::{attribute, found, verified};

/// What a server was sent: each request's first line and body.
pub(crate) type Sent = Arc<Mutex<Vec<(String, String)>>>;

/// A server that answers each request, its head and its body, with a status and JSON.
pub(crate) fn server(answer: impl Fn(&str, &str) -> (u16, Value) + Send + 'static) -> (SocketAddr, Sent) {
    server_of_texts(move |head, body| {
        let (status, told) = answer(head, body);
        (status, told.to_string())
    })
}

/// The same with any text.
#[expect(clippy::unwrap_used, reason = "a test's own server")]
fn server_of_texts(answer: impl Fn(&str, &str) -> (u16, String) + Send + 'static) -> (SocketAddr, Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|count| count > 0) {}
            if head.is_empty() {
                continue;
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let (status, told) = answer(&head, &body);
            let first = head.lines().next().unwrap_or_default().to_owned();
            seen.lock().unwrap().push((first, body));
            let length = told.len();
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{told}");
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
    });
    (address, sent)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads best as `host(address, json!({ .. }))`"
)]
fn host(address: SocketAddr, resolver: Value) -> MockHost {
    MockHost::new()
        .config(json!({
            "default_realm": "r",
            "realms": { "r": { "resolvers": [{ "name": "web" }] } },
            "resolvers": { "web": resolver }
        }))
        .endpoint("idp", address)
        .grant(Capability::CredentialExpose)
}

/// Verifies by a POST, and knows nobody before.
fn plain() -> Value {
    json!({
        "type": "http", "endpoint": "idp", "path": "/login",
        "body": { "user": "{username}", "pass": "{password}" },
        "map": { "userid": "/id", "username": "/login", "givenname": "/name/first", "age": "/age", "list": "/list" }
    })
}

/// Finds first.
fn finding() -> Value {
    json!({
        "type": "http", "endpoint": "idp", "host": "idp.example.org",
        "method": "GET", "path": "/users/{userid}/check?p={password}",
        "find": { "path": "/users?name={username}" },
        "find_by_userid": { "path": "/users/{userid}" },
        "map": { "userid": "/0/id", "username": "/0/login" },
        "headers": { "X-Client": "keyway" },
        "secret_headers": { "Authorization": "idp_token" }
    })
}

#[test]
fn a_status_of_200_lets_somebody_in() {
    let answer =
        json!({ "id": 7, "login": "Carol", "name": { "first": "Ca" }, "age": 3, "list": [], "password": "$6$" });
    let (address, sent) = server(move |_, _| (200, answer.clone()));
    let host = host(address, plain());
    let carol = verified(host.login::<Realm>("carol", "s3\"cre7"));
    assert_eq!(carol.subject, Subject::Own("web:7".to_owned()));
    assert_eq!(
        (
            carol.login.as_str(),
            attribute(&carol, "givenname"),
            attribute(&carol, "age")
        ),
        ("Carol", "Ca", "3")
    );
    assert!(!carol.attributes.contains_key("list") && !carol.attributes.contains_key("password"));
    let sent = sent.lock().unwrap();
    assert_eq!(sent[0].0, "POST /login HTTP/1.1");
    let body: Value = serde_json::from_str(&sent[0].1).unwrap();
    assert_eq!(body, json!({ "user": "carol", "pass": "s3\"cre7" }));
    assert_eq!(host.exposures(), 1);
}

#[test]
fn other_statuses_refuse_or_decide_nothing() {
    for (status, expected) in [
        (400, Some(Refusal::WrongCredential)),
        (401, Some(Refusal::WrongCredential)),
        (403, Some(Refusal::WrongCredential)),
        (422, Some(Refusal::WrongCredential)),
        (404, Some(Refusal::UnknownIdentifier)),
        (410, Some(Refusal::UnknownIdentifier)),
        (302, None),
        (429, None),
        (500, None),
        (503, None),
    ] {
        let (address, _) = server(move |_, _| (status, json!({ "id": 7 })));
        let outcome = host(address, plain()).login::<Realm>("carol", "s3cre7");
        let fault = Fault::unavailable(format!("resolver `web`: the answer has the status {status}"));
        assert_eq!(outcome, expected.map(Outcome::from).ok_or(fault));
    }
}

#[test]
fn an_answer_may_have_to_hold_certain_values() {
    let mut resolver = plain();
    resolver["expect"] = json!({ "/result/value": true });
    for (answer, is_right) in [
        (json!({ "id": 7, "result": { "value": true } }), true),
        (json!({ "id": 7, "result": { "value": false } }), false),
        (json!({ "id": 7, "result": { "value": "true" } }), false),
        (json!({ "id": 7 }), false),
        (json!("no table"), false),
    ] {
        let (address, _) = server(move |_, _| (200, answer.clone()));
        let outcome = host(address, resolver.clone()).login::<Realm>("carol", "s3cre7");
        match outcome {
            Ok(Outcome::Verified(_)) => assert!(is_right),
            outcome => assert!(
                !is_right && outcome == Ok(Refusal::WrongCredential.into()),
                "{outcome:?}"
            ),
        }
    }
}

#[test]
fn who_is_found_first_has_the_password_verified_by_user_id() {
    let (address, sent) = server(|head, _| {
        assert!(head.contains("\r\nhost: idp.example.org\r\n"), "{head}");
        assert!(
            head.contains("\r\nx-client: keyway\r\nauthorization: Bearer t0ken\r\n"),
            "{head}"
        );
        match head.split(' ').nth(1).unwrap_or_default() {
            "/users?name=carol" | "/users/a%2F7" => (200, json!([{ "id": "a/7", "login": "carol" }])),
            "/users?name=nobody" => (200, json!([])),
            "/users/a%2F7/check?p=s3%26cre7" => (204, json!(null)),
            path if path.contains("check") => (401, json!(null)),
            _ => (404, json!(null)),
        }
    });
    let host = host(address, finding()).secret("idp_token", "Bearer t0ken\n");
    let carol = verified(host.login::<Realm>("carol", "s3&cre7"));
    assert_eq!(carol.subject, Subject::Own("web:a/7".to_owned()));
    assert_eq!(
        host.login::<Realm>("carol", "wrong"),
        Ok(Refusal::WrongCredential.into())
    );
    for nobody in ["nobody", "erin", "", ".."] {
        assert_eq!(
            host.login::<Realm>(nobody, "wrong"),
            Ok(Refusal::UnknownIdentifier.into()),
            "{nobody}"
        );
    }
    let by_login = found(host.lookup::<Realm>(Key::Identifier("carol".to_owned())));
    let by_subject = found(host.lookup::<Realm>(Key::Subject("web:a/7".to_owned())));
    assert_eq!(by_login.subject, by_subject.subject);
    let gone = host.lookup::<Realm>(Key::Subject("web:8".to_owned()));
    assert_eq!(gone, Ok(Refusal::UnknownIdentifier.into()));
    let sent = sent.lock().unwrap();
    assert!(
        sent.iter().all(|(line, _)| !line.starts_with("GET /users/../")),
        "{sent:?}"
    );
}

#[test]
fn rubbish_where_an_answer_must_be_read_is_a_service_that_does_not_work() {
    let deep = "[".repeat(10_000);
    for rubbish in ["<html>welcome</html>", "{\"id\":", "7 7", "\u{0}", deep.as_str()] {
        let answer = rubbish.to_owned();
        let (address, _) = server_of_texts(move |_, _| (200, answer.clone()));
        let fault = Fault::unavailable("resolver `web`: the answer is no JSON");
        for resolver in [plain(), finding()] {
            let host = host(address, resolver).secret("idp_token", "t");
            assert_eq!(
                host.login::<Realm>("carol", "s3cre7"),
                Err(fault.clone()),
                "{rubbish:.20}"
            );
        }
        // The status alone decides where nothing of the answer is wanted.
        let mut resolver = plain();
        resolver["map"] = json!({});
        let carol = verified(host(address, resolver).login::<Realm>("carol", "s3cre7"));
        assert_eq!(carol.subject, Subject::Own("web:carol".to_owned()));
    }
}

#[test]
fn an_answer_that_is_too_long_is_a_fault() {
    let (address, _) = server(|_, _| (200, json!({ "id": 7, "name": "x".repeat(70_000) })));
    let outcome = host(address, plain()).login::<Realm>("carol", "s3cre7");
    let fault = Fault::unavailable("resolver `web`: the answer is longer than 65536 bytes");
    assert_eq!(outcome, Err(fault));
}

#[test]
fn a_user_id_that_makes_no_subject_is_refused() {
    for id in [json!("x".repeat(300)), json!("7\u{0}")] {
        let (address, _) = server(move |_, _| (200, json!({ "id": id })));
        let outcome = host(address, plain()).login::<Realm>("carol", "s3cre7");
        assert_eq!(outcome, Ok(Refusal::Ambiguous.into()));
    }
}

#[test]
fn a_password_that_no_path_has_room_for_is_a_wrong_one() {
    let (address, _) = server(|head, _| {
        let is_question = head.starts_with("GET /users?name=carol ");
        (
            if is_question { 200 } else { 500 },
            json!([{ "id": "7", "login": "carol" }]),
        )
    });
    let host = host(address, finding()).secret("idp_token", "t");
    let outcome = host.login::<Realm>("carol", &"%".repeat(1 << 20));
    assert_eq!(outcome, Ok(Refusal::WrongCredential.into()));
}

#[test]
fn an_empty_password_is_sent_to_nobody() {
    let (address, sent) = server(|_, _| (200, json!({ "id": 7 })));
    let outcome = host(address, plain()).login::<Realm>("carol", "");
    assert_eq!(outcome, Ok(Refusal::WrongCredential.into()));
    assert!(sent.lock().unwrap().is_empty());
}

#[test]
fn without_a_look_up_nobody_is_known_without_a_password() {
    let (address, sent) = server(|_, _| (200, json!({ "id": 7 })));
    let host = host(address, plain());
    for key in [Key::Identifier("carol".to_owned()), Key::Subject("web:7".to_owned())] {
        assert_eq!(host.lookup::<Realm>(key), Ok(Found::CannotTell));
    }
    assert!(sent.lock().unwrap().is_empty());
}

#[test]
fn the_password_is_seen_only_with_the_grant() {
    let (address, sent) = server(|_, _| (200, json!({ "id": 7 })));
    let outcome = host(address, plain())
        .deny(Capability::CredentialExpose)
        .login::<Realm>("carol", "s3cre7");
    let fault = Fault::misconfigured("resolver `web`: the capability `credential.expose` is not granted");
    assert_eq!(outcome, Err(fault));
    assert!(sent.lock().unwrap().is_empty());
}

#[test]
fn no_log_line_holds_a_password_or_a_secret() {
    let (address, _) = server(|_, _| (500, json!(null)));
    let host = host(address, finding()).secret("idp_token", "t0ken\r\nx: y");
    let outcome = host.login::<Realm>("carol", "s3cre7");
    let fault = Fault::misconfigured("resolver `web`: `secrets.idp_token` is no value of a header");
    assert_eq!(outcome, Err(fault));
    assert!(!format!("{:?}", host.lines()).contains("t0ken"));
}

#[test]
fn health_connects_and_looks_for_the_secrets() {
    let (address, _) = server(|_, _| (200, json!(null)));
    let fault = Fault::misconfigured("resolver `web`: there is no `secrets.idp_token`");
    assert_eq!(host(address, finding()).health::<Realm>(), Err(fault));
    let complete = host(address, finding()).secret("idp_token", "t0ken");
    assert_eq!(complete.health::<Realm>(), Ok(()));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = Fault::unavailable("resolver `web`: no server of the endpoint answers");
    assert_eq!(host(gone, plain()).health::<Realm>(), Err(fault));
}
