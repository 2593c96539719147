//! Checks.

use super::*;

async fn check(house: &House, token: &TokenValue, scope: Option<&str>, tenant: Option<&str>) -> Result<(), TokenError> {
    house
        .service
        .check(token, CheckRequest { scope, tenant })
        .await
        .map(|_| ())
}

#[tokio::test]
async fn an_unknown_token_is_not_found() {
    let house = House::new().await;
    assert!(!house.is_good(&TokenValue::new(SystemRandom.uuid())).await);
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_cached_or_not() {
    let house = House::new().await;
    let issued = house.token().await;
    house.clock.advance(Duration::from_hours(2) - Duration::from_micros(1));
    assert!(house.is_good(&issued.value).await);
    assert!(house.is_cached(&issued.value).await);
    house.clock.advance(Duration::from_micros(1));
    assert!(!house.is_good(&issued.value).await, "cached");
    assert!(!house.is_good(&issued.value).await, "from the store");
}

#[tokio::test]
async fn a_token_is_cached_when_it_is_issued_and_when_it_is_found() {
    let house = House::new().await;
    let issued = house.token().await;
    assert!(house.is_cached(&issued.value).await);
    house.cache.forget_all();
    assert!(!house.is_cached(&issued.value).await);
    assert!(house.is_good(&issued.value).await);
    assert!(house.is_cached(&issued.value).await);
}

#[tokio::test]
async fn no_scope_asks_for_nothing_and_an_empty_one_for_the_empty_access() {
    let house = House::new().await;
    house
        .add_policy("p", &["a.*", "users.me.read"], house.alice.id.into())
        .await;
    let token = house.token().await.value;
    assert!(check(&house, &token, None, None).await.is_ok());
    assert!(check(&house, &token, Some("a.b"), None).await.is_ok());
    let own = format!("users.{}.read", house.alice.id);
    assert!(check(&house, &token, Some(&own), None).await.is_ok());
    for denied in ["", "b", "a.b.c"] {
        let result = check(&house, &token, Some(denied), None).await;
        assert!(matches!(result, Err(TokenError::AccessDenied(scope)) if scope == denied));
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_owners_tenant_and_those_below() {
    let house = House::new().await;
    let master = house.tenants.master().await.unwrap();
    let branch = house.add_tenant("branch", master).await;
    let (leaf, sibling) = (
        house.add_tenant("leaf", branch).await,
        house.add_tenant("sibling", master).await,
    );
    house.store.replace_user(User {
        tenant: branch,
        ..house.alice.clone()
    });
    let token = house.token().await.value;
    for good in [branch, leaf] {
        assert!(check(&house, &token, None, Some(&good.to_string())).await.is_ok());
    }
    let unknown = SystemRandom.uuid().to_string();
    for bad in [
        &master.to_string(),
        &sibling.to_string(),
        &unknown,
        "branch",
        "",
        "not a uuid",
    ] {
        let result = check(&house, &token, None, Some(bad)).await;
        assert!(
            matches!(result, Err(TokenError::TenantDenied(tenant)) if tenant == bad),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn existence_comes_before_scope_and_scope_before_tenant() {
    let house = House::new().await;
    let token = house.token().await.value;
    let unknown = TokenValue::new(SystemRandom.uuid());
    assert!(matches!(
        check(&house, &unknown, Some("x"), Some("y")).await,
        Err(TokenError::NotFound)
    ));
    assert!(matches!(
        check(&house, &token, Some("x"), Some("y")).await,
        Err(TokenError::AccessDenied(_))
    ));
    assert!(matches!(
        check(&house, &token, None, Some("y")).await,
        Err(TokenError::TenantDenied(_))
    ));
}

#[tokio::test]
async fn tokens_with_equal_accesses_share_them() {
    let house = House::new().await;
    house.add_policy("p", &["a"], house.alice.id.into()).await;
    let (one, two) = (house.token().await, house.token().await);
    assert!(Arc::ptr_eq(
        &one.live.record.token.accesses,
        &two.live.record.token.accesses
    ));
    house.cache.forget_all();
    let found = house.service.check(&one.value, CheckRequest::default()).await.unwrap();
    assert!(Arc::ptr_eq(
        &found.record.token.accesses,
        &two.live.record.token.accesses
    ));
    assert_eq!(found.record, one.live.record);
}

#[tokio::test]
async fn a_token_under_an_older_key_is_still_found() {
    let house = House::new().await;
    let issued = house.token().await;
    let second = crate::key::second_key(&MasterKey::new([1; 32]));
    assert!(crate::port::KeyStore::add_key(&*house.store, &second).await.unwrap());
    let service = house.another_service(&house.passwords).await;
    assert_ne!(service.keys.digest(&issued.value), issued.live.record.token.digest);
    house.cache.forget_all();
    assert!(
        service.check(&issued.value, CheckRequest::default()).await.is_ok(),
        "from the store"
    );
    assert!(
        service.check(&issued.value, CheckRequest::default()).await.is_ok(),
        "from the cache"
    );
    assert!(service.revoke(&issued.value).await.unwrap());
    assert!(!house.is_good(&issued.value).await);
}
