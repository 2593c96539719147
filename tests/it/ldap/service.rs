//! The service's own account and its connections.

use std::time::{Duration, Instant};

use keyway_tests::slapd::{PEOPLE, Slapd};

use super::corp::{BACKEND, Corp, status};

/// Logins of which some are counted.
const LOGINS: usize = 5;

#[tokio::test]
async fn a_wrong_service_password_degrades_the_backend_and_says_so() {
    let host = Corp::at(&Slapd::shared().plain())
        .service_password("not-the-servic3s")
        .start();
    let row = host.plugin_status(BACKEND);
    assert_eq!(row["state"], "degraded", "{row}");
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("bind_password"), "{row}");
    assert_eq!(status(&host, "alice", "s3cre7").await, 503, "nothing is said of alice");
    assert_eq!(host.plugin_status("wazo_user")["state"], "serving");
    assert!(!host.log().text().contains("not-the-servic3s"), "it is in the log");
    assert!(!row.to_string().contains("not-the-servic3s"), "{row}");
}

#[tokio::test]
async fn a_wrong_service_password_is_tried_a_few_times_and_not_for_every_login() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain())
        .service_password("not-the-servic3s")
        .limit("breaker_faults = 2")
        .limit("breaker_cooldown = \"1h\"")
        .start();
    for _ in 0..2 {
        assert_eq!(status(&host, "alice", "s3cre7").await, 503);
    }
    let binds = service_binds(&slapd);
    for _ in 0..4 * LOGINS {
        assert_eq!(status(&host, "alice", "s3cre7").await, 503);
    }
    // The health check may have come in between.
    assert!(service_binds(&slapd) <= binds + 1, "{}", slapd.log());
    let row = host.plugin_status(BACKEND);
    assert!(
        row["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("bind_password")),
        "{row}"
    );
}

#[tokio::test]
async fn a_service_password_that_is_mended_mends_the_backend() {
    let slapd = Slapd::shared();
    let host = Corp::at(&slapd.plain()).service_password("wrong").start();
    assert_eq!(host.plugin_status(BACKEND)["state"], "degraded");
    std::fs::write(
        host.folder().join(format!("{BACKEND}.pass")),
        keyway_tests::slapd::SERVICE_PASSWORD,
    )
    .expect("a file");
    host.signal(nix::sys::signal::Signal::SIGHUP);
    let deadline = Instant::now() + Duration::from_secs(20);
    while host.plugin_status(BACKEND)["state"] != "serving" {
        assert!(Instant::now() < deadline, "{}", host.plugin_status(BACKEND));
    }
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
}

#[tokio::test]
async fn the_services_connection_is_kept_and_a_users_is_not() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    let (connections, binds) = (slapd.connections(), service_binds(&slapd));
    for _ in 0..LOGINS {
        assert_eq!(status(&host, "alice", "s3cre7").await, 200);
        assert_eq!(status(&host, "alice", "wrong").await, 401);
    }
    assert_eq!(service_binds(&slapd), binds, "the service is bound already");
    // One connection for each password that is tried, and none for the searches.
    assert_eq!(slapd.connections(), connections + 2 * LOGINS);
}

#[tokio::test]
async fn a_kept_connection_that_the_directory_has_closed_is_replaced() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    slapd.stop();
    assert_eq!(status(&host, "alice", "s3cre7").await, 503);
    slapd.start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    slapd.stop();
    slapd.start();
    assert_eq!(
        status(&host, "alice", "s3cre7").await,
        200,
        "as if nothing had been: {}",
        host.log().text()
    );
}

#[tokio::test]
async fn a_user_who_is_removed_is_not_found_any_more() {
    let slapd = Slapd::builder().start();
    let host = Corp::at(&slapd.plain()).start();
    assert_eq!(status(&host, "bob", "b0bs-s3cre7").await, 200);
    slapd.remove(&format!("uid=bob,{PEOPLE}"));
    assert_eq!(status(&host, "bob", "b0bs-s3cre7").await, 401);
}

fn service_binds(slapd: &Slapd) -> usize {
    slapd
        .log()
        .matches("BIND dn=\"cn=svc,dc=example,dc=org\" method=")
        .count()
}
