//! Revocations, and how they meet the cache.

use super::*;
use crate::directory::DirectoryService;
use crate::model::{PluginDigest, TenantScope};
use crate::port::{RevokeTarget, TokenStore as _, Uniqueness, UserChange};

#[tokio::test]
async fn a_revoked_token_is_gone_at_once() {
    let house = House::new().await;
    let (token, other) = (house.token().await.value, house.token().await.value);
    assert!(house.service.revoke(&token).await.unwrap());
    assert!(!house.is_good(&token).await);
    assert!(house.is_good(&other).await);
    assert!(
        !house.service.revoke(&token).await.unwrap(),
        "it was not there any more"
    );
    assert_eq!(house.store.session_count(), 1, "its session ended with it");
}

#[tokio::test]
async fn a_target_ends_all_its_tokens_and_no_other() {
    let house = House::new().await;
    house.add_backend(|| Ok(Outcome::Verified(principal(Subject::Own("bob".to_owned()), "bob"))));
    let bob = house.login(login("own")).await.unwrap();
    let targets = |issued: &IssuedToken| {
        let session = &issued.live.record.session;
        [
            RevokeTarget::Session(session.id),
            RevokeTarget::Identity(session.identity.id),
        ]
    };
    for index in 0..2 {
        let alice = house.token().await;
        let revoked = house.service.revoke_all(&targets(&alice)[index]).await.unwrap();
        assert_eq!(revoked.tokens, [alice.live.record.token.digest]);
        assert!(!house.is_good(&alice.value).await);
        assert!(house.is_good(&bob.value).await);
    }
    let alice = house.token().await;
    let revoked = house
        .service
        .revoke_all(&RevokeTarget::Plugin(PluginDigest([7; 32])))
        .await
        .unwrap();
    assert_eq!(revoked.tokens.len(), 2);
    assert!(!house.is_good(&alice.value).await);
    assert!(!house.is_good(&bob.value).await);
}

#[tokio::test]
async fn a_look_up_under_way_cannot_bring_a_revoked_token_back() {
    let house = House::new().await;
    let token = house.token().await.value;
    house.cache.forget_all();
    let pause = house.store.pause_finds().await;
    let look_up = async { house.is_good(&token).await };
    let revocation = async {
        // The look-up has read the token and is held.
        tokio::task::yield_now().await;
        assert!(house.service.revoke(&token).await.unwrap());
        drop(pause);
    };
    let (saw_it, ()) = tokio::join!(look_up, revocation);
    assert!(saw_it, "it was read before it was revoked");
    assert!(!house.is_good(&token).await, "and is not in the cache now");
}

#[tokio::test]
async fn a_look_up_under_way_is_cached_if_nothing_is_revoked_meanwhile() {
    let house = House::new().await;
    let token = house.token().await.value;
    house.cache.forget_all();
    let pause = house.store.pause_finds().await;
    let release = async {
        tokio::task::yield_now().await;
        drop(pause);
    };
    let (good, ()) = tokio::join!(house.is_good(&token), release);
    assert!(good);
    assert!(house.is_cached(&token).await);
}

#[tokio::test]
async fn a_revocation_reaches_the_cache_even_if_its_caller_hangs_up() {
    let house = House::new().await;
    let token = house.token().await.value;
    let pause = house.store.pause_revocations().await;
    let service = Arc::clone(&house.service);
    let copy = token.clone();
    let caller = tokio::spawn(async move { service.revoke(&copy).await });
    // The store has written and is held.
    while house.store.token_count() > 0 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    drop(pause);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!house.is_good(&token).await);
}

#[tokio::test]
async fn a_failed_revocation_leaves_nothing_in_the_cache() {
    let house = House::new().await;
    let (one, two) = (house.token().await, house.token().await);
    house.store.set_down(true);
    assert!(house.service.revoke(&one.value).await.is_err());
    house.store.set_down(false);
    assert!(!house.is_cached(&one.value).await);
    assert!(house.is_cached(&two.value).await);
    house.store.set_down(true);
    let target = RevokeTarget::Identity(house.alice.id.into());
    assert!(house.service.revoke_all(&target).await.is_err());
    house.store.set_down(false);
    assert!(!house.is_cached(&two.value).await);
}

