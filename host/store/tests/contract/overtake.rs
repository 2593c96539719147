//! Logins that a new password or a revocation overtakes.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::Secret;
use keyway_core::model::{PluginDigest, Timestamp, User};
use keyway_core::port::{
    Opening, OpeningOutcome, REVOCATIONS_KEPT, RevocationMark, RevokeTarget, Store, StoredVerifier,
};

use crate::fixture::{NOW, added_user, is_live, master, open_session, opening_of, own_opening, user};

pub(crate) fn new_password() -> StoredVerifier {
    Secret::new("$argon2id$second".to_owned())
}

pub(crate) async fn set_password(store: &dyn Store, user: &User) {
    let set = store.set_verifier(user.id, &new_password().into(), NOW).await;
    assert!(set.expect("set").is_some());
}

pub(crate) async fn is_refused(store: &dyn Store, opening: &Opening) -> bool {
    let outcome = store.open_session(opening.clone()).await.expect("an answer");
    assert_eq!(is_live(store, opening).await, outcome.is_opened());
    match outcome {
        OpeningOutcome::Opened(_) => false,
        OpeningOutcome::Overtaken => true,
        OpeningOutcome::Disabled | OpeningOutcome::Closed(_) | OpeningOutcome::Full => panic!("{outcome:?}"),
    }
}

pub(crate) async fn a_login_from_before_a_new_password_is_refused(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let (before, others) = (opening_of(&*store, &alice).await, opening_of(&*store, &bob).await);
    set_password(&*store, &alice).await;
    assert!(is_refused(&*store, &before).await);
    assert!(!is_refused(&*store, &others).await);
    // At once, and at the same time on every clock.
    let after = opening_of(&*store, &alice).await;
    assert!(!is_refused(&*store, &after).await);
    set_password(&*store, &alice).await;
    let mut again = before;
    again.verified_since = after.verified_since;
    assert!(is_refused(&*store, &again).await, "a second change counts as well");
}

pub(crate) async fn a_renewed_verifier_refuses_nobody(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let before = opening_of(&*store, &alice).await;
    let current = Secret::new("$argon2id$first".to_owned());
    assert!(
        store
            .renew_verifier(alice.id, &current, &new_password())
            .await
            .expect("an answer")
    );
    assert!(!is_refused(&*store, &before).await);
}

pub(crate) async fn a_login_from_before_a_revocation_of_its_identity_is_refused(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    for before in [opening_of(&*store, &alice).await, own_opening(&*store).await] {
        let others = opening_of(&*store, &bob).await;
        let target = RevokeTarget::Identity(before.session.identity.id);
        store.revoke(&target, NOW).await.expect("revoked");
        assert!(is_refused(&*store, &before).await);
        assert!(!is_refused(&*store, &others).await);
        let mut after = before;
        after.verified_since = store.revocation_mark().await.expect("a mark");
        assert!(!is_refused(&*store, &after).await);
    }
}

pub(crate) async fn a_login_from_before_a_revocation_of_its_plugin_is_refused(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    for before in [opening_of(&*store, &alice).await, own_opening(&*store).await] {
        let mut others = opening_of(&*store, &alice).await;
        others.session.plugin = PluginDigest([8; 32]);
        let target = RevokeTarget::Plugin(before.session.plugin);
        store.revoke(&target, NOW).await.expect("revoked");
        assert!(is_refused(&*store, &before).await);
        assert!(!is_refused(&*store, &others).await);
        let mut after = before;
        after.verified_since = store.revocation_mark().await.expect("a mark");
        assert!(!is_refused(&*store, &after).await);
    }
}

pub(crate) async fn revoking_a_token_or_a_session_refuses_nobody(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let (first, second) = (opening_of(&*store, &alice).await, opening_of(&*store, &alice).await);
    let before = opening_of(&*store, &alice).await;
    open_session(&*store, &first).await;
    open_session(&*store, &second).await;
    for target in [
        RevokeTarget::Token(first.token.digest),
        RevokeTarget::Session(second.session.id),
    ] {
        store.revoke(&target, NOW).await.expect("revoked");
    }
    assert!(!is_refused(&*store, &before).await);
}

