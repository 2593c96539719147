//! Tokens of mailed links.

use super::*;
use crate::port::RevokeTarget;

const ACCESS: &str = "auth.users.password.reset.x.create";

async fn link(house: &House, ttl: Duration) -> Result<TokenValue, TokenError> {
    let attributes = vec![("address".to_owned(), "alice@example.org".to_owned())];
    house
        .service
        .mint_link(house.alice.id, vec![ACCESS.to_owned()], ttl, attributes)
        .await
        .map(|issued| issued.value)
}

#[tokio::test]
async fn a_link_has_its_access_and_no_other_for_its_time() {
    let house = House::new().await;
    house.add_policy("all", &["#"], house.alice.id.into()).await;
    // Longer than any login may ask for.
    let ttl = Duration::from_hours(48);
    let token = link(&house, ttl).await.unwrap();
    let asked = |scope| CheckRequest {
        scope: Some(scope),
        tenant: None,
    };
    let live = house.service.check(&token, asked(ACCESS)).await.unwrap();
    assert_eq!(live.record.session.identity.user, Some(house.alice.id));
    assert_eq!(live.record.session.attributes[0].0, "address");
    let denied = house.service.check(&token, asked("auth.users.read")).await;
    assert!(matches!(denied, Err(TokenError::AccessDenied(_))));
    let nobody = house.service.check(&token, CheckRequest::default()).await;
    assert!(
        matches!(nobody, Err(TokenError::NotFound)),
        "who reads somebody's mail did not log in"
    );
    assert!(house.is_good(&token).await);
    house.clock.advance(ttl);
    assert!(!house.is_good(&token).await);
}

#[tokio::test]
async fn a_link_ends_with_everything_else_of_its_user() {
    let house = House::new().await;
    let token = link(&house, Duration::from_hours(1)).await.unwrap();
    let target = RevokeTarget::Identity(house.alice.id.into());
    house.service.revoke_all(&target).await.unwrap();
    assert!(!house.is_good(&token).await);
}

#[tokio::test]
async fn nobody_gets_a_link_for_a_user_who_is_disabled_or_gone() {
    let house = House::new().await;
    house.store.replace_user(User {
        enabled: false,
        ..house.alice.clone()
    });
    let refused = link(&house, Duration::from_hours(1)).await;
    assert!(matches!(refused, Err(TokenError::Refused(Refusal::Disabled))));
    let nobody = UserId(SystemRandom.uuid());
    let refused = house
        .service
        .mint_link(nobody, Vec::new(), Duration::from_hours(1), Vec::new())
        .await;
    assert!(matches!(refused, Err(TokenError::Refused(Refusal::UnknownIdentifier))));
}

#[tokio::test]
async fn a_link_is_not_renewed_into_a_login() {
    let house = House::new().await;
    let token = link(&house, Duration::from_hours(1)).await.unwrap();
    let request = || RenewRequest {
        ttl: None,
        client: Client::default(),
        dialect: "kazoo",
        request_id: "request-1".to_owned(),
    };
    let refused = house.service.renew(&token, request()).await;
    assert!(matches!(refused, Err(TokenError::NotFound)), "{refused:?}");
    let own = house.token().await.value;
    house.service.renew(&own, request()).await.unwrap();
}
