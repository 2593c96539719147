//! Accounts that close, and whose trials end: who may log in, and what ends.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{Account, Closed, TenantId, Timestamp, User};
use keyway_core::port::{Opening, OpeningOutcome, RevokeTarget, Revoked, Store, TenantMove};

use crate::accounts::{disabled, found, put, try_to_put, user_in};
use crate::fixture::{
    NOW, acting_opening, added_tenant, added_user, is_live, master, open_session, opened, opening_of, own_opening,
    tenant, uuid,
};
use crate::overtake::{is_refused, race};
use crate::refresh::made;

async fn outcome(store: &dyn Store, opening: &Opening) -> OpeningOutcome {
    let outcome = store.open_session(opening.clone()).await.expect("an answer");
    assert_eq!(is_live(store, opening).await, outcome.is_opened());
    outcome
}

/// A tenant, a login of a user of it, one of a backend's own subject, and one in the tenant above that must live on.
async fn three_logins(store: &dyn Store) -> (TenantId, User, [Opening; 3]) {
    let tenant = added_tenant(store, "closing").await;
    let alice = user_in(store, tenant, "alice").await;
    let bob = added_user(store, "bob").await;
    let (other, _) = made(store, &bob, "web", false).await;
    let (own, _) = made(store, &alice, "web", false).await;
    let mut subject = own_opening(store).await;
    subject.session.identity.tenant = tenant;
    open_session(store, &subject).await;
    (tenant, alice, [own, subject, other])
}

async fn has_refresh_token(store: &dyn Store, opening: &Opening) -> bool {
    let found = store.find_refresh_token_of(opening.session.identity.id, "web").await;
    found.expect("an answer").is_some()
}

async fn check_ended(store: &dyn Store, revoked: Revoked, [own, subject, other]: &[Opening; 3]) {
    for opening in [own, subject] {
        assert!(!is_live(store, opening).await);
        assert!(revoked.sessions.contains(&opening.session.id));
        assert!(revoked.tokens.contains(&opening.token.digest));
    }
    assert_eq!((revoked.sessions.len(), revoked.tokens.len()), (2, 2));
    assert!(!has_refresh_token(store, own).await);
    assert!(is_live(store, other).await);
    assert!(has_refresh_token(store, other).await);
}

pub(crate) async fn an_account_that_closes_ends_what_its_users_hold_alone(store: Arc<dyn Store>) {
    let (tenant, _, logins) = three_logins(&*store).await;
    let revoked = put(&*store, &disabled(tenant)).await;
    check_ended(&*store, revoked, &logins).await;
    assert_eq!(put(&*store, &disabled(tenant)).await, Revoked::default());
}

pub(crate) async fn an_account_whose_trial_is_over_ends_what_its_users_hold(store: Arc<dyn Store>) {
    let (tenant, _, logins) = three_logins(&*store).await;
    let mut trial = Account {
        trial_expires_at: Some(Timestamp(NOW.0 + 1)),
        ..Account::of(tenant)
    };
    let cut = put(&*store, &trial).await;
    assert_eq!((cut.sessions.len(), cut.tokens.len()), (0, 2), "it is not over yet");
    assert!(is_live(&*store, &logins[0]).await);
    trial.trial_expires_at = Some(NOW);
    let revoked = put(&*store, &trial).await;
    check_ended(&*store, revoked, &logins).await;
}

pub(crate) async fn revoking_a_tenant_ends_what_its_users_hold_alone(store: Arc<dyn Store>) {
    let (tenant, alice, logins) = three_logins(&*store).await;
    let before = opening_of(&*store, &alice).await;
    let others = own_opening(&*store).await;
    let target = RevokeTarget::Tenant(tenant);
    let revoked = store.revoke(&target, NOW).await.expect("revoked");
    check_ended(&*store, revoked, &logins).await;
    assert!(is_refused(&*store, &before).await);
    assert!(!is_refused(&*store, &others).await);
    assert!(!is_refused(&*store, &opening_of(&*store, &alice).await).await);
    let nobody = RevokeTarget::Tenant(TenantId(uuid()));
    assert_eq!(store.revoke(&nobody, NOW).await.expect("revoked"), Revoked::default());
}

