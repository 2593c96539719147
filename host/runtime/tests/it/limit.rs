//! Each limit, with a plugin that goes over it. Afterwards the same backend must serve, which shows that nothing was left behind.

use std::time::{Duration, Instant};

use keyway_core::Secret;
use keyway_core::model::{Outcome, Principal, Refusal, Subject};
use keyway_core::port::{BackendFault, Step};
use keyway_runtime::{BackendSpec, Limits};

use crate::host::{PASSWORD, TestHost, spec};

fn hostile() -> BackendSpec {
    let mut spec = spec("hostile");
    spec.secrets.insert("key".to_owned(), Secret::from("a key"));
    spec.limits = Limits {
        deadline: Duration::from_millis(400),
        memory: 16 << 20,
        ..Limits::default()
    };
    spec
}

async fn host_of(spec: BackendSpec) -> TestHost {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    let status = host.desire(spec).await;
    assert_eq!(status.reason, None);
    host
}

async fn check(misdeed: &str, expected: impl Fn(&Result<Outcome, BackendFault>) -> bool) {
    let host = host_of(hostile()).await;
    let result = host.login("hostile", misdeed, PASSWORD).await;
    assert!(expected(&result), "{misdeed}: {result:?}");
    let after = host.login("hostile", "alice", PASSWORD).await;
    assert!(matches!(after, Ok(Outcome::Verified(_))), "after {misdeed}: {after:?}");
}

fn exceeds(limit: &str) -> impl Fn(&Result<Outcome, BackendFault>) -> bool {
    move |result| matches!(result, Err(BackendFault::LimitExceeded(found)) if found == limit)
}

fn is_broken(result: &Result<Outcome, BackendFault>) -> bool {
    matches!(result, Err(BackendFault::Broken(_)))
}

fn is_late(result: &Result<Outcome, BackendFault>) -> bool {
    matches!(result, Err(BackendFault::DeadlineExceeded(_)))
}

fn is_verified(result: &Result<Outcome, BackendFault>) -> bool {
    matches!(result, Ok(Outcome::Verified(_)))
}

#[tokio::test]
async fn what_does_not_end_is_ended_at_the_deadline() {
    for misdeed in ["endless_loop", "endless_calls", "memory_bomb", "slow=60000"] {
        let began = Instant::now();
        check(misdeed, is_late).await;
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{misdeed} took {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_endless_loops_leave_the_processor_to_others() {
    let host = host_of(BackendSpec {
        limits: Limits {
            deadline: Duration::from_secs(3),
            ..hostile().limits
        },
        ..hostile()
    })
    .await;
    let loops = futures::future::join_all((0..8).map(|_| host.login("hostile", "endless_loop", PASSWORD)));
    let others = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        for _ in 0..5 {
            let answer = host.login("hostile", "alice", PASSWORD).await;
            assert!(is_verified(&answer), "{answer:?}");
        }
        began.elapsed()
    };
    let (loops, others) = tokio::join!(loops, others);
    assert!(loops.iter().all(is_late));
    assert!(others < Duration::from_secs(1), "five logins took {others:?}");
}

#[tokio::test]
async fn a_trap_is_a_fault_of_the_plugin() {
    for misdeed in ["panic", "exit=3", "bad_utf8", "empty_subject", "claims_directory_user"] {
        check(misdeed, is_broken).await;
    }
    check("stack_overflow", exceeds("stack")).await;
}

#[tokio::test]
async fn a_limit_that_is_hit_is_named() {
    check("handle_flood=1000000", exceeds("handles")).await;
    check("huge_answer=100000", exceeds("answer size")).await;
    check("huge_answer=8000000", exceeds("answer size")).await;
    check("challenge_state=8193", exceeds("answer size")).await;
    check("log_huge=3000000", exceeds("host-call bytes")).await;
}

#[tokio::test]
async fn memory_that_is_refused_is_not_there() {
    check("memory_probe", |result| {
        let Ok(Outcome::Verified(Principal { attributes, .. })) = result else {
            return false;
        };
        let bytes: u64 = attributes[0].1.parse().unwrap();
        (8 << 20..16 << 20).contains(&bytes)
    })
    .await;
}

#[tokio::test]
async fn what_is_only_cut_or_dropped_does_not_fail_the_login() {
    for misdeed in ["log_flood=500", "log_huge=100000", "stderr_flood=2000"] {
        check(misdeed, is_verified).await;
    }
}

#[tokio::test]
async fn look_ups_and_comparisons_are_counted() {
    // The SDK makes a fault of the host's `limit-reached`.
    for misdeed in ["lookup_flood=33", "comparison_flood=9", "digest_flood=9"] {
        check(misdeed, Result::is_err).await;
    }
    for misdeed in ["lookup_flood=32", "comparison_flood=7", "digest_flood=7"] {
        check(misdeed, is_verified).await;
    }
}

/// Each look counts for a KiB and the secret's bytes, against the MiB that a call may hand to the host.
#[tokio::test]
async fn looks_at_a_secret_are_counted() {
    let host = TestHost::start().await;
    host.install_built("wants_expose", "wants_expose");
    let mut spec = spec("wants_expose");
    spec.grants.credential_expose = true;
    assert_eq!(host.desire(spec).await.reason, None);
    for (looks, expected) in [
        ("again=900", is_verified as fn(&_) -> bool),
        ("again=1100", |result| exceeds("host-call bytes")(result)),
        ("again=100000000", |result| exceeds("host-call bytes")(result)),
    ] {
        let result = host.login("wants_expose", looks, PASSWORD).await;
        assert!(expected(&result), "{looks}: {result:?}");
    }
}

#[tokio::test]
async fn a_guests_message_cannot_forge_log_lines() {
    check("ugly_fault=100000", |result| {
        let Err(BackendFault::Internal(message)) = result else {
            return false;
        };
        message.len() < 2048 && !message.chars().any(char::is_control)
    })
    .await;
}

#[tokio::test]
async fn the_answer_to_a_challenge_reaches_the_plugin_with_its_state() {
    let host = host_of(hostile()).await;
    let challenged = host.login("hostile", "challenge_state=8192", PASSWORD).await;
    let Ok(Outcome::Challenged(challenge)) = challenged else {
        panic!("{challenged:?}");
    };
    let answer = |state: Vec<u8>| Step::Answer {
        state,
        response: Secret::from("123456"),
    };
    let answered = host.step("hostile", answer(challenge.state.clone())).await.unwrap();
    assert!(matches!(
        answered.outcome,
        Outcome::Verified(Principal { subject: Subject::Own(name), .. }) if name == "alice"
    ));

    // The same after a swap: the generation that asked is the one that is told.
    let mut changed = hostile();
    changed.config = serde_json::json!({ "verify": "panic" });
    assert_eq!(host.desire(changed).await.generation, 2);
    let after_swap = host.step("hostile", answer(challenge.state)).await.unwrap();
    assert_eq!(after_swap.plugin.generation, 1);

    let stranger = host.step("hostile", answer(vec![0; 64])).await.unwrap();
    assert_eq!(stranger.outcome, Outcome::Refused(Refusal::Expired));
}