pub(crate) async fn a_session_of_a_disabled_user_is_refused_whole(store: Arc<dyn Store>) {
    let mut disabled = user(master(&*store).await, "alice");
    disabled.user.enabled = false;
    store.add_user(&disabled).await.expect("added");
    let opening = opening_of(&*store, &disabled.user).await;
    let outcome = store.open_session(opening.clone()).await.expect("an answer");
    assert_eq!(outcome, OpeningOutcome::Disabled);
    assert!(!is_live(&*store, &opening).await);
    assert_eq!(
        store.remove_user(disabled.user.id).await.expect("removed"),
        Some(keyway_core::port::Revoked::default())
    );
}

pub(crate) async fn a_login_is_refused_if_what_may_have_overtaken_it_was_swept(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let before = opening_of(&*store, &alice).await;
    set_password(&*store, &alice).await;
    let between = opening_of(&*store, &bob).await;
    let password = new_password().into();
    let young = store.set_verifier(bob.id, &password, NOW.plus(REVOCATIONS_KEPT));
    young.await.expect("set");
    let after = opening_of(&*store, &bob).await;
    let too_early = Timestamp(NOW.plus(REVOCATIONS_KEPT).0 - 1);
    for now in [too_early, NOW.plus(REVOCATIONS_KEPT)] {
        store.sweep(now, 10).await.expect("swept");
        assert!(is_refused(&*store, &before).await);
        assert!(is_refused(&*store, &between).await, "the younger note is still there");
    }
    assert!(!is_refused(&*store, &after).await);
    // Nobody knows any more that it was not bob whose password was set.
    let mut stale = opening_of(&*store, &bob).await;
    stale.session.identity.id = keyway_core::model::IdentityId(crate::fixture::uuid());
    stale.session.identity.user = None;
    stale.verified_since = before.verified_since;
    assert!(is_refused(&*store, &stale).await);
    stale.verified_since = between.verified_since;
    assert!(!is_refused(&*store, &stale).await);
}

pub(crate) async fn a_mark_that_is_still_to_come_is_not_taken(store: Arc<dyn Store>) {
    let mut opening = own_opening(&*store).await;
    let RevocationMark(mark) = opening.verified_since;
    opening.verified_since = RevocationMark(mark + 1);
    assert!(is_refused(&*store, &opening).await);
}

/// Opens sessions while `revoke` runs, and asserts that none is there when both are done.
pub(crate) async fn race(store: &Arc<dyn Store>, openings: Vec<Opening>, revoke: impl Future<Output = ()>) {
    let opened = openings.iter().map(|opening| {
        let (store, opening) = (Arc::clone(store), opening.clone());
        tokio::spawn(async move { store.open_session(opening).await })
    });
    let opened: Vec<_> = opened.collect();
    // Some first, some later.
    tokio::task::yield_now().await;
    let (outcomes, ()) = futures::join!(join_all(opened), revoke);
    for outcome in outcomes {
        let outcome = outcome.expect("no panic").expect("an answer");
        assert!(matches!(
            outcome,
            OpeningOutcome::Opened(_) | OpeningOutcome::Overtaken | OpeningOutcome::Closed(_)
        ));
    }
    for opening in &openings {
        assert!(!is_live(&**store, opening).await);
    }
}

pub(crate) async fn no_session_survives_what_runs_at_the_same_time(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    for _ in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        race(&store, openings, set_password(&*store, &alice)).await;

        let model = own_opening(&*store).await;
        let (identity, plugin) = (model.session.identity, model.session.plugin);
        for target in [RevokeTarget::Identity(identity.id), RevokeTarget::Plugin(plugin)] {
            let openings = (0..8).map(|_| async {
                let mut opening = own_opening(&*store).await;
                opening.session.identity = identity.clone();
                opening
            });
            let openings = join_all(openings).await;
            let revoke = async {
                store.revoke(&target, NOW).await.expect("revoked");
            };
            race(&store, openings, revoke).await;
        }
    }
}
