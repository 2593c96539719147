//! What `PostgreSQL` promises beyond the contract: nodes hear of each other, and of not hearing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use keyway_core::model::TokenDigest;
use keyway_core::port::{Change, RevokeTarget, Store, StoreError, SystemRandom};
use keyway_store::{OpenError, StoreSettings, open};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::fixture::{added_tenant, added_user, is_live, opened, own_opening};

async fn node(url: &str) -> Arc<dyn Store> {
    open(url, StoreSettings::default(), &SystemRandom)
        .await
        .expect("a store")
}

async fn heard(changes: &mut Receiver<Change>) -> Change {
    timeout(Duration::from_secs(20), changes.recv())
        .await
        .expect("a change in time")
        .expect("a change")
}

#[tokio::test]
async fn a_node_hears_what_another_revokes_and_never_its_own() {
    let url = keyway_tests::postgres::shared().database().url();
    let (here, there) = futures::join!(node(&url), node(&url));
    let (mut heard_here, mut heard_there) = (here.changes(), there.changes());
    let user = added_user(&*here, "alice").await;
    let openings = join_all((0..4).map(|_| opened(&*here, &user))).await;
    assert!(is_live(&*there, &openings[0]).await);
    let tokens: Vec<TokenDigest> = openings.iter().map(|opening| opening.token.digest).collect();

    here.revoke(&RevokeTarget::Token(tokens[0])).await.expect("revoked");
    assert_eq!(heard(&mut heard_there).await, Change::TokensRevoked(vec![tokens[0]]));
    here.revoke(&RevokeTarget::Session(openings[1].session.id))
        .await
        .expect("revoked");
    assert_eq!(heard(&mut heard_there).await, Change::TokensRevoked(vec![tokens[1]]));
    here.set_verifier(user.id, &keyway_core::Secret::new("$x".to_owned()), user.created_at)
        .await
        .expect("set");
    let Change::TokensRevoked(mut named) = heard(&mut heard_there).await else {
        panic!("not the tokens");
    };
    named.sort();
    let mut both = tokens[2..].to_vec();
    both.sort();
    assert_eq!(named, both);
    let last = opened(&*here, &user).await;
    here.remove_user(user.id).await.expect("removed");
    assert_eq!(
        heard(&mut heard_there).await,
        Change::TokensRevoked(vec![last.token.digest])
    );
    let tenant = added_tenant(&*here, "one").await;
    assert_eq!(heard(&mut heard_there).await, Change::TenantsChanged);
    here.remove_tenant(tenant).await.expect("removed");
    assert_eq!(heard(&mut heard_there).await, Change::TenantsChanged);

    // The first that this node hears is what the other does now.
    added_tenant(&*there, "two").await;
    assert_eq!(heard(&mut heard_here).await, Change::TenantsChanged);
    assert!(heard_here.try_recv().is_err(), "its own changes are no news");
}

#[tokio::test]
async fn more_tokens_than_fit_a_notice_are_not_named() {
    let url = keyway_tests::postgres::shared().database().url();
    let (here, there) = futures::join!(node(&url), node(&url));
    let mut changes = there.changes();
    let user = added_user(&*here, "alice").await;
    for _ in 0..10 {
        join_all((0..30).map(|_| opened(&*here, &user))).await;
    }
    let revoked = here
        .revoke(&RevokeTarget::Identity(user.id.into()))
        .await
        .expect("revoked");
    assert_eq!(revoked.tokens.len(), 300);
    assert_eq!(heard(&mut changes).await, Change::AnyTokenRevoked);
}

#[tokio::test]
async fn nodes_that_start_at_once_share_one_top_tenant() {
    let url = keyway_tests::postgres::shared().database().url();
    let nodes = join_all((0..4).map(|_| node(&url))).await;
    let tenants = join_all(nodes.iter().map(|node| node.list_tenants())).await;
    let tenants: Vec<_> = tenants
        .into_iter()
        .map(|tenants| tenants.expect("the tenants"))
        .collect();
    assert_eq!(tenants[0].len(), 1);
    assert!(tenants.iter().all(|of_node| *of_node == tenants[0]));
}

