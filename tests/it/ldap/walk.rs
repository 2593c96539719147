//! `keyway plugin test` walks a login step by step and says where it ended.

use keyway_tests::TestHost;
use keyway_tests::slapd::{Flaw, Slapd};

use super::corp::{Corp, start_all};

/// The steps of a login, and what the command said in the end.
fn walk(host: &TestHost, backend: &str, login: &str, password: &str) -> (Vec<String>, i32, String) {
    let plugin = host.plugin_path("ldap.wasm");
    let file = plugin.to_str().expect("a path of text");
    let mut arguments = vec!["plugin", "test", file, "--backend", backend, "--login", login];
    arguments.extend(["--password-stdin", "--json"]);
    let ended = host.keyway_with_input(&arguments, password);
    let whole = ended.json();
    let steps = whole["steps"].as_array().unwrap_or_else(|| panic!("no steps: {whole}"));
    let name = |step: &serde_json::Value| step["step"].as_str().unwrap_or_default().to_owned();
    let names = steps.iter().map(name).collect();
    for output in [&ended.stdout, &ended.stderr] {
        assert!(!output.contains(password), "the password is shown: {output}");
    }
    (names, ended.status, ended.stderr)
}

#[test]
fn a_walk_ends_where_the_login_does() {
    let slapd = Slapd::shared();
    let foreign = Slapd::builder().certificate(Flaw::ForeignAuthority).start();
    let host = start_all([
        ("corp".to_owned(), Corp::over_tls(slapd)),
        ("untrusted".to_owned(), Corp::over_tls(&foreign)),
        (
            "misled".to_owned(),
            Corp::over_tls(slapd).service_password("another-0ne"),
        ),
        ("direct".to_owned(), Corp::directly(&slapd.plain())),
    ]);
    let (steps, status, _) = walk(&host, "corp", "alice", "s3cre7");
    assert_eq!(status, 0);
    assert!(
        in_order(
            &steps,
            &[
                "resolved",
                "connected",
                "TLS",
                "bind service",
                "search",
                "bind user",
                "groups",
                "identity"
            ]
        ),
        "{steps:?}"
    );
    for (backend, login, password, last, said) in [
        ("corp", "alice", "n0t-hers", "bind user", "refused"),
        ("corp", "nobody", "wh0-ever", "bind user", "refused"),
        ("corp", "locked", "s3cre7", "bind user", "refused: "),
        ("untrusted", "alice", "s3cre7", "failed", "TLS"),
        ("misled", "alice", "s3cre7", "TLS", "service account"),
        ("direct", "alice", "n0t-hers", "bind user", "refused"),
    ] {
        let (steps, status, complaint) = walk(&host, backend, login, password);
        assert_eq!(status, 1, "{backend}, {login}: {steps:?}");
        assert_eq!(
            steps.last().map(String::as_str),
            Some(last),
            "{backend}, {login}: {steps:?}, {complaint}"
        );
        assert!(complaint.contains(said), "{backend}, {login}: {complaint}");
    }
}

/// Whether these steps come in this order, whatever stands between them.
fn in_order(steps: &[String], expected: &[&str]) -> bool {
    let mut steps = steps.iter();
    expected.iter().all(|wanted| steps.any(|step| step == wanted))
}
