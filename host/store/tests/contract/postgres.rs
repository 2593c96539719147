//! What `PostgreSQL` promises beyond the contract: nodes hear of each other, and of not hearing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use keyway_core::model::{Account, Closed, Timestamp, TokenDigest};
use keyway_core::port::{
    Change, DocumentKind, Opening, OpeningOutcome, RevocationMark, RevokeTarget, Revoked, Store, StoreError,
    StoredChallenge, SystemRandom,
};
use keyway_store::{OpenError, StoreSettings, open};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::accounts::disabled;
use crate::documents::document;
use crate::factor_uses::otp;
use crate::factors::factor;
use crate::fixture::{
    NOW, acting_opening, added_tenant, added_user, is_live, open_session, opened, opening_of, own_opening,
};
use crate::overtake::new_password;

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

    here.revoke(&RevokeTarget::Token(tokens[0]), NOW)
        .await
        .expect("revoked");
    assert_eq!(heard(&mut heard_there).await, Change::TokensRevoked(vec![tokens[0]]));
    here.revoke(&RevokeTarget::Session(openings[1].session.id), NOW)
        .await
        .expect("revoked");
    assert_eq!(heard(&mut heard_there).await, Change::TokensRevoked(vec![tokens[1]]));
    here.set_verifier(user.id, &new_password().into(), user.created_at)
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
        .revoke(&RevokeTarget::Identity(user.id.into()), NOW)
        .await
        .expect("revoked");
    assert_eq!(revoked.tokens.len(), 300);
    assert_eq!(heard(&mut changes).await, Change::AnyTokenRevoked);
}

