//! TLS to the directory: the ways to it, and the certificates that are not accepted.

use keyway_tests::TestHost;
use keyway_tests::slapd::{Flaw, Slapd};

use super::corp::{BACKEND, Corp, start_all, status, status_through};

/// Logs in, which must be answered 503, and returns what the log says of the endpoint.
async fn failure(host: &TestHost, backend: &str) -> String {
    let mark = host.log().mark();
    assert_eq!(status_through(host, backend, "alice", "s3cre7").await, 503);
    host.log().wait_for(mark, "a failed endpoint", |line| {
        let line = line.to_string();
        let is_it = line.contains("an endpoint failed") && line.contains(&format!("\"{backend}\""));
        is_it.then_some(line)
    })
}

#[tokio::test]
async fn a_directory_is_asked_over_tls_from_the_first_byte_or_later() {
    let slapd = Slapd::shared();
    let host = start_all([
        ("plain".to_owned(), Corp::at(&slapd.plain())),
        ("tls".to_owned(), Corp::over_tls(slapd)),
        ("starttls".to_owned(), Corp::over_starttls(slapd)),
    ]);
    for how in ["plain", "tls", "starttls"] {
        assert_eq!(status_through(&host, how, "alice", "s3cre7").await, 200, "{how}");
        assert_eq!(
            status_through(&host, how, "bob", "b0bs-s3cre7").await,
            200,
            "{how}, again"
        );
        assert_eq!(status_through(&host, how, "alice", "wrong").await, 401, "{how}");
    }
    let log = slapd.log();
    assert!(log.contains("TLS established") && log.contains("STARTTLS"), "{log}");
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_503_and_the_log_says_why() {
    let flaws = [
        ("wrong_name", Flaw::WrongName, "of another name"),
        ("expired", Flaw::Expired, "has expired"),
        ("foreign", Flaw::ForeignAuthority, "of no authority that is trusted"),
    ]
    .map(|(name, flaw, reason)| (name, Slapd::builder().certificate(flaw).start(), reason));
    let host = start_all(flaws.iter().flat_map(|(name, slapd, _)| {
        [
            (format!("{name}_tls"), Corp::over_tls(slapd)),
            (format!("{name}_starttls"), Corp::over_starttls(slapd)),
        ]
    }));
    for (name, slapd, reason) in &flaws {
        for how in ["tls", "starttls"] {
            let backend = format!("{name}_{how}");
            let line = failure(&host, &backend).await;
            assert!(line.contains(reason), "{backend}: {line}");
            let row = host.plugin_status(&backend);
            assert_eq!(row["state"], "degraded", "{row}");
        }
        let log = slapd.log();
        assert!(!log.contains(" BIND "), "no password went out: {log}");
    }
}

#[tokio::test]
async fn another_name_can_be_expected_of_a_certificate() {
    let slapd = Slapd::builder().certificate(Flaw::WrongName).start();
    let corp = Corp::over_tls(&slapd).endpoint("server_name = \"ldap.example.net\"");
    assert_eq!(status(&corp.start(), "alice", "s3cre7").await, 200);
}

#[tokio::test]
async fn a_directory_that_demands_a_certificate_gets_it() {
    let slapd = Slapd::builder().demand_client_certificate().start();
    let client = slapd.client().clone();
    let with = Corp::over_tls(&slapd)
        .endpoint_file("cert", client.certificate)
        .endpoint_file("key", client.key);
    let host = start_all([
        ("with".to_owned(), with),
        ("without".to_owned(), Corp::over_tls(&slapd)),
    ]);
    assert_eq!(status_through(&host, "with", "alice", "s3cre7").await, 200);
    failure(&host, "without").await;
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_503_and_the_log_says_so() {
    let slapd = Slapd::shared();
    let host = Corp::over_tls(slapd).servers(&[&slapd.plain()]).start();
    let line = failure(&host, BACKEND).await;
    assert!(line.contains("TLS"), "{line}");
}