pub(crate) async fn nobody_logs_in_to_an_account_that_is_closed(store: Arc<dyn Store>) {
    let (above, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let (alice, bob) = (added_user(&*store, "alice").await, user_in(&*store, below, "bob").await);
    put(&*store, &disabled(above)).await;
    let opening = opening_of(&*store, &alice).await;
    assert_eq!(
        outcome(&*store, &opening).await,
        OpeningOutcome::Closed(Closed::Disabled)
    );
    let subject = own_opening(&*store).await;
    assert_eq!(
        outcome(&*store, &subject).await,
        OpeningOutcome::Closed(Closed::Disabled)
    );
    let others = opening_of(&*store, &bob).await;
    assert_eq!(
        outcome(&*store, &others).await,
        OpeningOutcome::Closed(Closed::Disabled),
        "so are those below it"
    );

    let begins = opening.session.opened_at;
    for (end, closed) in [(begins, Some(Closed::Expired(begins))), (Timestamp(begins.0 + 1), None)] {
        let account = Account {
            trial_expires_at: Some(end),
            ..Account::of(above)
        };
        put(&*store, &account).await;
        let opening = opening_of(&*store, &alice).await;
        match closed {
            Some(closed) => assert_eq!(outcome(&*store, &opening).await, OpeningOutcome::Closed(closed)),
            None => assert!(outcome(&*store, &opening).await.is_opened()),
        }
    }
    put(&*store, &disabled(above)).await;
    put(&*store, &Account::of(above)).await;
    let opening = opening_of(&*store, &alice).await;
    assert!(outcome(&*store, &opening).await.is_opened(), "it is open again");
}

pub(crate) async fn a_users_account_counts_wherever_its_session_is(store: Arc<dyn Store>) {
    let (here, there) = (
        added_tenant(&*store, "here").await,
        added_tenant(&*store, "there").await,
    );
    let alice = user_in(&*store, here, "alice").await;
    let elsewhere = async || {
        let mut opening = opening_of(&*store, &alice).await;
        opening.session.identity.tenant = there;
        opening
    };
    let live = elsewhere().await;
    open_session(&*store, &live).await;
    let before = elsewhere().await;
    let revoked = put(&*store, &disabled(here)).await;
    assert_eq!(revoked.tokens, [live.token.digest]);
    let closed = OpeningOutcome::Closed(Closed::Disabled);
    assert_eq!(outcome(&*store, &elsewhere().await).await, closed);
    put(&*store, &Account::of(here)).await;
    assert!(is_refused(&*store, &before).await, "it began before the account closed");
    put(&*store, &disabled(there)).await;
    assert_eq!(outcome(&*store, &elsewhere().await).await, closed);
}

pub(crate) async fn a_login_from_before_an_account_closed_is_refused_for_good(store: Arc<dyn Store>) {
    let (tenant, alice, _) = three_logins(&*store).await;
    let before = opening_of(&*store, &alice).await;
    put(&*store, &disabled(tenant)).await;
    assert_eq!(
        outcome(&*store, &before).await,
        OpeningOutcome::Closed(Closed::Disabled),
        "the reason is told that is still there"
    );
    put(&*store, &Account::of(tenant)).await;
    assert!(is_refused(&*store, &before).await);
    assert!(!is_refused(&*store, &opening_of(&*store, &alice).await).await);
}

pub(crate) async fn no_session_survives_an_account_that_closes_at_the_same_time(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "closing").await;
    let alice = user_in(&*store, tenant, "alice").await;
    for round in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        let close = async {
            if round % 2 == 0 {
                put(&*store, &disabled(tenant)).await;
            } else {
                let target = RevokeTarget::Tenant(tenant);
                store.revoke(&target, NOW).await.expect("revoked");
            }
        };
        race(&store, openings, close).await;
        put(&*store, &Account::of(tenant)).await;
    }
    assert!(is_live(&*store, &opened(&*store, &alice).await).await);
}

/// A tenant below another one, and a user of it.
async fn branch(store: &dyn Store, parent: TenantId, name: &str) -> (TenantId, User) {
    let new = tenant(parent, name);
    store.add_tenant(&new).await.expect("added");
    let user = user_in(store, new.tenant.id, name).await;
    (new.tenant.id, user)
}

fn on_trial(tenant: TenantId, end: Timestamp) -> Account {
    Account {
        trial_expires_at: Some(end),
        ..Account::of(tenant)
    }
}

