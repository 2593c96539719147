//! Rules of the gate, on tokio's stopped clock.

use tokio::time::advance;

use super::*;

fn gate(concurrency: u32, queue: u32) -> Arc<Gate> {
    Arc::new(Gate::new(GateLimits {
        concurrency,
        queue,
        breaker_faults: 3,
        breaker_cooldown: Duration::from_secs(5),
    }))
}

fn in_a_second() -> Instant {
    now() + Duration::from_secs(1)
}

fn unavailable() -> BackendFault {
    BackendFault::Unavailable("no answer".to_owned())
}

/// A caller in a task of its own, which has come as far as it gets.
async fn caller(gate: &Arc<Gate>) -> tokio::task::JoinHandle<Result<Pass, BackendFault>> {
    let gate = Arc::clone(gate);
    let task = tokio::spawn(async move { gate.enter(in_a_second()).await });
    tokio::task::yield_now().await;
    task
}

async fn fail(gate: &Gate, times: u32) {
    for _ in 0..times {
        gate.enter(in_a_second()).await.unwrap().settle(Some(&unavailable()));
    }
}

fn is_open(result: &Result<Pass, BackendFault>) -> bool {
    matches!(result, Err(BackendFault::BreakerOpen { .. }))
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_a_place_in_their_order() {
    let gate = gate(1, 2);
    let first = gate.enter(in_a_second()).await.unwrap();
    let (second, third) = (caller(&gate).await, caller(&gate).await);
    assert!(!second.is_finished());
    first.settle(None);
    let pass = second.await.unwrap().unwrap();
    tokio::task::yield_now().await;
    assert!(!third.is_finished());
    drop(pass);
    assert!(third.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_saturated() {
    let gate = gate(1, 1);
    let _pass = gate.enter(in_a_second()).await.unwrap();
    let _waiting = caller(&gate).await;
    assert_eq!(gate.enter(in_a_second()).await.err(), Some(BackendFault::Saturated));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_has_gone_away_makes_room_in_the_queue() {
    let gate = gate(1, 1);
    let pass = gate.enter(in_a_second()).await.unwrap();
    let gone = caller(&gate).await;
    gone.abort();
    assert!(gone.await.is_err());
    let next = caller(&gate).await;
    drop(pass);
    assert!(next.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_place_given_to_a_caller_that_goes_away_is_not_lost() {
    let gate = gate(1, 4);
    let pass = gate.enter(in_a_second()).await.unwrap();
    let gone = caller(&gate).await;
    drop(pass);
    // The place is on its way, and nobody takes it.
    gone.abort();
    drop(gone.await);
    assert!(gate.enter(in_a_second()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_deadline() {
    let gate = gate(1, 1);
    let _pass = gate.enter(in_a_second()).await.unwrap();
    let refused = gate.enter(in_a_second()).await.err();
    assert!(matches!(refused, Some(BackendFault::DeadlineExceeded(waited)) if waited >= Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn higher_limits_let_waiting_callers_in_and_lower_ones_disturb_nobody() {
    let gate = gate(1, 2);
    let limits = |concurrency| GateLimits {
        concurrency,
        queue: 0,
        ..GateLimits::default()
    };
    let _first = gate.enter(in_a_second()).await.unwrap();
    let second = caller(&gate).await;
    gate.set_limits(limits(2));
    let second = second.await.unwrap().unwrap();
    gate.set_limits(limits(1));
    drop(second);
    assert_eq!(gate.enter(in_a_second()).await.err(), Some(BackendFault::Saturated));
}

#[tokio::test(start_paused = true)]
async fn faults_in_a_row_open_the_breaker() {
    let gate = gate(8, 8);
    fail(&gate, 2).await;
    gate.enter(in_a_second()).await.unwrap().settle(None);
    fail(&gate, 2).await;
    assert!(
        gate.enter(in_a_second()).await.is_ok(),
        "a success in between starts the count anew"
    );
    fail(&gate, 1).await;
    advance(Duration::from_secs(2)).await;
    let refused = gate.enter(in_a_second()).await.err();
    let expected = BackendFault::BreakerOpen {
        faults: 3,
        retry_after: Duration::from_secs(3),
    };
    assert_eq!(refused, Some(expected));
}

#[tokio::test(start_paused = true)]
async fn one_call_decides_after_the_cooldown() {
    let gate = gate(8, 8);
    fail(&gate, 3).await;
    advance(Duration::from_secs(5)).await;
    let probe = gate.enter(in_a_second()).await.unwrap();
    assert!(is_open(&gate.enter(in_a_second()).await), "others wait for its outcome");
    probe.settle(Some(&unavailable()));
    assert!(is_open(&gate.enter(in_a_second()).await));
    advance(Duration::from_secs(5)).await;
    gate.enter(in_a_second()).await.unwrap().settle(None);
    assert!(gate.enter(in_a_second()).await.is_ok());
    assert!(gate.enter(in_a_second()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_deciding_call_that_goes_away_leaves_the_decision_to_the_next() {
    let gate = gate(8, 8);
    fail(&gate, 3).await;
    advance(Duration::from_secs(5)).await;
    drop(gate.enter(in_a_second()).await.unwrap());
    assert!(gate.enter(in_a_second()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_the_breaker_opened_does_not_close_it() {
    let gate = gate(8, 8);
    let early = gate.enter(in_a_second()).await.unwrap();
    fail(&gate, 3).await;
    early.settle(None);
    assert!(is_open(&gate.enter(in_a_second()).await));
}

#[tokio::test(start_paused = true)]
async fn waiting_callers_are_told_when_the_breaker_opens() {
    let gate = gate(1, 8);
    fail(&gate, 2).await;
    let last = gate.enter(in_a_second()).await.unwrap();
    let waiting = caller(&gate).await;
    last.settle(Some(&unavailable()));
    assert!(is_open(&waiting.await.unwrap()));
    advance(Duration::from_secs(5)).await;
    assert!(gate.enter(in_a_second()).await.is_ok(), "its place came back");
}

#[tokio::test(start_paused = true)]
async fn only_faults_of_the_backend_count() {
    let say_nothing = [
        BackendFault::Misconfigured("x".to_owned()),
        BackendFault::NotLoaded,
        BackendFault::Saturated,
    ];
    for fault in say_nothing {
        let gate = gate(8, 8);
        for _ in 0..10 {
            gate.enter(in_a_second()).await.unwrap().settle(Some(&fault));
        }
        assert!(gate.enter(in_a_second()).await.is_ok(), "{fault:?}");
    }
    let count = [
        unavailable(),
        BackendFault::Internal("x".to_owned()),
        BackendFault::Broken("x".to_owned()),
        BackendFault::LimitExceeded("memory".to_owned()),
        BackendFault::DeadlineExceeded(Duration::ZERO),
    ];
    for fault in count {
        let gate = gate(8, 8);
        for _ in 0..3 {
            gate.enter(in_a_second()).await.unwrap().settle(Some(&fault));
        }
        assert!(is_open(&gate.enter(in_a_second()).await), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_breaker_where_none_is_wanted() {
    let gate = gate(8, 8);
    fail(&gate, 3).await;
    gate.set_limits(GateLimits {
        breaker_faults: 0,
        ..GateLimits::default()
    });
    fail(&gate, 100).await;
    assert!(gate.enter(in_a_second()).await.is_ok());
}
