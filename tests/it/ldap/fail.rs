//! Directories that are dead, slow, or no directories at all. Each is a fault: 503, with the reason in the log.

use std::time::{Duration, Instant};

use keyway_tests::TestHost;
use keyway_tests::peer::{Peer, Script};
use keyway_tests::slapd::{PEOPLE, Slapd};
use serde_json::json;
use tokio::net::TcpSocket;

use super::corp::{Corp, log_in, log_in_through, start_all, status, status_through};

/// An address where nobody listens, and nobody else does while the socket is held: it is bound, and refuses connections.
fn dead() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = socket.local_addr().expect("an address").to_string();
    (socket, address)
}

#[tokio::test]
async fn the_second_server_is_asked_where_the_first_is_dead_and_at_once_from_then_on() {
    let slapd = Slapd::shared();
    // Nothing answers there, so that connecting takes all the time that it may.
    let silent = Peer::start(Script::Silent);
    let host = Corp::over_tls(slapd)
        .servers(&[silent.address(), &slapd.tls()])
        .endpoint("connect_timeout = \"1s\"")
        .start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    let tried = silent.connections();
    assert!(tried > 0, "the first one comes first");
    let begun = Instant::now();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(silent.connections(), tried, "the dead one is remembered");
}

#[tokio::test]
async fn a_server_that_refuses_connections_costs_no_login() {
    let slapd = Slapd::shared();
    let (_held, dead) = dead();
    let host = Corp::at(&slapd.plain()).servers(&[&dead, &slapd.plain()]).start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    assert_eq!(status(&host, "alice", "wrong").await, 401);
}

#[tokio::test]
async fn where_all_are_dead_it_is_503_and_others_are_served() {
    let (_held, dead) = dead();
    let host = Corp::at(&dead).start_on(TestHost::builder().user("carol", "s3cre7"));
    let mark = host.log().mark();
    assert_eq!(status(&host, "alice", "s3cre7").await, 503);
    let line = host.log().wait_for_message(mark, "an endpoint failed").to_string();
    assert!(line.contains("does not accept connections"), "{line}");
    let carol = host.wazo().login("carol", "s3cre7", json!({})).await;
    assert_eq!(carol.status, 200, "{carol:?}");
}