#[tokio::test]
async fn a_ticket_from_before_a_revocation_is_no_longer_good() {
    let house = House::new().await;
    let issued = house.token().await;
    let digest = issued.live.record.token.digest;
    let cache = TokenCache::new(10);
    let ticket = cache.ticket(digest);
    assert!(cache.insert(ticket, Arc::clone(&issued.live)));
    for spoil in [
        |cache: &TokenCache, digest| cache.forget_token(&digest),
        |cache: &TokenCache, _| cache.forget_all(),
        |cache: &TokenCache, _| cache.apply(&Change::AnyTokenRevoked),
        |cache: &TokenCache, _| cache.apply(&Change::FeedRestored),
        |cache: &TokenCache, digest| cache.apply(&Change::TokensRevoked(vec![digest])),
    ] {
        let ticket = cache.ticket(digest);
        spoil(&cache, digest);
        assert!(!cache.insert(ticket, Arc::clone(&issued.live)));
        assert!(cache.get(&digest).is_none());
    }
}

#[tokio::test]
async fn the_cache_holds_no_more_than_its_capacity() {
    let house = House::with_settings(TokenSettings {
        cache_capacity: 10,
        ..settings()
    })
    .await;
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(house.token().await.value);
    }
    let mut cached = 0;
    for token in &tokens {
        cached += u32::from(house.is_cached(token).await);
        assert!(house.is_good(token).await);
    }
    assert!((1..=10).contains(&cached), "{cached} are cached");
}

#[tokio::test]
async fn sweeping_removes_the_expired_in_batches_and_no_other() {
    let house = House::new().await;
    for _ in 0..5 {
        house.token().await;
    }
    house.clock.advance(Duration::from_secs(1));
    let young = house.token().await.value;
    house.clock.advance(Duration::from_secs(7199));
    assert_eq!(house.service.sweep().await.unwrap(), 5, "a batch holds two");
    assert_eq!((house.store.token_count(), house.store.session_count()), (1, 1));
    assert!(house.is_good(&young).await);
    assert_eq!(house.service.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn a_revocation_behind_the_services_back_is_why_the_cache_needs_the_feed() {
    let house = House::new().await;
    let issued = house.token().await;
    let revoked = house
        .store
        .revoke(&RevokeTarget::Token(issued.live.record.token.digest), house.clock.now())
        .await
        .unwrap();
    assert!(house.is_good(&issued.value).await, "nobody has said so yet");
    house.cache.apply(&Change::TokensRevoked(revoked.tokens));
    assert!(!house.is_good(&issued.value).await);
}

fn directory(house: &House) -> DirectoryService {
    DirectoryService::new(
        Arc::clone(&house.store) as Arc<dyn Store>,
        Arc::clone(&house.passwords),
        Arc::clone(&house.cache),
        Arc::clone(&house.tenants),
        Arc::clone(&house.clock) as Arc<dyn Clock>,
        Arc::new(SystemRandom),
    )
}

#[tokio::test]
async fn removing_a_user_or_changing_its_password_ends_its_tokens_at_once() {
    let house = House::new().await;
    let directory = directory(&house);
    let token = house.token().await.value;
    directory.set_password("alice", &"n3w".into()).await.unwrap();
    assert!(!house.is_good(&token).await);
    let token = house.token().await.value;
    directory.remove_user("alice").await.unwrap();
    assert!(!house.is_good(&token).await);
}

#[tokio::test]
async fn a_changed_user_keeps_its_tokens_unless_it_may_no_longer_log_in() {
    let house = House::new().await;
    let directory = directory(&house);
    let token = house.token().await.value;
    let change = async |enabled| {
        let change = UserChange {
            login: house.alice.login.clone(),
            firstname: Some("Alice".to_owned()),
            lastname: None,
            purpose: Some(house.alice.purpose),
            authentication_method: Some(house.alice.authentication_method),
            enabled: Some(enabled),
        };
        let changed = directory.update_user_among(
            house.alice.id,
            change,
            Uniqueness::InTenant,
            TenantScope::All,
            everything(),
        );
        changed.await.unwrap();
    };
    change(true).await;
    assert!(house.is_good(&token).await);
    change(false).await;
    assert!(!house.is_good(&token).await);
    change(true).await;
    assert!(!house.is_good(&token).await, "its session has ended");
}
