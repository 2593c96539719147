//! Logins that a new password or a revocation overtakes while the backend judges the credential.

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::directory::DirectoryService;
use crate::model::{Answer, PluginDigest};
use crate::port::{Backend, OpeningOutcome, RevokeTarget, TokenStore as _, VerifyRequest};

/// A backend that has judged the credential and keeps its answer until it is let go.
struct Held {
    backend: Arc<FakeBackend>,
    judged: Notify,
    go: Notify,
}

#[async_trait]
impl Backend for Held {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        let answer = self.backend.verify(request).await;
        self.judged.notify_one();
        self.go.notified().await;
        answer
    }
}

impl House {
    /// Logs alice in while `change` is made, between the backend's judgement and its answer.
    async fn login_during(&self, change: impl Future<Output = ()>) -> Result<IssuedToken, TokenError> {
        let held = Arc::new(Held {
            backend: Arc::clone(&self.backend),
            judged: Notify::new(),
            go: Notify::new(),
        });
        self.backends.add("held", Arc::clone(&held) as Arc<_>).unwrap();
        let change = async {
            held.judged.notified().await;
            change.await;
            held.go.notify_one();
        };
        let (outcome, ()) = tokio::join!(self.login(login("held")), change);
        outcome
    }

    fn directory(&self) -> DirectoryService {
        DirectoryService::new(
            Arc::clone(&self.store) as Arc<dyn Store>,
            Arc::clone(&self.passwords),
            Arc::clone(&self.cache),
            Arc::clone(&self.tenants),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(SystemRandom),
        )
    }
}

fn is_refused(outcome: &Result<IssuedToken, TokenError>, reason: Refusal) -> bool {
    matches!(outcome, Err(TokenError::Refused(given)) if *given == reason)
}

#[tokio::test]
async fn a_login_under_way_does_not_survive_a_new_password() {
    let house = House::new().await;
    let directory = house.directory();
    let outcome = house
        .login_during(async {
            directory.set_password("alice", &"n3w".into()).await.unwrap();
        })
        .await;
    assert!(is_refused(&outcome, Refusal::Overtaken));
    assert_eq!((house.store.token_count(), house.store.session_count()), (0, 0));
    // A login that begins now is another matter, however little time has passed.
    house.token().await;
}

#[tokio::test]
async fn a_login_under_way_does_not_survive_a_revocation_of_its_identity_or_plugin() {
    let house = House::new().await;
    for target in [
        RevokeTarget::Identity(house.alice.id.into()),
        RevokeTarget::Plugin(PluginDigest([7; 32])),
    ] {
        let outcome = house
            .login_during(async {
                house.service.revoke_all(&target).await.unwrap();
            })
            .await;
        assert!(is_refused(&outcome, Refusal::Overtaken), "{target:?}");
        assert_eq!(house.store.session_count(), 0);
        let after = house.token().await;
        assert!(house.service.revoke(&after.value).await.unwrap());
    }
}

#[tokio::test]
async fn a_login_under_way_survives_what_concerns_others() {
    let house = House::new().await;
    let other = house.token().await;
    let outcome = house
        .login_during(async {
            assert!(house.service.revoke(&other.value).await.unwrap());
            for target in [
                RevokeTarget::Identity(IdentityId(SystemRandom.uuid())),
                RevokeTarget::Plugin(PluginDigest([8; 32])),
            ] {
                house.service.revoke_all(&target).await.unwrap();
            }
        })
        .await;
    assert!(house.is_good(&outcome.unwrap().value).await);
}

#[tokio::test]
async fn a_login_under_way_does_not_survive_its_user() {
    let house = House::new().await;
    let disabled = User {
        enabled: false,
        ..house.alice.clone()
    };
    let outcome = house.login_during(async { house.store.replace_user(disabled) }).await;
    assert!(is_refused(&outcome, Refusal::Disabled));
    let directory = house.directory();
    house.store.replace_user(house.alice.clone());
    let outcome = house
        .login_during(async {
            directory.remove_user("alice").await.unwrap();
        })
        .await;
    assert!(is_refused(&outcome, Refusal::UnknownIdentifier));
    assert_eq!(house.store.session_count(), 0);
}

#[tokio::test]
async fn a_login_that_outlasts_the_note_of_a_revocation_is_refused() {
    let house = House::new().await;
    let target = RevokeTarget::Identity(IdentityId(SystemRandom.uuid()));
    let outcome = house
        .login_during(async {
            house.service.revoke_all(&target).await.unwrap();
            house.clock.advance(crate::port::REVOCATIONS_KEPT);
            house.service.sweep().await.unwrap();
        })
        .await;
    assert!(
        is_refused(&outcome, Refusal::Overtaken),
        "nobody knows any more whom it concerned"
    );
    house.token().await;
}

#[tokio::test]
async fn a_user_who_is_disabled_after_the_look_up_is_refused() {
    let house = House::new().await;
    let issued = house.token().await;
    let opening = crate::port::Opening {
        session: issued.live.record.session.clone(),
        token: issued.live.record.token.clone(),
        verified_since: house.store.revocation_mark().await.unwrap(),
        limit: None,
        refresh: crate::port::Refreshing::No,
    };
    house.service.revoke(&issued.value).await.unwrap();
    house.store.replace_user(User {
        enabled: false,
        ..house.alice.clone()
    });
    let outcome = house.store.open_session(opening).await.unwrap();
    assert_eq!(outcome, OpeningOutcome::Disabled);
    assert_eq!(house.store.session_count(), 0);
}