#[tokio::test]
async fn a_server_that_stops_is_told_at_once_and_its_return_too() {
    let server = keyway_tests::postgres::private();
    let settings = StoreSettings {
        acquire_timeout: Duration::from_secs(1),
        ..StoreSettings::default()
    };
    let store = open(&server.database().url(), settings, &SystemRandom)
        .await
        .expect("a store");
    let mut changes = store.changes();
    let user = added_user(&*store, "alice").await;
    let opening = opened(&*store, &user).await;

    server.stop();
    assert_eq!(heard(&mut changes).await, Change::FeedLost);
    let asked = Instant::now();
    let errors = [
        store.find_token(&opening.token.digest).await.expect_err("down"),
        store.open_session(own_opening_of(&opening)).await.expect_err("down"),
        store
            .revoke(&RevokeTarget::Token(opening.token.digest))
            .await
            .expect_err("down"),
        store.ping().await.expect_err("down"),
    ];
    assert!(
        errors
            .iter()
            .all(|error| matches!(error, StoreError::Unavailable { .. })),
        "{errors:?}"
    );
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "four calls took {:?}",
        asked.elapsed()
    );

    server.start();
    assert_eq!(heard(&mut changes).await, Change::FeedRestored);
    store.ping().await.expect("an answer");
    assert!(is_live(&*store, &opening).await);
    let other = own_opening(&*store).await;
    store.open_session(other.clone()).await.expect("opened");
    assert!(is_live(&*store, &other).await);
}

/// Another login of the same user, made without asking the store.
fn own_opening_of(opening: &keyway_core::port::Opening) -> keyway_core::port::Opening {
    let mut other = opening.clone();
    other.session.id = keyway_core::model::SessionId(crate::fixture::uuid());
    other.token.session = other.session.id;
    other.token.digest = crate::fixture::digest();
    other
}

#[tokio::test]
async fn a_call_is_given_up_in_time_but_a_plugin_is_revoked_however_long_it_takes() {
    let url = keyway_tests::postgres::shared().database().url();
    let settings = StoreSettings {
        call_timeout: Duration::from_millis(300),
        ..StoreSettings::default()
    };
    let store = open(&url, settings, &SystemRandom).await.expect("a store");
    let opening = own_opening(&*store).await;
    store.open_session(opening.clone()).await.expect("opened");

    let mut other = PgConnection::connect(&url).await.expect("a connection");
    let mut lock = other.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE token IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .expect("locked");
    let target = RevokeTarget::Plugin(opening.session.plugin);
    let (revoked, ()) = futures::join!(store.revoke(&target), async {
        for _ in 0..2 {
            let asked = Instant::now();
            let error = store.find_token(&opening.token.digest).await.expect_err("locked");
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
            assert!(
                asked.elapsed() < Duration::from_secs(3),
                "one call took {:?}",
                asked.elapsed()
            );
        }
        lock.rollback().await.expect("unlocked");
    });
    assert_eq!(revoked.expect("revoked").tokens, [opening.token.digest]);
    assert!(!is_live(&*store, &opening).await);
}

#[tokio::test]
async fn no_error_shows_the_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().display().to_string().replace('/', "%2F");
    let settings = StoreSettings {
        acquire_timeout: Duration::from_secs(1),
        ..StoreSettings::default()
    };
    for url in [
        format!("postgres://ana:s3cre7@{nowhere}/d"),
        "postgres://ana:s3cre7@h:port/d".to_owned(),
        "postgres://ana:s3cre7@h/d?sslmode=s3cre7".to_owned(),
    ] {
        let error = open(&url, settings, &SystemRandom).await.err().expect("refused");
        assert!(
            matches!(error, OpenError::Url(_) | OpenError::Connect { .. }),
            "{error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("s3cre7"), "{error:?}");
    }
}
