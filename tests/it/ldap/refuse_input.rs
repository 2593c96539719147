//! What a stranger may send as a name: it finds nobody, whatever it means to a filter or in a DN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyway_tests::slapd::{PEOPLE, Slapd};
use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::json;

use super::corp::{BACKEND, Corp, start_all, status, status_through};

#[tokio::test]
async fn no_name_lets_in_whom_it_does_not_name() {
    let slapd = Slapd::shared();
    let either = "search_filters = \"(|(uid={username})(mail={username}))\"";
    let long = "a".repeat(10 * 1024);
    let host = start_all([
        ("searching".to_owned(), Corp::at(&slapd.plain())),
        ("either".to_owned(), Corp::at(&slapd.plain()).config(either)),
        ("direct".to_owned(), Corp::directly(&slapd.plain())),
    ]);
    for backend in ["searching", "either", "direct"] {
        for login in [
            "*",
            "a*",
            "al*ce",
            "(",
            ")",
            "\\",
            "\\2a",
            "\u{0}",
            "alice\u{0}",
            "*)(uid=*",
            "alice)(uid=alice",
            "alice)(|(uid=*",
            "*))(|(uid=*",
            "&",
            "!(uid=bob)",
            "{username}",
            "alice,ou=people,dc=example,dc=org",
            "alice+uid=alice",
            "twin,ou=staff",
            "uid=alice",
            "#616c696365",
            "alice\\",
            "cn=svc,dc=example,dc=org",
            &long,
        ] {
            let status = status_through(&host, backend, login, "s3cre7").await;
            assert!(matches!(status, 400 | 401), "{backend}: {status} for {login:?}");
        }
        let status = status_through(&host, backend, "alice", "s3cre7").await;
        assert_eq!(status, 200, "{backend}: nothing is broken");
    }
}

#[tokio::test]
async fn no_password_is_taken_for_another() {
    let host = Corp::at(&Slapd::shared().plain()).start();
    let long = "s3cre7".repeat(2 * 1024);
    for password in ["*", "s3cre7\u{0}", "\u{0}", "s3cre7 ", "S3CRE7", " ", &long] {
        let status = status(&host, "alice", password).await;
        assert!(matches!(status, 400 | 401), "{status} for {password:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_no_text_finds_nobody() {
    let host = Corp::at(&Slapd::shared().plain()).start();
    for credentials in [
        &b"\xff\xfe:s3cre7"[..],
        b"alice\xc3:s3cre7",
        b"alice:\xff\xff",
        b"\xc0\xaa:s3cre7",
    ] {
        let request = host
            .wazo()
            .request(Method::POST, "/token")
            .header("authorization", format!("Basic {}", STANDARD.encode(credentials)))
            .json(&json!({ "backend": BACKEND }));
        let status = send(request).await.status;
        assert!(matches!(status, 400 | 401), "{status} for {credentials:?}");
    }
}

#[tokio::test]
async fn nobody_can_write_so_much_on_their_own_entry_that_others_do_not_get_in() {
    let user = |name: &str, length: usize| {
        let display_name = "x".repeat(length);
        format!(
            "dn: uid={name},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
             userPassword: s3cre7\ndisplayName: {display_name}\n\n"
        )
    };
    let slapd = Slapd::builder()
        .entries(&[user("wordy", 900 * 1024), user("endless", 1024 * 1024)].concat())
        .start();
    let once = |corp: Corp| corp.limit("breaker_faults = 1").limit("breaker_cooldown = \"1h\"");
    let host = start_all([
        ("searching".to_owned(), once(Corp::at(&slapd.plain()))),
        (
            "unpooled".to_owned(),
            once(Corp::at(&slapd.plain()).config("pool = false")),
        ),
        ("direct".to_owned(), once(Corp::directly(&slapd.plain()))),
    ]);
    for backend in ["searching", "unpooled", "direct"] {
        for (login, expected) in [("wordy", 200), ("endless", 401), ("alice", 200)] {
            let status = status_through(&host, backend, login, "s3cre7").await;
            assert_eq!(status, expected, "{backend}: {login}");
        }
    }
}
