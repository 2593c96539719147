//! Rules of the pool: who waits, for whom, and what a caller that goes away costs.

use std::task::Poll;

use super::*;

/// As slow as it takes for the callers below to arrive meanwhile.
const SLOW: PasswordParams = PasswordParams {
    memory_kib: 8,
    iterations: 20_000,
    parallelism: 1,
};

#[tokio::test]
async fn a_full_queue_is_saturated_and_a_caller_that_goes_away_makes_room_and_costs_nothing() {
    let pool = PasswordPool::for_tests(SLOW, 1, 1, Arc::new(Counter(AtomicU8::new(1)))).unwrap();
    let secret = "s3cre7".into();
    let mut busy = Box::pin(pool.hash(SHARE, &secret));
    let mut waiting = Box::pin(pool.hash(SHARE, &secret));
    assert!(poll_once(&mut busy).await.is_none());
    assert!(poll_once(&mut waiting).await.is_none());
    assert_eq!(pool.hash(SHARE, &secret).await.err(), Some(PasswordError::Saturated));
    drop(waiting);
    let mut next = Box::pin(pool.hash(SHARE, &secret));
    assert!(
        poll_once(&mut next).await.is_none(),
        "it waits in the place of the one that went"
    );
    assert!(busy.await.is_ok());
    assert!(next.await.is_ok());
    assert_eq!(pool.computed(), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_while_it_waits_costs_nothing() {
    let pool = PasswordPool::for_tests(SLOW, 1, 8, Arc::new(Counter(AtomicU8::new(1)))).unwrap();
    let secret = "s3cre7".into();
    let mut busy = Box::pin(pool.hash(SHARE, &secret));
    let mut gone = Box::pin(pool.hash(SHARE, &secret));
    assert!(poll_once(&mut busy).await.is_none());
    assert!(poll_once(&mut gone).await.is_none());
    drop(gone);
    let last = pool.hash(SHARE, &secret);
    assert!(busy.await.is_ok());
    assert!(last.await.is_ok());
    assert_eq!(pool.computed(), 2);
}

#[tokio::test]
async fn a_share_with_a_full_queue_fills_nobody_elses() {
    let pool = PasswordPool::for_tests(SLOW, 1, 1, Arc::new(Counter(AtomicU8::new(1)))).unwrap();
    let (flood, honest) = (
        Share::Unjudged,
        Share::Backend(BackendName::parse("wazo_user").unwrap()),
    );
    let secret = "s3cre7".into();
    let mut first = Box::pin(pool.burn(&flood, &secret));
    let mut second = Box::pin(pool.burn(&flood, &secret));
    assert!(poll_once(&mut first).await.is_none());
    assert!(poll_once(&mut second).await.is_none());
    assert_eq!(pool.burn(&flood, &secret).await, Err(PasswordError::Saturated));
    assert_eq!(pool.burn(&honest, &secret).await, Ok(()));
}

/// The order in which the calls end is that of the queue, for one thread serves it.
#[tokio::test]
async fn backends_under_load_are_served_in_turn() {
    let pool = Arc::new(PasswordPool::for_tests(SLOW, 1, 64, Arc::new(Counter(AtomicU8::new(1)))).unwrap());
    let ended = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut calls = tokio::task::JoinSet::new();
    let shares = [("hostile", 12), ("honest", 3)].map(|(name, calls)| (BackendName::parse(name).unwrap(), calls));
    for (name, amount) in shares {
        for _ in 0..amount {
            let (pool, ended, name) = (Arc::clone(&pool), Arc::clone(&ended), name.clone());
            calls.spawn(async move {
                let share = Share::Backend(name.clone());
                pool.burn(&share, &"s3cre7".into()).await.unwrap();
                ended.lock().unwrap().push(name.to_string());
            });
        }
    }
    calls.join_all().await;
    let ended = ended.lock().unwrap();
    let last = ended.iter().rposition(|name| name == "honest").unwrap();
    assert!(last < 8, "the last of three honest calls came in as number {last}");
}

#[tokio::test]
async fn memory_is_kept_between_computations_and_given_back_by_an_idle_pool() {
    let pool = pool_of(CHEAP);
    let verifier = pool.hash(SHARE, &"s3cre7".into()).await.unwrap();
    assert_eq!(pool.held_kib(), 8);
    // An imported verifier that needs more does not make the pool larger for longer than its own computation.
    let large = verifier.expose().replace("m=8", "m=64");
    pool.verify_stored(SHARE, &"s3cre7".into(), Some(&stored(&large)))
        .await
        .unwrap();
    pool.verify_stored(SHARE, &"s3cre7".into(), None).await.unwrap();
    assert_eq!(pool.held_kib(), 8);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while pool.held_kib() > 0 && std::time::Instant::now() < patience {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(pool.held_kib(), 0);
}

/// Polls once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
