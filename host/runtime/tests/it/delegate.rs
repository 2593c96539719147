//! `delegate`: whom a plugin may ask, what it is told, and whom it may then name.

use std::time::{Duration, Instant};

use keyway_core::Secret;
use keyway_core::model::{Challenge, Found, Outcome, Refusal, Subject};
use keyway_core::port::{BackendFault, LookupKey, LookupRequest, Step};
use keyway_runtime::{BackendSpec, Grants, Limits};
use serde_json::json;

use crate::errand::{answer, error, host_of, hostile};
use crate::host::{ALICE, PASSWORD, TestHost, context};

/// A backend that may ask these.
fn asking(name: &str, others: &[&str]) -> BackendSpec {
    BackendSpec {
        grants: Grants {
            delegate: others.iter().map(ToString::to_string).collect(),
            ..Grants::default()
        },
        ..hostile(name)
    }
}

/// `hostile` may ask `other`, and nobody else.
async fn pair() -> TestHost {
    host_of([asking("hostile", &["other"]), hostile("other"), hostile("third")]).await
}

fn delegated(backend: &str, subject: &str) -> Subject {
    Subject::Delegated {
        backend: hostile(backend).name,
        subject: subject.to_owned(),
    }
}

/// With a secret that happens to be the password of the directory's user.
fn with_key(mut spec: BackendSpec) -> BackendSpec {
    spec.secrets.insert("key".to_owned(), Secret::from(PASSWORD));
    spec
}

async fn find(host: &TestHost, errand: &str) -> Result<Option<Found>, BackendFault> {
    let slot = host.slot("hostile");
    let request = LookupRequest {
        context: context(),
        key: LookupKey::Identifier(errand.to_owned()),
        deadline: Instant::now() + slot.deadline,
    };
    slot.backend.lookup(request).await
}

#[tokio::test]
async fn another_backend_decides_and_its_principal_is_named_as_its_own() {
    let host = pair().await;
    let alice = host.somebody("ask|other|alice").await;
    assert_eq!(alice.subject, delegated("other", "alice"));
    assert_eq!(alice.login, "alice");
    let wrong = host.login("hostile", "ask|other|alice", "wrong").await;
    assert_eq!(wrong, Ok(Outcome::Refused(Refusal::WrongCredential)));
    let unknown = host
        .login("hostile", &format!("ask|other|{}", "x".repeat(1_025)), PASSWORD)
        .await;
    assert_eq!(unknown, Ok(Outcome::Refused(Refusal::UnknownIdentifier)));
}

