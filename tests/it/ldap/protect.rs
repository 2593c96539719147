//! TLS to the directory: the ways to it, and the certificates that are not accepted.

use keyway_tests::TestHost;
use keyway_tests::slapd::{Flaw, Slapd};

use super::corp::{Corp, status};

/// Logs in, which must be answered 503, and returns what the log says of the endpoint.
async fn failure(host: &TestHost) -> String {
    let mark = host.log().mark();
    assert_eq!(status(host, "alice", "s3cre7").await, 503);
    let line = host.log().wait_for_message(mark, "an endpoint failed");
    line.to_string()
}

#[tokio::test]
async fn a_directory_is_asked_over_tls_from_the_first_byte_or_later() {
    let slapd = Slapd::shared();
    for (how, corp) in [
        ("plain", Corp::at(&slapd.plain())),
        ("TLS", Corp::over_tls(slapd)),
        ("StartTLS", Corp::over_starttls(slapd)),
    ] {
        let host = corp.start();
        assert_eq!(status(&host, "alice", "s3cre7").await, 200, "{how}");
        assert_eq!(status(&host, "bob", "b0bs-s3cre7").await, 200, "{how}, once more");
        assert_eq!(status(&host, "alice", "wrong").await, 401, "{how}");
    }
    let log = slapd.log();
    assert!(log.contains("TLS established"), "{log}");
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_503_and_the_log_says_why() {
    for (flaw, reason) in [
        (Flaw::WrongName, "of another name"),
        (Flaw::Expired, "has expired"),
        (Flaw::ForeignAuthority, "of no authority that is trusted"),
    ] {
        let slapd = Slapd::builder().certificate(flaw).start();
        for corp in [Corp::over_tls(&slapd), Corp::over_starttls(&slapd)] {
            let host = corp.start();
            let line = failure(&host).await;
            assert!(line.contains(reason), "{flaw:?}: {line}");
            let row = host.plugin_status("ldap_corp");
            assert_eq!(row["state"], "degraded", "{row}");
        }
        let log = slapd.log();
        assert!(!log.contains(" BIND "), "no password went out: {log}");
    }
}

#[tokio::test]
async fn another_name_can_be_expected_of_a_certificate() {
    let slapd = Slapd::builder().certificate(Flaw::WrongName).start();
    let host = Corp::over_tls(&slapd)
        .endpoint("server_name = \"ldap.example.net\"")
        .start();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
}

#[tokio::test]
async fn a_directory_that_demands_a_certificate_gets_it() {
    let slapd = Slapd::builder().demand_client_certificate().start();
    let client = slapd.client().clone();
    let with = Corp::over_tls(&slapd)
        .endpoint("cert = \"client.pem\"")
        .endpoint("key = \"client.key\"")
        .file("client.pem", client.certificate)
        .file("client.key", client.key)
        .start();
    assert_eq!(status(&with, "alice", "s3cre7").await, 200);
    let without = Corp::over_tls(&slapd).start();
    failure(&without).await;
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_503_and_the_log_says_so() {
    let slapd = Slapd::shared();
    let host = Corp::over_tls(slapd).servers(&[&slapd.plain()]).start();
    let line = failure(&host).await;
    assert!(line.contains("TLS"), "{line}");
}
