//! What the service does by itself: sweeping, and following the other nodes.

use super::*;

/// Runs the service beside the test, and lets it take in what was announced.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn run(house: &House) -> tokio::task::JoinHandle<()> {
    let service = Arc::clone(&house.service);
    tokio::spawn(async move { service.run().await })
}

#[tokio::test(start_paused = true)]
async fn revocations_of_other_nodes_reach_the_cache() {
    let house = House::new().await;
    let (one, two) = (house.token().await, house.token().await);
    // Announced before anybody listens: the service subscribed when it was composed.
    house
        .store
        .announce(Change::TokensRevoked(vec![one.live.record.token.digest]));
    let task = run(&house);
    settle().await;
    assert!(!house.is_cached(&one.value).await);
    assert!(house.is_cached(&two.value).await);
    house.store.announce(Change::AnyTokenRevoked);
    settle().await;
    assert!(!house.is_cached(&two.value).await);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn the_cache_is_off_while_the_feed_is_lost() {
    let house = House::new().await;
    let issued = house.token().await;
    let task = run(&house);
    house.store.announce(Change::FeedLost);
    settle().await;
    assert!(!house.is_cached(&issued.value).await);
    assert!(house.is_good(&issued.value).await, "the store answers");
    assert!(!house.is_cached(&issued.value).await, "and nothing is kept");
    house.store.announce(Change::FeedRestored);
    settle().await;
    assert!(house.is_good(&issued.value).await);
    assert!(house.is_cached(&issued.value).await);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_overflows_empties_the_cache() {
    let house = House::new().await;
    let issued = house.token().await;
    for _ in 0..100 {
        house.store.announce(Change::TokensRevoked(Vec::new()));
    }
    let task = run(&house);
    settle().await;
    assert!(!house.is_cached(&issued.value).await);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_run_again_forgets_what_it_may_have_missed() {
    let house = House::new().await;
    let first = run(&house);
    settle().await;
    first.abort();
    drop(first.await);
    let issued = house.token().await;
    house
        .store
        .announce(Change::TokensRevoked(vec![issued.live.record.token.digest]));
    assert!(house.is_cached(&issued.value).await, "nobody listens");
    let second = run(&house);
    settle().await;
    assert!(!house.is_cached(&issued.value).await);
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn tenants_made_by_other_nodes_are_seen() {
    let house = House::new().await;
    let task = run(&house);
    let master = house.tenants.master().await.unwrap();
    let id = TenantId(SystemRandom.uuid());
    let tenant = NewTenant::of(Tenant::new(id, master, "elsewhere"), GroupId(SystemRandom.uuid()));
    house.store.add_tenant(&tenant).await.unwrap();
    assert_eq!(
        house.tenants.tree().await.unwrap().find("elsewhere"),
        None,
        "the tree is read once"
    );
    house.store.announce(Change::TenantsChanged);
    settle().await;
    assert_eq!(house.tenants.tree().await.unwrap().find("elsewhere"), Some(id));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn expired_tokens_are_swept_at_the_interval_and_a_failure_is_outlived() {
    let house = House::new().await;
    house.token().await;
    house.clock.advance(Duration::from_hours(2));
    let task = run(&house);
    house.store.set_down(true);
    tokio::time::sleep(Duration::from_secs(61)).await;
    house.store.set_down(false);
    assert_eq!(house.store.token_count(), 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(house.store.token_count(), 0);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn no_interval_means_no_sweeping() {
    let house = House::with_settings(TokenSettings {
        sweep_interval: Duration::ZERO,
        ..settings()
    })
    .await;
    house.token().await;
    house.clock.advance(Duration::from_hours(2));
    let task = run(&house);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(house.store.token_count(), 1);
    task.abort();
}
