//! No password is in the log, whatever became of the login.

use keyway_tests::peer::{Peer, Script};
use keyway_tests::slapd::{PEOPLE, SERVICE_PASSWORD, Slapd};

use super::corp::{Corp, start_all, status_through};

#[tokio::test]
async fn no_password_is_in_the_log() {
    let slapd = Slapd::builder()
        .entries(&format!(
            "dn: uid=dora,{PEOPLE}\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dora\nuserPassword: d0ras-very-0wn\n"
        ))
        .start();
    let garbage = Peer::start(Script::Answering(b"garbage".to_vec()));
    let backends = [
        ("searching", Corp::at(&slapd.plain()), 200),
        ("direct", Corp::directly(&slapd.plain()), 200),
        ("starttls", Corp::over_starttls(&slapd), 200),
        ("garbage", Corp::at(garbage.address()), 503),
        ("direct_garbage", Corp::directly(garbage.address()), 503),
    ];
    let expected = backends
        .iter()
        .map(|(name, _, status)| (*name, *status))
        .collect::<Vec<_>>();
    // The builder's servers log all that there is to log.
    let host = start_all(backends.map(|(name, corp, _)| (name.to_owned(), corp)));
    for (backend, expected) in expected {
        let status = async |login, password| status_through(&host, backend, login, password).await;
        assert_eq!(status("dora", "d0ras-very-0wn").await, expected, "{backend}");
        assert!(
            matches!(status("dora", "n0t-hers-at-all").await, 401 | 503),
            "{backend}"
        );
        assert!(
            matches!(status("nobody", "wh0-ever-1t-is").await, 401 | 503),
            "{backend}"
        );
    }
    let log = host.log().text();
    assert!(log.contains("uid=dora"), "what the plugin logs is there:\n{log}");
    for secret in ["d0ras-very-0wn", "n0t-hers-at-all", "wh0-ever-1t-is", SERVICE_PASSWORD] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
}
