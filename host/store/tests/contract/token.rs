//! Sessions and tokens.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{IdentityId, KeyId, PluginDigest, SessionId, TenantId, Timestamp, TokenRecord, UserId};
use keyway_core::port::{Opening, RevokeTarget, Revoked, Store, StoreError, Swept};

use crate::fixture::{NOW, added_user, digest, is_live, open_session, opened, opening_of, own_opening, uuid};

/// So many tokens, each the only one of its session.
fn swept(tokens: u64) -> Swept {
    Swept {
        tokens,
        sessions: tokens,
        refresh_tokens: 0,
    }
}

fn ended(opening: &Opening) -> Revoked {
    Revoked {
        sessions: vec![opening.session.id],
        tokens: vec![opening.token.digest],
    }
}

pub(crate) async fn a_session_is_found_by_its_token_as_it_was_opened(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let mut bare = opening_of(&*store, &user).await;
    bare.session.client.address = None;
    bare.session.client.user_agent = None;
    bare.session.attributes.clear();
    bare.token.accesses = Arc::new([]);
    bare.token.expires_at = Timestamp(i64::MAX);
    bare.token.digest.key = KeyId(i32::MIN);
    for opening in [own_opening(&*store).await, opening_of(&*store, &user).await, bare] {
        open_session(&*store, &opening).await;
        let found = store.find_token(&opening.token.digest).await.expect("an answer");
        assert_eq!(
            found,
            Some(TokenRecord {
                token: opening.token,
                session: opening.session
            })
        );
    }
}

pub(crate) async fn an_expired_token_is_found_until_it_is_swept(store: Arc<dyn Store>) {
    let mut opening = own_opening(&*store).await;
    opening.token.expires_at = Timestamp(-5);
    open_session(&*store, &opening).await;
    assert!(is_live(&*store, &opening).await);
    assert_eq!(store.sweep(Timestamp(-6), 10).await.expect("swept"), Swept::default());
    assert!(is_live(&*store, &opening).await);
    assert_eq!(store.sweep(Timestamp(-5), 10).await.expect("swept"), swept(1));
    assert!(!is_live(&*store, &opening).await);
}

pub(crate) async fn an_unknown_token_is_not_found(store: Arc<dyn Store>) {
    open_session(&*store, &own_opening(&*store).await).await;
    assert_eq!(store.find_token(&digest()).await.expect("an answer"), None);
}

pub(crate) async fn the_same_hash_under_another_key_is_another_token(store: Arc<dyn Store>) {
    let first = own_opening(&*store).await;
    let mut second = own_opening(&*store).await;
    second.token.digest = first.token.digest;
    second.token.digest.key = KeyId(2);
    open_session(&*store, &first).await;
    assert!(!is_live(&*store, &second).await);
    open_session(&*store, &second).await;
    let revoked = store
        .revoke(&RevokeTarget::Token(second.token.digest), NOW)
        .await
        .expect("revoked");
    assert_eq!(revoked, ended(&second));
    assert!(is_live(&*store, &first).await);
}

pub(crate) async fn a_session_of_a_user_or_tenant_that_is_gone_is_refused_whole(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let mut without_user = opening_of(&*store, &user).await;
    without_user.session.identity.user = Some(UserId(uuid()));
    let mut without_tenant = opening_of(&*store, &user).await;
    without_tenant.session.identity.tenant = TenantId(uuid());
    for (opening, what) in [(without_user, "user"), (without_tenant, "tenant")] {
        let error = store.open_session(opening.clone()).await.expect_err("refused");
        assert!(
            matches!(error, StoreError::Missing { what: missing } if missing == what),
            "{error:?}"
        );
        assert!(!is_live(&*store, &opening).await);
    }
}

pub(crate) async fn a_session_ends_with_its_token(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let (first, second) = (opened(&*store, &user).await, opened(&*store, &user).await);
    let revoked = store
        .revoke(&RevokeTarget::Token(first.token.digest), NOW)
        .await
        .expect("revoked");
    assert_eq!(revoked, ended(&first));
    assert!(!is_live(&*store, &first).await);
    assert!(is_live(&*store, &second).await);
    // The session's id is free again, so the row is gone.
    open_session(&*store, &first).await;
}

pub(crate) async fn revoking_a_session_ends_it_alone(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let (first, second) = (opened(&*store, &user).await, opened(&*store, &user).await);
    let revoked = store
        .revoke(&RevokeTarget::Session(second.session.id), NOW)
        .await
        .expect("revoked");
    assert_eq!(revoked, ended(&second));
    assert!(is_live(&*store, &first).await);
    assert!(!is_live(&*store, &second).await);
}

/// Ends two of three sessions, and asserts that both are named and the third lives.
async fn revoke_two(store: &dyn Store, target: RevokeTarget, two: [Opening; 2], other: Opening) {
    for opening in two.iter().chain([&other]) {
        open_session(store, opening).await;
    }
    let mut revoked = store.revoke(&target, NOW).await.expect("revoked");
    let mut sessions = two.each_ref().map(|opening| opening.session.id);
    let mut tokens = two.each_ref().map(|opening| opening.token.digest);
    revoked.sessions.sort();
    revoked.tokens.sort();
    sessions.sort();
    tokens.sort();
    assert_eq!(revoked.sessions, sessions);
    assert_eq!(revoked.tokens, tokens);
    for opening in &two {
        assert!(!is_live(store, opening).await);
    }
    assert!(is_live(store, &other).await);
    assert_eq!(store.revoke(&target, NOW).await.expect("revoked"), Revoked::default());
}