async fn end_of(store: &dyn Store, opening: &Opening) -> Option<Timestamp> {
    let found = store.find_token(&opening.token.digest).await.expect("an answer");
    found.map(|record| record.token.expires_at)
}

pub(crate) async fn an_account_that_closes_closes_those_below_it_until_it_opens(store: Arc<dyn Store>) {
    let top = added_tenant(&*store, "top").await;
    let (middle, _) = branch(&*store, top, "middle").await;
    let (bottom, alice) = branch(&*store, middle, "bottom").await;
    let (_, bob) = branch(&*store, master(&*store).await, "beside").await;
    let (own, _) = made(&*store, &alice, "web", false).await;
    let others = opened(&*store, &bob).await;
    let before = opening_of(&*store, &alice).await;

    let revoked = put(&*store, &disabled(top)).await;
    assert_eq!(revoked.tokens, [own.token.digest]);
    assert!(!is_live(&*store, &own).await && !has_refresh_token(&*store, &own).await);
    assert!(is_live(&*store, &others).await);
    let closed = OpeningOutcome::Closed(Closed::Disabled);
    assert_eq!(outcome(&*store, &opening_of(&*store, &alice).await).await, closed);
    assert_eq!(found(&*store, bottom).await, None, "nothing is said of those below");
    put(&*store, &on_trial(bottom, NOW)).await;
    let expired = OpeningOutcome::Closed(Closed::Expired(NOW));
    let opening = opening_of(&*store, &alice).await;
    assert_eq!(outcome(&*store, &opening).await, expired, "the nearest reason is told");

    put(&*store, &Account::of(bottom)).await;
    put(&*store, &Account::of(top)).await;
    assert!(is_refused(&*store, &before).await, "it began before the account closed");
    assert!(is_live(&*store, &opened(&*store, &alice).await).await);
}