#[tokio::test]
async fn a_node_hears_that_another_changes_documents() {
    let url = keyway_tests::postgres::shared().database().url();
    let (here, there) = futures::join!(node(&url), node(&url));
    let (mut heard_here, mut heard_there) = (here.changes(), there.changes());
    let new = document("a", "{}", None);
    let kind = DocumentKind::PrivacyideaSetting;
    here.put_document(kind, &new).await.expect("put");
    assert_eq!(heard(&mut heard_there).await, Change::DocumentsChanged);
    assert!(there.find_document(kind, "a").await.expect("an answer").is_some());
    here.remove_document(kind, "a").await.expect("removed");
    assert_eq!(heard(&mut heard_there).await, Change::DocumentsChanged);
    // The first that this node hears is what the other does now; what was refused is no news.
    let refused = document("a", "{}", Some(7));
    there
        .put_document(kind, &refused)
        .await
        .expect_err("nothing to replace");
    added_tenant(&*there, "one").await;
    assert_eq!(heard(&mut heard_here).await, Change::TenantsChanged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_used_once_is_used_once_on_all_nodes() {
    let url = keyway_tests::postgres::shared().database().url();
    let nodes = join_all((0..2).map(|_| node(&url))).await;
    for round in 0..10_u8 {
        let mut new = factor(&format!("one{round}"));
        new.codes = vec![[round; 32]];
        let challenge = StoredChallenge {
            digest: [round; 32],
            sealed: Vec::new(),
            expires_at: Timestamp(NOW.0 + 1),
            answered: false,
        };
        nodes[0].add_factor(&new).await.expect("added");
        nodes[0].add_challenge(&challenge).await.expect("added");
        let used = otp(&new.stored.factor, 100);
        let tasks: Vec<_> = (0..32)
            .map(|number| {
                let node = Arc::clone(&nodes[number % 2]);
                tokio::spawn(async move {
                    let otp = node.use_otp(&used).await.expect("an answer");
                    let code = node.use_code(used.factor, &[round; 32], NOW).await.expect("an answer");
                    let challenge = node.finish_challenge(&[round; 32], NOW).await.expect("an answer");
                    [otp, code, challenge].map(u32::from)
                })
            })
            .collect();
        let mut winners = [0; 3];
        for task in tasks {
            let won = task.await.expect("no panic");
            winners.iter_mut().zip(won).for_each(|(winners, won)| *winners += won);
        }
        assert_eq!(winners, [1; 3], "round {round}");
    }
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
            .revoke(&RevokeTarget::Token(opening.token.digest), NOW)
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
    open_session(&*store, &other).await;
    assert!(is_live(&*store, &other).await);
}

/// Another login of the same user, made without asking the store.
fn own_opening_of(opening: &Opening) -> Opening {
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
    open_session(&*store, &opening).await;

    let mut other = PgConnection::connect(&url).await.expect("a connection");
    let mut lock = other.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE token IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .expect("locked");
    let target = RevokeTarget::Plugin(opening.session.plugin);
    let (revoked, ()) = futures::join!(store.revoke(&target, NOW), async {
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

/// Something that ends a login's session, and refuses it while it is under way.
type Ender = for<'a> fn(&'a dyn Store, &'a Opening) -> BoxFuture<'a, Revoked>;

const SET_PASSWORD: Ender = |store, opening| {
    Box::pin(async move {
        let user = opening.session.identity.user.expect("a directory user");
        let set = store.set_verifier(user, &new_password().into(), NOW).await;
        set.expect("set").expect("a user")
    })
};
const REVOKE_IDENTITY: Ender = |store, opening| {
    Box::pin(async move {
        let target = RevokeTarget::Identity(opening.session.identity.id);
        store.revoke(&target, NOW).await.expect("revoked")
    })
};
const REVOKE_PLUGIN: Ender = |store, opening| {
    Box::pin(async move {
        let target = RevokeTarget::Plugin(opening.session.plugin);
        store.revoke(&target, NOW).await.expect("revoked")
    })
};

const REVOKE_TENANT: Ender = |store, opening| {
    Box::pin(async move {
        let target = RevokeTarget::Tenant(opening.session.identity.tenant);
        store.revoke(&target, NOW).await.expect("revoked")
    })
};
const CLOSE_ACCOUNT: Ender = |store, opening| {
    Box::pin(async move { crate::accounts::put(store, &disabled(opening.session.identity.tenant)).await })
};

/// Two nodes on one database, a login under way on the first, and a connection that can hold both up where they write tokens.
struct TwoNodes {
    url: String,
    here: Arc<dyn Store>,
    there: Arc<dyn Store>,
    opening: Opening,
}

impl TwoNodes {
    async fn new() -> Self {
        let url = keyway_tests::postgres::shared().database().url();
        let (here, there) = futures::join!(node(&url), node(&url));
        let alice = added_user(&*here, "alice").await;
        let opening = opening_of(&*here, &alice).await;
        Self {
            url,
            here,
            there,
            opening,
        }
    }

    async fn hold(&self) -> PgConnection {
        let mut holder = PgConnection::connect(&self.url).await.expect("a connection");
        for statement in ["BEGIN", "LOCK TABLE token IN ACCESS EXCLUSIVE MODE"] {
            sqlx::query(statement).execute(&mut holder).await.expect("done");
        }
        holder
    }

    /// Returns when so many connections wait for a lock.
    async fn waiting(&self, count: i64) {
        let mut watcher = PgConnection::connect(&self.url).await.expect("a connection");
        let asked = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
            WHERE NOT granted AND datname = current_database()";
        let seen = async {
            while sqlx::query_scalar::<_, i64>(asked)
                .fetch_one(&mut watcher)
                .await
                .expect("a count")
                != count
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), seen).await.expect("they wait");
    }

    async fn open(&self) -> OpeningOutcome {
        self.here.open_session(self.opening.clone()).await.expect("an answer")
    }
}

async fn release(mut holder: PgConnection) {
    sqlx::query("ROLLBACK").execute(&mut holder).await.expect("unlocked");
}

#[tokio::test]
async fn a_login_waits_for_a_revocation_on_another_node_and_is_refused() {
    for (end, refused) in [
        (SET_PASSWORD, OpeningOutcome::Overtaken),
        (REVOKE_IDENTITY, OpeningOutcome::Overtaken),
        (CLOSE_ACCOUNT, OpeningOutcome::Closed(Closed::Disabled)),
    ] {
        let nodes = TwoNodes::new().await;
        let holder = nodes.hold().await;
        let (revoked, outcome, ()) = futures::join!(
            end(&*nodes.there, &nodes.opening),
            async {
                nodes.waiting(1).await;
                nodes.open().await
            },
            async {
                nodes.waiting(2).await;
                release(holder).await;
            }
        );
        assert_eq!((revoked, outcome), (Revoked::default(), refused));
    }
}

#[tokio::test]
async fn a_revocation_waits_for_a_login_on_another_node_and_ends_it() {
    for end in [
        SET_PASSWORD,
        REVOKE_IDENTITY,
        REVOKE_PLUGIN,
        REVOKE_TENANT,
        CLOSE_ACCOUNT,
    ] {
        let nodes = TwoNodes::new().await;
        let holder = nodes.hold().await;
        let (outcome, revoked, ()) = futures::join!(
            nodes.open(),
            async {
                nodes.waiting(1).await;
                end(&*nodes.there, &nodes.opening).await
            },
            async {
                nodes.waiting(2).await;
                release(holder).await;
            }
        );
        assert!(outcome.is_opened(), "{outcome:?}");
        assert_eq!(revoked.tokens, [nodes.opening.token.digest]);
        assert!(!is_live(&*nodes.here, &nodes.opening).await);
    }
}

#[tokio::test]
async fn a_login_does_not_wait_while_a_plugin_or_a_tenant_is_revoked() {
    for revoke in [REVOKE_PLUGIN, REVOKE_TENANT] {
        let nodes = TwoNodes::new().await;
        let holder = nodes.hold().await;
        let (_, ()) = futures::join!(revoke(&*nodes.there, &nodes.opening), async {
            nodes.waiting(1).await;
            assert_eq!(nodes.open().await, OpeningOutcome::Overtaken);
            release(holder).await;
        });
    }
}

#[tokio::test]
async fn the_end_of_a_session_waits_for_whoever_is_about_to_act_in_it() {
    let mut nodes = TwoNodes::new().await;
    let admin = added_user(&*nodes.here, "admin").await;
    let alice = nodes.opening.session.identity.user.expect("a user");
    let alice = nodes.here.find_user(alice).await.expect("an answer").expect("one");
    let own = opened(&*nodes.here, &admin).await;
    nodes.opening = acting_opening(&*nodes.here, &own, &alice).await;
    let holder = nodes.hold().await;
    let target = RevokeTarget::Session(own.session.id);
    let (outcome, revoked, ()) = futures::join!(
        nodes.open(),
        async {
            nodes.waiting(1).await;
            nodes.there.revoke(&target, NOW).await.expect("revoked")
        },
        async {
            nodes.waiting(2).await;
            release(holder).await;
        }
    );
    assert!(outcome.is_opened(), "{outcome:?}");
    assert_eq!(revoked.tokens, [own.token.digest, nodes.opening.token.digest]);
    assert!(!is_live(&*nodes.here, &nodes.opening).await);
}

#[tokio::test]
async fn nobody_acts_in_a_session_that_another_node_is_ending() {
    let mut nodes = TwoNodes::new().await;
    let admin = added_user(&*nodes.here, "admin").await;
    let alice = nodes.opening.session.identity.user.expect("a user");
    let alice = nodes.here.find_user(alice).await.expect("an answer").expect("one");
    let own = opened(&*nodes.here, &admin).await;
    nodes.opening = acting_opening(&*nodes.here, &own, &alice).await;
    let holder = nodes.hold().await;
    let target = RevokeTarget::Session(own.session.id);
    let (revoked, outcome, ()) = futures::join!(
        nodes.there.revoke(&target, NOW),
        async {
            nodes.waiting(1).await;
            nodes.open().await
        },
        async {
            nodes.waiting(2).await;
            release(holder).await;
        }
    );
    assert_eq!(revoked.expect("revoked").tokens, [own.token.digest]);
    assert_eq!(outcome, OpeningOutcome::Overtaken);
}

#[tokio::test]
async fn a_node_hears_what_becomes_of_accounts_and_of_who_acts() {
    let url = keyway_tests::postgres::shared().database().url();
    let (here, there) = futures::join!(node(&url), node(&url));
    let tenant = added_tenant(&*here, "one").await;
    let admin = crate::fixture::user(tenant, "admin");
    here.add_user(&admin).await.expect("added");
    let alice = added_user(&*here, "alice").await;
    let own = opened(&*here, &admin.user).await;
    let acting = acting_opening(&*here, &own, &alice).await;
    open_session(&*here, &acting).await;
    let mut changes = there.changes();
    crate::accounts::put(&*here, &Account::of(tenant)).await;
    assert_eq!(heard(&mut changes).await, Change::TenantsChanged);
    crate::accounts::put(&*here, &disabled(tenant)).await;
    let tokens = vec![own.token.digest, acting.token.digest];
    assert_eq!(heard(&mut changes).await, Change::TokensRevoked(tokens));
    assert_eq!(heard(&mut changes).await, Change::TenantsChanged);
}

#[tokio::test]
async fn marks_are_committed_in_their_order() {
    let nodes = TwoNodes::new().await;
    let before = nodes.opening.verified_since;
    let mut first = PgConnection::connect(&nodes.url).await.expect("a connection");
    for statement in ["BEGIN", "UPDATE revocation_clock SET mark = mark + 1"] {
        sqlx::query(statement).execute(&mut first).await.expect("done");
    }
    let (_, ()) = futures::join!(SET_PASSWORD(&*nodes.there, &nodes.opening), async {
        nodes.waiting(1).await;
        assert_eq!(nodes.here.revocation_mark().await.expect("a mark"), before);
        sqlx::query("COMMIT").execute(&mut first).await.expect("committed");
    });
    assert_eq!(
        nodes.here.revocation_mark().await.expect("a mark"),
        RevocationMark(before.0 + 2)
    );
}

#[tokio::test]
async fn an_event_that_is_committed_late_is_not_missed() {
    let server = keyway_tests::postgres::private();
    let url = server.database().url();
    let store = node(&url).await;
    let place = store.last_event().await.expect("an answer");
    let mut early = PgConnection::connect(&url).await.expect("a connection");
    for statement in [
        "BEGIN",
        "INSERT INTO event (kind, document) VALUES ('auth_session_created', '{\"early\":true}')",
    ] {
        sqlx::query(statement).execute(&mut early).await.expect("done");
    }
    // One that got its number later and is committed first.
    let opening = own_opening(&*store).await;
    open_session(&*store, &opening).await;
    assert_eq!(store.read_events(place, 10).await.expect("events"), []);
    assert_eq!(store.last_event().await.expect("an answer"), place);
    sqlx::query("COMMIT").execute(&mut early).await.expect("committed");
    let events = store.read_events(place, 10).await.expect("events");
    let early: Vec<_> = events
        .iter()
        .map(|event| event.event.document.contains_key("early"))
        .collect();
    assert_eq!(early, [true, false]);
    assert_eq!(store.last_event().await.expect("an answer"), events[1].cursor);
}

#[tokio::test]
async fn one_node_holds_a_receiver_of_events() {
    let url = keyway_tests::postgres::shared().database().url();
    let (here, there) = futures::join!(node(&url), node(&url));
    here.add_event_receiver("webhook:a", NOW).await.expect("added");
    let hold = crate::event::held(&*here, "webhook:a").await;
    let other = there.hold_event_receiver("webhook:a").await.expect("an answer");
    assert!(other.is_none(), "one node at a time");
    let other = there.hold_event_receiver("webhook:b").await.expect("an answer");
    assert!(other.is_some(), "another receiver");
    drop(hold);
    crate::event::held(&*there, "webhook:a").await;
}

#[tokio::test]
async fn a_node_that_was_cut_off_notes_nothing() {
    let url = keyway_tests::postgres::shared().database().url();
    let (here, there) = futures::join!(node(&url), node(&url));
    here.add_event_receiver("webhook:a", NOW).await.expect("added");
    let place = here.last_event().await.expect("an answer");
    let mut lost = crate::event::held(&*here, "webhook:a").await;
    let mut admin = PgConnection::connect(&url).await.expect("a connection");
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
        .execute(&mut admin)
        .await
        .expect("cut off");
    let mut hold = crate::event::held(&*there, "webhook:a").await;
    let to = keyway_core::model::EventCursor {
        epoch: place.epoch + 1,
        id: 1,
    };
    assert!(lost.advance(to, NOW).await.is_err());
    assert!(lost.cursor().await.is_err());
    assert_eq!(hold.cursor().await.expect("a place"), place);
}

#[tokio::test]
async fn events_of_another_server_are_read_after_a_restore() {
    let server = keyway_tests::postgres::private();
    let url = server.database().url();
    let first = node(&url).await;
    first.add_event_receiver("webhook:a", NOW).await.expect("added");
    first.close().await;
    let mut restore = PgConnection::connect(&url).await.expect("a connection");
    // Written in the order of their ids but for the last two; the receiver has come to the third.
    for (transaction, name) in [
        (1_000_000_000_000_u64, 1),
        (1_000_000_000_001, 2),
        (1_000_000_000_003, 3),
        (1_000_000_000_002, 4),
    ] {
        let statement =
            "INSERT INTO event (transaction, kind, document) VALUES ($1::text::xid8, 'auth_tenant_added', $2)";
        sqlx::query(statement)
            .bind(transaction.to_string())
            .bind(format!("{{\"name\":{name}}}"))
            .execute(&mut restore)
            .await
            .expect("restored");
    }
    let told = "UPDATE event_receiver SET epoch = e.transaction::text::bigint, position = e.id FROM event e WHERE document = '{\"name\":4}'";
    sqlx::query(told).execute(&mut restore).await.expect("restored");

    let store = node(&url).await;
    let opening = own_opening(&*store).await;
    open_session(&*store, &opening).await;
    let place = crate::event::held(&*store, "webhook:a")
        .await
        .cursor()
        .await
        .expect("a place");
    let names = |events: Vec<keyway_core::model::Event>| {
        let name =
            |event: &keyway_core::model::Event| event.event.document.get("name").and_then(serde_json::Value::as_i64);
        events.iter().map(name).collect::<Vec<_>>()
    };
    let all = store
        .read_events(keyway_core::model::EventCursor::START, 10)
        .await
        .expect("events");
    assert_eq!(names(all), [Some(1), Some(2), Some(3), Some(4), None]);
    let rest = store.read_events(place, 10).await.expect("events");
    // The third is the one that it was not told of; one after it is told again.
    assert_eq!(names(rest), [Some(3), Some(4), None]);
}
