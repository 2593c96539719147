//! What a bad plugin can do to others: nothing. Each attack has its asserted outcome, and each runs while another backend keeps answering.

use keyway_tests::{TestHost, artefact, variant};
use serde_json::json;

const LIMITS: &str = "{ deadline = \"1s\", memory = \"32MiB\", concurrency = 4, queue = 4 }";

/// The breaker is off here, so that each case meets the plugin and not the breaker that the case before it opened.
fn host() -> TestHost {
    let limits = LIMITS.replace(" }", ", breaker_faults = 0 }");
    let backend =
        format!("name = \"hostile\"\nplugin = \"hostile\"\nlimits = {limits}\nsecrets.key = {{ file = \"key.txt\" }}");
    TestHost::builder()
        .plugin("hostile", artefact("hostile"))
        .file("key.txt", b"a configured secret")
        .backend(&backend)
        .user("alice", "s3cre7")
        .start()
}

/// An attack: what the caller gets, and what the operator's log says.
async fn attack(host: &TestHost, identifier: &str, status: u16, reason: &str) {
    let mark = host.log().mark();
    let (wazo, neighbour) = (host.wazo(), host.wazo());
    let (attacked, served) = tokio::join!(
        wazo.login(identifier, "s3cre7", json!({"backend": "hostile"})),
        neighbour.login("alice", "s3cre7", json!({"backend": "wazo_user"})),
    );
    assert_eq!(attacked.status, status, "{identifier}: {attacked:?}");
    assert_eq!(served.status, 200, "another backend during {identifier}: {served:?}");
    if status == 503 {
        assert!(
            attacked.headers.contains_key("retry-after"),
            "{identifier}: {attacked:?}"
        );
        let outer = json!(["Service Unavailable"]);
        assert_eq!(
            attacked.body["reason"], outer,
            "{identifier}: the reason is for the log"
        );
    }
    host.log()
        .wait_for(mark, &format!("`{reason}` after {identifier}"), |line| {
            line.to_string().contains(reason).then_some(())
        });
    let after = host
        .wazo()
        .login("alice", "s3cre7", json!({"backend": "hostile"}))
        .await;
    assert_eq!(after.status, 200, "the same backend after {identifier}: {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attack_has_its_outcome_and_harms_nobody_else() {
    let host = host();
    for (identifier, status, reason) in [
        ("endless_loop", 503, "did not answer within"),
        ("endless_calls", 503, "did not answer within"),
        ("slow=60000", 503, "did not answer within"),
        ("memory_bomb", 503, ""),
        ("stack_overflow", 503, "stack"),
        ("panic", 503, "as requested"),
        ("exit", 503, "exit"),
        ("log_flood=1000", 200, "logged more than it may"),
        ("log_flood", 503, "flood"),
        ("log_huge=500000", 200, "huge"),
        ("log_huge=16000000", 503, "limit"),
        ("stderr_flood=500", 200, ""),
        ("stderr_flood=10000000", 503, ""),
        ("handle_flood", 503, ""),
        ("lookup_flood", 503, ""),
        ("comparison_flood", 503, ""),
        ("costly_verifier", 503, ""),
        ("huge_answer=16000000", 503, "limit"),
        ("bad_utf8", 503, ""),
        ("empty_subject", 503, "subject"),
        ("challenge_state", 503, "limit"),
        ("claims_directory_user", 503, "directory"),
        ("expose_without_grant", 503, "credential.expose"),
        ("unavailable", 503, "as requested"),
        ("ugly_fault=2000", 503, "first line"),
        ("ugly_fault=4000000", 503, "limit"),
    ] {
        attack(&host, identifier, status, reason).await;
    }
    let log = host.log().text();
    let longest = log.lines().map(str::len).max().unwrap_or(0);
    assert!(longest < 64 * 1024, "a log line of {longest} bytes");
    assert!(!log.contains('\u{1b}'), "a control character reached the log");
    assert!(
        log.lines().filter(|line| line.contains("\"flood\"")).count() <= 200,
        "a flood reached the log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saturated_backend_is_503_and_its_neighbour_is_not() {
    let host = host();
    let mut slow = Vec::new();
    for _ in 0..24 {
        let wazo = host.wazo();
        slow.push(tokio::spawn(async move {
            wazo.login("slow=60000", "s3cre7", json!({"backend": "hostile"})).await
        }));
    }
    for _ in 0..5 {
        let served = host
            .wazo()
            .login("alice", "s3cre7", json!({"backend": "wazo_user"}))
            .await;
        assert_eq!(served.status, 200);
    }
    for answer in slow {
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    assert!(host.log().text().contains("saturated"), "more calls than places");
}

#[tokio::test]
async fn the_breaker_answers_at_once_for_a_backend_that_is_down() {
    let limits = "{ deadline = \"2s\", breaker_faults = 3, breaker_cooldown = \"60s\" }";
    let host = TestHost::builder().hostile(limits).user("alice", "s3cre7").start();
    for _ in 0..4 {
        let answer = host
            .wazo()
            .login("unavailable", "s3cre7", json!({"backend": "hostile"}))
            .await;
        assert_eq!(answer.status, 503);
    }
    let answer = host
        .wazo()
        .login("alice", "s3cre7", json!({"backend": "hostile"}))
        .await;
    assert_eq!(answer.status, 503, "the breaker is open");
    assert!(host.log().text().contains("circuit breaker is open"));
    let seconds: u64 = answer.headers["retry-after"]
        .to_str()
        .expect("text")
        .parse()
        .expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(
        host.wazo()
            .login("alice", "s3cre7", json!({"backend": "wazo_user"}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_plugin_that_hangs_while_it_is_loaded_is_refused() {
    for when in ["configure", "health"] {
        let config = format!("{{ {when} = \"endless_loop\" }}");
        let backend = format!("name = \"hostile\"\nplugin = \"hostile\"\nlimits = {LIMITS}\nconfig = {config}");
        let host = TestHost::builder()
            .plugin("hostile", artefact("hostile"))
            .backend(&backend)
            .user("alice", "s3cre7")
            .start();
        let row = host.plugin_status("hostile");
        assert_eq!(row["state"], "degraded", "{when}: {row}");
        assert!(
            row["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
            "{when}: {row}"
        );
        assert_eq!(
            host.wazo()
                .login("alice", "s3cre7", json!({"backend": "wazo_user"}))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn a_plugin_that_breaks_once_live_is_swapped_back() {
    let host = TestHost::builder().hostile("{ breaker_faults = 0 }").start();
    let good = host.plugin_status("hostile");
    let login = async |identifier: &str| {
        host.wazo()
            .login(identifier, "s3cre7", json!({"backend": "hostile"}))
            .await
            .status
    };
    for _ in 0..3 {
        assert_eq!(login("alice").await, 200);
    }
    let mark = host.log().mark();
    host.install("hostile", &variant(&artefact("hostile")));
    host.log().wait_for_message(mark, "a generation is live");
    for _ in 0..10 {
        login("panic").await;
    }
    let row = host.plugin_status("hostile");
    assert_eq!(
        (&row["state"], &row["digest"]),
        (&json!("quarantined"), &good["digest"]),
        "{row}"
    );
    assert_eq!(login("alice").await, 200);
}