pub(crate) async fn revoking_an_identity_ends_its_sessions_alone(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let two = [opening_of(&*store, &alice).await, opening_of(&*store, &alice).await];
    let other = opening_of(&*store, &bob).await;
    revoke_two(&*store, RevokeTarget::Identity(alice.id.into()), two, other).await;

    let other = own_opening(&*store).await;
    let mut two = [own_opening(&*store).await, own_opening(&*store).await];
    two[1].session.identity.id = two[0].session.identity.id;
    revoke_two(&*store, RevokeTarget::Identity(two[0].session.identity.id), two, other).await;
}

pub(crate) async fn revoking_a_plugin_ends_what_it_let_in_alone(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let bad = PluginDigest([0xbd; 32]);
    let mut two = [opening_of(&*store, &user).await, own_opening(&*store).await];
    for opening in &mut two {
        opening.session.plugin = bad;
    }
    let other = opening_of(&*store, &user).await;
    revoke_two(&*store, RevokeTarget::Plugin(bad), two, other).await;
}

pub(crate) async fn revoking_nothing_is_no_error(store: Arc<dyn Store>) {
    let targets = [
        RevokeTarget::Token(digest()),
        RevokeTarget::Session(SessionId(uuid())),
        RevokeTarget::Identity(IdentityId(uuid())),
        RevokeTarget::Plugin(PluginDigest([1; 32])),
    ];
    for target in targets {
        assert_eq!(store.revoke(&target, NOW).await.expect("revoked"), Revoked::default());
    }
}

pub(crate) async fn a_token_is_revoked_once_however_many_ask(store: Arc<dyn Store>) {
    let opening = own_opening(&*store).await;
    open_session(&*store, &opening).await;
    let target = RevokeTarget::Token(opening.token.digest);
    let outcomes = join_all((0..8).map(|_| store.revoke(&target, NOW))).await;
    let outcomes: Vec<Revoked> = outcomes.into_iter().map(|outcome| outcome.expect("revoked")).collect();
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == ended(&opening)).count(),
        1,
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Revoked::default())
            .count(),
        7,
        "{outcomes:?}"
    );
}

pub(crate) async fn a_sweep_removes_what_expired_in_batches(store: Arc<dyn Store>) {
    let mut openings = Vec::new();
    for expires_at in 1..=7 {
        let mut opening = own_opening(&*store).await;
        opening.token.expires_at = Timestamp(expires_at);
        open_session(&*store, &opening).await;
        openings.push(opening);
    }
    let now = Timestamp(5);
    assert_eq!(store.sweep(now, 2).await.expect("swept"), swept(2));
    assert_eq!(store.sweep(now, 2).await.expect("swept"), swept(2));
    assert_eq!(store.sweep(now, 2).await.expect("swept"), swept(1));
    assert_eq!(store.sweep(now, 2).await.expect("swept"), Swept::default());
    assert_eq!(
        store.sweep(Timestamp(i64::MIN), 0).await.expect("swept"),
        Swept::default()
    );
    for opening in &openings {
        assert_eq!(is_live(&*store, opening).await, opening.token.expires_at > now);
    }
}

pub(crate) async fn two_hundred_sessions_at_once_are_all_found(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let openings = join_all((0..200).map(|_| opened(&*store, &user))).await;
    let live = join_all(openings.iter().map(|opening| is_live(&*store, opening))).await;
    assert_eq!(live, vec![true; 200]);
}

pub(crate) async fn sweeps_and_revocations_at_once_leave_nothing_behind(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let openings = join_all((0..100).map(|_| opened(&*store, &user))).await;
    let later = openings[0].token.expires_at;
    let by_token = openings.iter().map(|opening| async {
        store
            .revoke(&RevokeTarget::Token(opening.token.digest), NOW)
            .await
            .expect("revoked")
            .sessions
            .len() as u64
    });
    let by_identity = async {
        store
            .revoke(&RevokeTarget::Identity(user.id.into()), NOW)
            .await
            .expect("revoked")
            .sessions
            .len() as u64
    };
    let by_sweep = join_all((0..4).map(|_| async { store.sweep(later, 30).await.expect("swept").sessions }));
    let (by_token, by_identity, by_sweep) = futures::join!(join_all(by_token), by_identity, by_sweep);
    let ended = by_token.iter().sum::<u64>() + by_identity + by_sweep.iter().sum::<u64>();
    assert_eq!(ended, 100, "each session ended once");
    for opening in &openings {
        assert!(!is_live(&*store, opening).await);
    }
    // Whatever would still refer to the user would keep it.
    assert_eq!(
        store.remove_user(user.id).await.expect("removed"),
        Some(Revoked::default())
    );
}