#[tokio::test]
async fn what_is_no_ldap_is_503() {
    // What a directory answers a bind with: success, as message 1.
    let bound = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec();
    let scripts = [
        ("closes at once", Script::Closing),
        ("says nothing and closes", Script::Answering(Vec::new())),
        (
            "another protocol",
            Script::Answering(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ),
        ("noise", Script::Answering((0..=255).cycle().take(4096).collect())),
        (
            "a truncated answer",
            Script::Answering(bound[..bound.len() - 3].to_vec()),
        ),
        (
            "a length of four gigabytes",
            Script::Answering(b"\x30\x84\xff\xff\xff\xff\x02\x01\x01".to_vec()),
        ),
        (
            "a length of a hundred megabytes",
            Script::Hanging(b"\x30\x84\x06\x40\x00\x00\x02\x01\x01".to_vec()),
        ),
        (
            "an indefinite length",
            Script::Answering(b"\x30\x80\x02\x01\x01\x00\x00".to_vec()),
        ),
        (
            "nothing but brackets",
            Script::Answering([0x30, 0x82, 0x10, 0x00].repeat(1024)),
        ),
        (
            "an answer to another question",
            Script::Answering(b"\x30\x0c\x02\x01\x63\x61\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec()),
        ),
        (
            "an answer of another kind",
            Script::Answering(b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec()),
        ),
    ];
    let backends = scripts.iter().enumerate().flat_map(|(number, (_, script))| {
        let peer = Peer::start(script.clone());
        let corps = [
            ("searching", Corp::at(peer.address())),
            ("direct", Corp::directly(peer.address())),
        ];
        corps.map(|(how, corp)| (format!("{how}{number}"), corp.endpoint("timeout = \"300ms\"")))
    });
    let host = start_all(backends);
    for (number, (what, _)) in scripts.iter().enumerate() {
        for how in ["searching", "direct"] {
            let answer = log_in_through(&host.wazo(), &format!("{how}{number}"), "alice", "s3cre7").await;
            assert_eq!(answer.status, 503, "{how}, {what}: {answer:?}");
            assert_eq!(answer.body["reason"], json!(["Service Unavailable"]), "{what}");
        }
    }
}

#[tokio::test]
async fn a_directory_that_stops_answering_is_503_in_time_and_the_others_go_on() {
    let silent = Peer::start(Script::Silent);
    let builder = TestHost::builder().user("carol", "s3cre7");
    let host = Corp::at(silent.address())
        .endpoint("timeout = \"1m\"")
        .limit("deadline = \"1s\"")
        .limit("breaker_faults = 8")
        .limit("breaker_cooldown = \"1h\"")
        .start_on(builder);
    let mut stalled = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let wazo = host.wazo();
        stalled.spawn(async move {
            let begun = Instant::now();
            let answer = log_in(&wazo, "alice", "s3cre7").await;
            (answer.status, begun.elapsed())
        });
    }
    let carol = host.wazo().login("carol", "s3cre7", json!({})).await;
    assert_eq!(carol.status, 200, "{carol:?}");
    assert_eq!(stalled.len(), 8);
    while let Some(ended) = stalled.join_next().await {
        let (status, took) = ended.expect("a login");
        assert_eq!(status, 503);
        // Twice the deadline is much: what is ruled out is the endpoint's own minute.
        assert!(took < Duration::from_secs(5), "it took {took:?}");
    }
    let asked = silent.connections();
    let begun = Instant::now();
    let answer = log_in(&host.wazo(), "alice", "s3cre7").await;
    assert_eq!(answer.status, 503);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(silent.connections(), asked, "the breaker keeps the login away from it");
    let carol = host.wazo().login("carol", "s3cre7", json!({})).await;
    assert_eq!(carol.status, 200, "{carol:?}");
}

#[tokio::test]
async fn a_directory_that_answers_byte_by_byte_is_503_in_time() {
    // Of a message that may be as long as it says it is.
    let head = b"\x30\x83\x0f\xff\x00\x02\x01\x01\x61\x83\x0f\xfe\xf0".to_vec();
    let dripping = Peer::start(Script::Dripping(head, Duration::from_millis(20)));
    let slow = |corp: Corp| corp.endpoint("timeout = \"1m\"").limit("deadline = \"1s\"");
    let host = start_all([
        ("searching".to_owned(), slow(Corp::at(dripping.address()))),
        ("direct".to_owned(), slow(Corp::directly(dripping.address()))),
    ]);
    for backend in ["searching", "direct"] {
        let begun = Instant::now();
        assert_eq!(
            status_through(&host, backend, "alice", "s3cre7").await,
            503,
            "{backend}"
        );
        // Each byte comes soon enough; what ends it is the deadline of the whole call.
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_directory_that_freezes_and_thaws_is_served_again() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).limit("deadline = \"2s\"").start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    slapd.freeze();
    assert_eq!(status(&host, "alice", "s3cre7").await, 503);
    slapd.thaw();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
}

#[tokio::test]
async fn a_referral_to_another_server_is_not_followed() {
    let elsewhere = Peer::start(Script::Silent);
    let slapd = Slapd::builder()
        .entries(&format!(
            "dn: ou=away,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\n\
             ref: ldap://{}/{PEOPLE}\n",
            elsewhere.address()
        ))
        .start();
    let away = format!("user_base_dn = \"ou=away,{PEOPLE}\"");
    let host = start_all([
        ("around".to_owned(), Corp::at(&slapd.plain())),
        ("into".to_owned(), Corp::at(&slapd.plain()).config(&away)),
    ]);
    assert_eq!(status_through(&host, "around", "alice", "s3cre7").await, 200);
    assert_eq!(status_through(&host, "around", "nobody", "s3cre7").await, 401);
    assert_eq!(status_through(&host, "into", "alice", "s3cre7").await, 503);
    let row = host.plugin_status("into");
    assert!(
        row["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("referrals are not followed")),
        "{row}"
    );
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_referral_to_the_server_itself_is_not_followed_either() {
    let slapd = Slapd::builder().start();
    slapd.modify(&format!(
        "dn: ou=again,{PEOPLE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: again\n\
         ref: ldap://{}/{PEOPLE}\n",
        slapd.plain()
    ));
    let again = format!("user_base_dn = \"ou=again,{PEOPLE}\"");
    let host = start_all([
        ("around".to_owned(), Corp::at(&slapd.plain())),
        ("into".to_owned(), Corp::at(&slapd.plain()).config(&again)),
    ]);
    assert_eq!(status_through(&host, "around", "alice", "s3cre7").await, 200);
    let connections = slapd.connections();
    assert_eq!(status_through(&host, "around", "alice", "s3cre7").await, 200);
    assert_eq!(slapd.connections(), connections + 1, "the user's own");
    assert_eq!(status_through(&host, "into", "alice", "s3cre7").await, 503);
    assert_eq!(slapd.connections(), connections + 2, "the service's own");
}