pub(crate) async fn a_trial_cuts_the_tokens_that_would_outlive_it(store: Arc<dyn Store>) {
    let top = added_tenant(&*store, "top").await;
    let (bottom, alice) = branch(&*store, top, "bottom").await;
    let actor = opened(&*store, &alice).await;
    let bob = added_user(&*store, "bob").await;
    let acting = acting_opening(&*store, &actor, &bob).await;
    open_session(&*store, &acting).await;
    let others = opened(&*store, &bob).await;
    let asked = actor.token.expires_at;
    let (late, early) = (Timestamp(asked.0 - 1_000_000), Timestamp(asked.0 - 2_000_000));

    assert_eq!(put(&*store, &on_trial(top, asked)).await, Revoked::default());
    let cut = put(&*store, &on_trial(top, late)).await;
    assert_eq!(
        (cut.sessions.len(), cut.tokens.len()),
        (0, 2),
        "caches are to read them again"
    );
    for opening in [&actor, &acting] {
        assert!(cut.tokens.contains(&opening.token.digest));
        assert_eq!(end_of(&*store, opening).await, Some(late));
    }
    assert_eq!(end_of(&*store, &others).await, Some(asked));
    put(&*store, &on_trial(bottom, early)).await;
    assert_eq!(end_of(&*store, &actor).await, Some(early), "the earliest counts");
    put(&*store, &Account::of(bottom)).await;
    assert_eq!(end_of(&*store, &actor).await, Some(early), "what was cut stays cut");

    let opening = opening_of(&*store, &alice).await;
    match outcome(&*store, &opening).await {
        OpeningOutcome::Opened(opened) => assert_eq!(opened.cut_to, Some(late)),
        other => panic!("{other:?}"),
    }
    assert_eq!(end_of(&*store, &opening).await, Some(late));
    let opening = opening_of(&*store, &bob).await;
    match outcome(&*store, &opening).await {
        OpeningOutcome::Opened(opened) => assert_eq!(opened.cut_to, None),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_tenant_that_moves_is_closed_by_what_is_above_it_then(store: Arc<dyn Store>) {
    let (closed, trial) = (
        added_tenant(&*store, "closed").await,
        added_tenant(&*store, "trial").await,
    );
    put(&*store, &disabled(closed)).await;
    let (moving, alice) = branch(&*store, master(&*store).await, "moving").await;
    let (_, bob) = branch(&*store, moving, "below").await;
    let live = [opened(&*store, &alice).await, opened(&*store, &bob).await];
    let end = Timestamp(live[0].token.expires_at.0 - 1);
    put(&*store, &on_trial(trial, end)).await;
    let before = opening_of(&*store, &bob).await;

    let to = async |parent| match store.move_tenant(moving, parent, NOW).await.expect("an answer") {
        TenantMove::Moved(revoked) => revoked,
        other => panic!("{other:?}"),
    };
    let cut = to(trial).await;
    assert_eq!((cut.sessions.len(), cut.tokens.len()), (0, 2));
    for opening in &live {
        assert_eq!(end_of(&*store, opening).await, Some(end));
    }
    let ended = to(closed).await;
    assert_eq!((ended.sessions.len(), ended.tokens.len()), (2, 2));
    for opening in &live {
        assert!(!is_live(&*store, opening).await);
    }
    let refused = OpeningOutcome::Closed(Closed::Disabled);
    assert_eq!(outcome(&*store, &opening_of(&*store, &bob).await).await, refused);
    assert_eq!(to(master(&*store).await).await, Revoked::default());
    assert!(
        is_refused(&*store, &before).await,
        "it began before the tenant was closed"
    );
    assert!(is_live(&*store, &opened(&*store, &bob).await).await);
}

pub(crate) async fn no_session_survives_what_closes_above_it_at_the_same_time(store: Arc<dyn Store>) {
    let (top, closed) = (
        added_tenant(&*store, "top").await,
        added_tenant(&*store, "closed").await,
    );
    put(&*store, &disabled(closed)).await;
    let (middle, _) = branch(&*store, top, "middle").await;
    let (_, alice) = branch(&*store, middle, "bottom").await;
    for round in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        let close = async {
            if round % 2 == 0 {
                put(&*store, &disabled(top)).await;
            } else {
                let moved = store.move_tenant(middle, closed, NOW).await.expect("an answer");
                assert!(matches!(moved, TenantMove::Moved(_)));
            }
        };
        race(&store, openings, close).await;
        put(&*store, &Account::of(top)).await;
        let back = store.move_tenant(middle, top, NOW).await.expect("an answer");
        assert!(matches!(back, TenantMove::Moved(_)));
    }
    assert!(is_live(&*store, &opened(&*store, &alice).await).await);
}

pub(crate) async fn no_token_outlives_a_trial_that_is_set_at_the_same_time(store: Arc<dyn Store>) {
    let top = added_tenant(&*store, "top").await;
    let (_, alice) = branch(&*store, top, "bottom").await;
    for _ in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        let end = Timestamp(openings[0].token.expires_at.0 - 1);
        let tasks = openings.iter().map(|opening| {
            let (store, opening) = (Arc::clone(&store), opening.clone());
            tokio::spawn(async move { store.open_session(opening).await })
        });
        let tasks: Vec<_> = tasks.collect();
        tokio::task::yield_now().await;
        let trial = on_trial(top, end);
        let (outcomes, _) = futures::join!(join_all(tasks), put(&*store, &trial));
        for outcome in outcomes {
            assert!(outcome.expect("no panic").expect("an answer").is_opened());
        }
        for opening in &openings {
            assert_eq!(end_of(&*store, opening).await, Some(end));
        }
        put(&*store, &Account::of(top)).await;
    }
}

pub(crate) async fn moves_and_closings_at_once_do_not_stand_still(store: Arc<dyn Store>) {
    let (left, right) = (
        added_tenant(&*store, "left").await,
        added_tenant(&*store, "right").await,
    );
    let (moving, alice) = branch(&*store, left, "moving").await;
    for round in 0..20 {
        let parent = if round % 2 == 0 { right } else { left };
        let moves = [(moving, parent), (parent, moving), (left, right)].map(|(id, parent)| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.move_tenant(id, parent, NOW).await.map(drop) })
        });
        let puts = [left, right, moving].map(|tenant| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                try_to_put(&*store, &disabled(tenant)).await?;
                try_to_put(&*store, &Account::of(tenant)).await.map(drop)
            })
        });
        let opening = opening_of(&*store, &alice).await;
        let other = Arc::clone(&store);
        let open = tokio::spawn(async move { other.open_session(opening).await.map(drop) });
        for task in join_all(moves.into_iter().chain(puts).chain([open])).await {
            task.expect("no panic").expect("an answer");
        }
        let top = master(&*store).await;
        for tenant in [moving, left, right] {
            store.move_tenant(tenant, top, NOW).await.map(drop).expect("an answer");
        }
    }
}