#[tokio::test]
async fn only_a_granted_backend_is_asked() {
    let host = pair().await;
    for name in ["third", "hostile", "absent", "*", ""] {
        let refused = error(&format!("NotGranted({:?})", format!("grants.delegate = [\"{name}\"]")));
        for errand in ["ask", "find", "find_subject"] {
            assert_eq!(host.run(&format!("{errand}|{name}|alice")).await, refused);
        }
        assert_eq!(host.run(&format!("list_users|{name}|9|*")).await, refused);
    }
    // A grant says whom a backend may ask, not who may ask it.
    let back = host.login("other", "ask|hostile|alice", PASSWORD).await;
    assert!(matches!(back, Ok(Outcome::Verified(errand)) if errand.attributes[0].1.contains("NotGranted")));
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_unknown() {
    let host = host_of([asking("hostile", &["absent"])]).await;
    assert_eq!(host.run("ask|absent|alice").await, error("Unknown"));
}

/// The host stands behind whom a backend names: nobody gets in as somebody of another backend that did not say so in this very call.
#[tokio::test]
async fn nobody_is_named_whom_the_other_backend_did_not_verify_in_this_call() {
    let host = pair().await;
    let is_broken = |named: &Result<Outcome, BackendFault>| matches!(named, Err(BackendFault::Broken(_)));
    let never = host.login("hostile", "name|other|alice", PASSWORD).await;
    assert!(is_broken(&never), "{never:?}");
    host.somebody("ask|other|alice").await;
    let later = host.login("hostile", "name|other|alice", PASSWORD).await;
    assert!(is_broken(&later), "{later:?}");
    // Who was found is not who logged in.
    let found = host.login("hostile", "find|other|alice", PASSWORD).await;
    assert!(is_broken(&found), "{found:?}");
    let absent = host.login("hostile", "name|absent|alice", PASSWORD).await;
    assert!(is_broken(&absent), "{absent:?}");
}

#[tokio::test]
async fn a_lookup_may_name_whom_the_other_backend_found() {
    let host = pair().await;
    for errand in ["find|other|alice", "find_subject|other|alice"] {
        let found = find(&host, errand).await;
        assert!(
            matches!(&found, Ok(Some(Found::Principal(alice))) if alice.subject == delegated("other", "alice") && alice.groups == ["looked_up"]),
            "{found:?}"
        );
    }
    let nobody = find(&host, "find|other|bob").await;
    assert_eq!(nobody, Ok(Some(Found::Refused(Refusal::UnknownIdentifier))));
    let never = find(&host, "name|other|alice").await;
    assert!(matches!(never, Err(BackendFault::Broken(_))), "{never:?}");
}

#[tokio::test]
async fn users_of_another_backend_are_listed() {
    let host = pair().await;
    assert_eq!(host.run("list_users|other|9|al*").await, answer("alice"));
    assert_eq!(host.run("list_users|other|9|b*").await, answer(""));
    assert_eq!(host.run("list_users|other|0|al*").await, answer(""));
    // The host asks for a thousand at most, and the other backend is held to that.
    assert_eq!(
        host.run("list_users|other|4000000000|many|1001").await,
        error("Unavailable")
    );
}

/// A secret of the operator's is not what anybody presented, whoever's password it is.
#[tokio::test]
async fn a_lookup_names_nobody_by_a_password_of_the_plugins_own() {
    let host = host_of([with_key(asking("hostile", &["other"])), hostile("other")]).await;
    let found = find(&host, "ask_with_key|other|alice").await;
    assert!(matches!(found, Err(BackendFault::Broken(_))), "{found:?}");
}

/// A chain of backends, each of which may ask the next one.
fn chain(length: usize) -> Vec<BackendSpec> {
    let name = |number: usize| match number {
        0 => "hostile".to_owned(),
        number => format!("b{number}"),
    };
    let one = |number| asking(&name(number), &[&name(number + 1)]);
    (0..length).map(one).collect()
}

#[tokio::test]
async fn questions_are_nested_four_deep() {
    let host = host_of(chain(6)).await;
    // Each passes on the subject that it was told, which is the last one's.
    let four = host.somebody("ask|b1|ask|b2|ask|b3|ask|b4|alice").await;
    assert_eq!(four.subject, delegated("b4", "alice"));
    let five = host
        .login("hostile", "ask|b1|ask|b2|ask|b3|ask|b4|ask|b5|alice", PASSWORD)
        .await;
    assert!(
        matches!(&five, Ok(Outcome::Verified(errand)) if errand.subject == delegated("b4", "errand") && errand.attributes[0].1 == "LimitReached"),
        "{five:?}"
    );
}

/// What a configuration's check would refuse, and an API may bring about all the same.
#[tokio::test]
async fn backends_that_ask_each_other_in_a_circle_come_to_an_end() {
    let circle = [
        asking("hostile", &["b1", "hostile"]),
        asking("b1", &["b2"]),
        asking("b2", &["hostile"]),
    ];
    let host = host_of(circle).await;
    assert_eq!(host.run("ask|hostile|alice").await, error("LimitReached"));
    let round = host.somebody("ask|b1|ask|b2|ask|hostile|alice").await;
    assert_eq!(round.subject, delegated("b2", "errand"));
    assert_eq!(round.attributes, [("error".to_owned(), "LimitReached".to_owned())]);
}

#[tokio::test]
async fn a_call_asks_as_often_as_it_may() {
    let mut spec = asking("hostile", &["other"]);
    spec.limits.delegations = 3;
    let host = host_of([spec, hostile("other")]).await;
    for errand in ["ask|other|alice", "list_users|other|1|zed"] {
        let three = host.somebody(&format!("repeat|3|{errand}")).await;
        assert!(three.attributes.iter().all(|(name, _)| name != "error"), "{three:?}");
        assert_eq!(host.run(&format!("repeat|4|{errand}")).await, error("LimitReached"));
    }
}

/// The other backend is as slow as it may be, and whoever asked it has time left to say so.
#[tokio::test]
async fn a_question_ends_with_the_other_backends_deadline_and_within_the_askers() {
    let quick = Duration::from_millis(300);
    let limited = |spec: BackendSpec, deadline| BackendSpec {
        limits: Limits {
            deadline,
            ..Limits::default()
        },
        ..spec
    };
    let longest = Duration::from_mins(1);
    let asker = limited(asking("hostile", &["quick", "slow"]), Duration::from_secs(2));
    let host = host_of([
        asker,
        limited(hostile("quick"), quick),
        limited(hostile("slow"), longest),
    ])
    .await;
    for backend in ["quick", "slow"] {
        let began = Instant::now();
        let told = host.run(&format!("ask|{backend}|slow=60000")).await;
        assert_eq!(told, error("Unavailable"), "{backend}");
        assert!(began.elapsed() < Duration::from_secs(10), "{backend}");
    }
    let after = host.login("hostile", "ask|quick|alice", PASSWORD).await;
    assert!(matches!(after, Ok(Outcome::Verified(_))), "{after:?}");
}

/// Its faults open its breaker, whoever asked it, and then it is not asked.
#[tokio::test]
async fn a_question_goes_through_the_other_backends_gate() {
    let other = BackendSpec {
        limits: Limits {
            breaker_faults: 2,
            breaker_cooldown: Duration::from_hours(1),
            ..Limits::default()
        },
        ..hostile("other")
    };
    let host = host_of([asking("hostile", &["other"]), other]).await;
    for _ in 0..2 {
        assert_eq!(host.run("ask|other|panic").await, error("Unavailable"));
    }
    assert_eq!(host.run("ask|other|alice").await, error("Unavailable"));
    let gate = host.slot("other").gate;
    let entered = gate.enter(Instant::now() + Duration::from_secs(1)).await;
    assert!(matches!(entered, Err(BackendFault::BreakerOpen { .. })), "{entered:?}");
    // The asker is well.
    let asker = host
        .slot("hostile")
        .gate
        .enter(Instant::now() + Duration::from_secs(1))
        .await;
    assert!(asker.is_ok());
}

async fn challenged(host: &TestHost, backend: &str) -> Challenge {
    let errand = "ask|other|challenge_state=20";
    match host.login(backend, errand, PASSWORD).await {
        Ok(Outcome::Challenged(challenge)) => challenge,
        other => panic!("{other:?}"),
    }
}

async fn answered(host: &TestHost, backend: &str, state: Vec<u8>) -> Result<Outcome, BackendFault> {
    let response = Secret::from(PASSWORD);
    host.step(backend, Step::Answer { state, response })
        .await
        .map(|answer| answer.outcome)
}

#[tokio::test]
async fn the_state_of_a_challenge_is_sealed_from_the_asker() {
    let host = host_of([
        asking("hostile", &["other"]),
        asking("third", &["other"]),
        hostile("other"),
    ])
    .await;
    let challenge = challenged(&host, "hostile").await;
    assert_eq!(challenge.prompt, "the code");
    // What the guest fills its state with is nowhere to be seen.
    assert!(!challenge.state.windows(3).any(|part| part == [0x5a; 3]));
    let right = answered(&host, "hostile", challenge.state.clone()).await;
    assert!(
        matches!(&right, Ok(Outcome::Verified(alice)) if alice.subject == delegated("other", "alice")),
        "{right:?}"
    );
    let expired = Ok(Outcome::Refused(Refusal::Expired));
    // Another asker can do nothing with it, nor can this one once it has touched it.
    assert_eq!(answered(&host, "third", challenge.state.clone()).await, expired);
    let mut altered = challenge.state.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(answered(&host, "hostile", altered).await, expired);
    let made_up = [b"other\n".as_slice(), &[0x5a; 20]].concat();
    assert_eq!(answered(&host, "hostile", made_up).await, expired);
}

/// A user of the host's directory whose password was matched for the other backend is that user here, too, and nobody who was only found is.
#[tokio::test]
async fn a_directory_user_of_another_backend_is_a_directory_user() {
    let host = host_of([asking("hostile", &["other"]), with_key(hostile("other"))]).await;
    let matched = host.somebody("ask|other|matches_own_secret").await;
    assert_eq!(matched.subject, Subject::Directory(ALICE));
    // The other backend did not say so: its answer is its fault.
    assert_eq!(host.run("ask|other|claims_directory_user").await, error("Unavailable"));
    let found = find(&host, "find|other|claims_directory_user").await;
    assert!(
        matches!(&found, Ok(Some(Found::Principal(alice))) if alice.subject == Subject::Found(ALICE)),
        "{found:?}"
    );
}

/// A fault that comes of another backend's is told from the asker's own: nobody takes the asker's plugin back for it.
#[tokio::test]
async fn a_fault_of_another_backend_is_its_own() {
    let other = BackendSpec {
        config: json!({ "verify": "unavailable" }),
        ..hostile("other")
    };
    let host = host_of([asking("hostile", &["other"]), other]).await;
    assert_eq!(host.run("ask|other|alice").await, error("Unavailable"));
    let faulty = host.login("hostile", "fail_after|other", PASSWORD).await;
    assert!(matches!(faulty, Err(BackendFault::Delegate(name)) if name.as_str() == "other"));
}
