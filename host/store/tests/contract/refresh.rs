//! Refresh tokens.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{
    Client, Direction, IdentityId, Page, PluginDigest, Query, RefreshToken, RefreshTokenId, TenantScope, Timestamp,
    User, UserId,
};
use keyway_core::port::{
    Opened, Opening, OpeningOutcome, RefreshFilter, RefreshOrder, Refreshing, RevokeTarget, Store, StoreError,
};

use crate::fixture::{
    NOW, added_tenant, added_user, backend, digest, is_live, master, open_session, opening_of, own_opening, uuid,
};
use crate::overtake::set_password;

/// A refresh token for this login, as yet in no store.
pub(crate) fn token(opening: &Opening, client_id: &str) -> RefreshToken {
    RefreshToken {
        id: RefreshTokenId(uuid()),
        digest: digest(),
        identity: opening.session.identity.clone(),
        plugin: opening.session.plugin,
        linked_as: None,
        client_id: client_id.to_owned(),
        mobile: false,
        client: opening.session.client.clone(),
        attributes: opening.session.attributes.clone(),
        created_at: NOW,
        expires_at: None,
    }
}

pub(crate) fn making(opening: &Opening, token: RefreshToken) -> Opening {
    let token = Box::new(token);
    Opening {
        refresh: Refreshing::Make { token, replaces: None },
        ..opening.clone()
    }
}

pub(crate) async fn open(store: &dyn Store, opening: Opening) -> Opened {
    match store.open_session(opening).await.expect("an answer") {
        OpeningOutcome::Opened(opened) => opened,
        outcome => panic!("{outcome:?}"),
    }
}

/// Logs the user in as this client; returns the login and the refresh token.
pub(crate) async fn made(store: &dyn Store, user: &User, client_id: &str, mobile: bool) -> (Opening, RefreshToken) {
    let opening = opening_of(store, user).await;
    let token = RefreshToken {
        mobile,
        ..token(&opening, client_id)
    };
    let opened = open(store, making(&opening, token)).await;
    (opening, *opened.refresh.expect("a refresh token"))
}

/// A login with the refresh token.
async fn used(store: &dyn Store, user: &User, id: RefreshTokenId) -> Opening {
    let mut opening = opening_of(store, user).await;
    opening.session.refresh = Some(id);
    opening.refresh = Refreshing::With(id);
    opening
}

pub(crate) async fn a_refresh_token_is_brought_in_once(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let opening = opening_of(&*store, &alice).await;
    let first = token(&opening, "app");
    assert!(store.add_refresh_token(&first).await.expect("added"));
    let same_client = token(&opening, "app");
    let same_digest = RefreshToken {
        digest: first.digest,
        ..token(&opening, "other")
    };
    for again in [&first, &same_client, &same_digest] {
        assert!(!store.add_refresh_token(again).await.expect("an answer"));
    }
    let (found, _) = store
        .find_refresh_token(&first.digest)
        .await
        .expect("an answer")
        .expect("it is there");
    assert_eq!(found, first);
    let mut of_nobody = token(&opening, "third");
    of_nobody.identity.user = Some(UserId(uuid()));
    let error = store.add_refresh_token(&of_nobody).await.expect_err("nobody's");
    assert!(matches!(error, StoreError::Missing { what: "user" }), "{error:?}");
}

async fn is_there(store: &dyn Store, token: &RefreshToken) -> bool {
    let found = store.find_refresh_token(&token.digest).await.expect("an answer");
    found.is_some_and(|(found, _)| found.id == token.id)
}

pub(crate) async fn a_refresh_token_is_found_as_it_was_made(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let of_user = opening_of(&*store, &user).await;
    let mut bare = token(&of_user, "Süd/1");
    bare.client = Client::default();
    bare.attributes.clear();
    bare.linked_as = Some("Älice@corp".to_owned());
    let own = own_opening(&*store).await;
    let full = RefreshToken {
        expires_at: Some(Timestamp(i64::MAX)),
        ..token(&own, "x")
    };
    for (opening, token) in [(of_user, bare), (own, full)] {
        let opened = open(&*store, making(&opening, token.clone())).await;
        let expected = Opened {
            refresh: Some(Box::new(token.clone())),
            ..Opened::default()
        };
        assert_eq!(opened, expected);
        let mark = store.revocation_mark().await.expect("a mark");
        let found = store.find_refresh_token(&token.digest).await.expect("an answer");
        assert_eq!(found, Some((token.clone(), mark)));
        let of = store.find_refresh_token_of(token.identity.id, &token.client_id).await;
        assert_eq!(of.expect("an answer"), Some(token.clone()));
        let session = store.find_token(&opening.token.digest).await.expect("an answer");
        assert_eq!(session.expect("a token").session.refresh, Some(token.id));
    }
    for (id, client) in [(IdentityId(uuid()), "x"), (user.id.into(), "y"), (user.id.into(), "\0")] {
        assert_eq!(store.find_refresh_token_of(id, client).await.expect("an answer"), None);
        assert!(!store.remove_refresh_token(id, client).await.expect("an answer"));
    }
    assert_eq!(store.find_refresh_token(&digest()).await.expect("an answer"), None);
}

pub(crate) async fn a_client_keeps_the_refresh_token_that_it_has(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let (_, first) = made(&*store, &user, "web", false).await;
    let (second, kept) = made(&*store, &user, "web", false).await;
    assert_eq!(kept, first);
    let session = store.find_token(&second.token.digest).await.expect("an answer");
    assert_eq!(session.expect("a token").session.refresh, Some(first.id));
    // Its end moves with each login, and so does the backend's name for its owner.
    let opening = opening_of(&*store, &user).await;
    let mut later = token(&opening, "web");
    later.expires_at = Some(Timestamp(NOW.0 + 5));
    later.linked_as = Some("alice@corp".to_owned());
    let opened = open(&*store, making(&opening, later)).await;
    let moved = opened.refresh.expect("a refresh token");
    assert_eq!((moved.id, moved.expires_at), (first.id, Some(Timestamp(NOW.0 + 5))));
    assert_eq!(moved.linked_as.as_deref(), Some("alice@corp"));
    let of = store.find_refresh_token_of(user.id.into(), "web").await;
    assert_eq!(of.expect("an answer"), Some(*moved));
}

pub(crate) async fn a_refresh_token_that_does_not_fit_is_replaced(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let spoilt: [fn(&mut RefreshToken, &RefreshToken, &mut Option<RefreshTokenId>); 4] = [
        |new, _, _| new.plugin = PluginDigest([8; 32]),
        |new, _, _| new.identity.backend = backend("other"),
        |_, old, replaces| *replaces = Some(old.id),
        |new, _, _| new.created_at = Timestamp(NOW.0 + 10),
    ];
    for (n, spoil) in spoilt.into_iter().enumerate() {
        let client = format!("client-{n}");
        let opening = opening_of(&*store, &user).await;
        let mut old = token(&opening, &client);
        old.expires_at = Some(Timestamp(NOW.0 + 10));
        open(&*store, making(&opening, old.clone())).await;
        let opening = opening_of(&*store, &user).await;
        let mut new = token(&opening, &client);
        let mut replaces = None;
        spoil(&mut new, &old, &mut replaces);
        let refresh = Refreshing::Make {
            token: Box::new(new.clone()),
            replaces,
        };
        let opened = open(&*store, Opening { refresh, ..opening }).await;
        assert_eq!(opened.refresh, Some(Box::new(new.clone())), "{n}");
        assert!(is_there(&*store, &new).await);
        assert!(!is_there(&*store, &old).await, "{n}");
    }
}

pub(crate) async fn a_mobile_client_takes_the_place_of_the_one_before(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let (web_login, web) = made(&*store, &alice, "web", false).await;
    let (others_login, others) = made(&*store, &bob, "phone", true).await;
    let (first_login, first) = made(&*store, &alice, "phone", true).await;
    let refreshed = used(&*store, &alice, first.id).await;
    open_session(&*store, &refreshed).await;
    for client in ["phone", "web"] {
        let before = store
            .find_refresh_token_of(alice.id.into(), "phone")
            .await
            .expect("an answer");
        let opening = opening_of(&*store, &alice).await;
        let new = RefreshToken {
            mobile: true,
            ..token(&opening, client)
        };
        let mut opened = open(&*store, making(&opening, new.clone())).await;
        assert_eq!(opened.refresh, Some(Box::new(new.clone())));
        assert!(!is_there(&*store, &before.expect("a refresh token")).await);
        if client == "phone" {
            let mut sessions = vec![first_login.session.id, refreshed.session.id];
            sessions.sort();
            opened.revoked.sessions.sort();
            assert_eq!(opened.revoked.sessions, sessions);
            assert_eq!(opened.revoked.tokens.len(), 2);
            assert!(is_there(&*store, &web).await);
        }
        assert!(is_live(&*store, &opening).await);
    }
    assert!(!is_live(&*store, &first_login).await);
    assert!(!is_live(&*store, &refreshed).await);
    assert!(is_live(&*store, &web_login).await, "what was issued lives on");
    assert!(is_live(&*store, &others_login).await);
    assert!(is_there(&*store, &others).await);
}

pub(crate) async fn two_mobile_clients_at_once_leave_one_refresh_token(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    for round in 0..5 {
        let clients: Vec<_> = (0..8).map(|n| format!("phone-{round}-{n}")).collect();
        let logins = join_all(clients.iter().map(|client| made(&*store, &user, client, true))).await;
        let mut left = 0;
        for (opening, token) in &logins {
            let there = is_there(&*store, token).await;
            assert_eq!(is_live(&*store, opening).await, there);
            left += u32::from(there);
        }
        assert_eq!(left, 1);
    }
}

pub(crate) async fn one_client_that_asks_at_once_gets_one_refresh_token(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let logins = join_all((0..8).map(|_| made(&*store, &user, "web", false))).await;
    let tokens: HashSet<_> = logins.iter().map(|(_, token)| token.id).collect();
    assert_eq!(tokens.len(), 1);
}

pub(crate) async fn a_login_with_a_refresh_token_needs_it_to_be_there(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let (_, token) = made(&*store, &user, "web", false).await;
    let good = used(&*store, &user, token.id).await;
    open_session(&*store, &good).await;
    let late = used(&*store, &user, token.id).await;
    let removed = store.remove_refresh_token(user.id.into(), "web").await;
    assert!(removed.expect("an answer"));
    assert!(
        !store
            .remove_refresh_token(user.id.into(), "web")
            .await
            .expect("an answer")
    );
    let outcome = store.open_session(late.clone()).await.expect("an answer");
    assert_eq!(outcome, OpeningOutcome::Overtaken);
    assert!(!is_live(&*store, &late).await);
    assert!(is_live(&*store, &good).await);
}

pub(crate) async fn refresh_tokens_end_with_what_they_rest_on(store: Arc<dyn Store>) {
    let bob = added_user(&*store, "bob").await;
    let (_, others) = made(&*store, &bob, "web", false).await;
    let plugin = PluginDigest([0xbd; 32]);
    for target in [RevokeTarget::Identity(IdentityId(uuid())), RevokeTarget::Plugin(plugin)] {
        let mut opening = own_opening(&*store).await;
        if let RevokeTarget::Identity(id) = target {
            opening.session.identity.id = id;
        } else {
            opening.session.plugin = plugin;
        }
        let token = token(&opening, "web");
        open(&*store, making(&opening, token.clone())).await;
        store.revoke(&target, NOW).await.expect("revoked");
        assert!(!is_there(&*store, &token).await, "{target:?}");
    }
    let alice = added_user(&*store, "alice").await;
    let (_, token) = made(&*store, &alice, "web", false).await;
    set_password(&*store, &alice).await;
    assert!(!is_there(&*store, &token).await);
    let (login, token) = made(&*store, &alice, "web", false).await;
    for target in [
        RevokeTarget::Session(login.session.id),
        RevokeTarget::Token(login.token.digest),
    ] {
        store.revoke(&target, NOW).await.expect("revoked");
        assert!(is_there(&*store, &token).await, "a client that logs out can come back");
    }
    store.remove_user(alice.id).await.expect("removed");
    assert!(!is_there(&*store, &token).await);
    assert!(is_there(&*store, &others).await);
}

pub(crate) async fn no_refresh_survives_what_runs_at_the_same_time(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let plugin = opening_of(&*store, &alice).await.session.plugin;
    for target in [
        None,
        Some(RevokeTarget::Identity(alice.id.into())),
        Some(RevokeTarget::Plugin(plugin)),
    ]
    .iter()
    .cycle()
    .take(12)
    {
        let (_, token) = made(&*store, &alice, "web", false).await;
        let logins = join_all((0..8).map(|_| used(&*store, &alice, token.id))).await;
        let opened = logins.iter().map(|opening| {
            let (store, opening) = (Arc::clone(&store), opening.clone());
            tokio::spawn(async move { store.open_session(opening).await.expect("an answer") })
        });
        let opened: Vec<_> = opened.collect();
        // Some first, some later.
        tokio::task::yield_now().await;
        let end = async {
            match target {
                None => set_password(&*store, &alice).await,
                Some(target) => drop(store.revoke(target, NOW).await.expect("revoked")),
            }
        };
        let (outcomes, ()) = futures::join!(join_all(opened), end);
        for outcome in outcomes {
            let outcome = outcome.expect("no panic");
            assert!(matches!(outcome, OpeningOutcome::Opened(_) | OpeningOutcome::Overtaken));
        }
        for opening in &logins {
            assert!(!is_live(&*store, opening).await);
        }
        assert!(!is_there(&*store, &token).await);
    }
}

pub(crate) async fn a_sweep_removes_expired_refresh_tokens_in_batches(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let mut tokens = Vec::new();
    for expires_at in [Some(1), Some(2), Some(3), Some(4), None] {
        let opening = opening_of(&*store, &user).await;
        let new = RefreshToken {
            created_at: Timestamp(0),
            expires_at: expires_at.map(Timestamp),
            ..token(&opening, &format!("client-{expires_at:?}"))
        };
        open(&*store, making(&opening, new.clone())).await;
        tokens.push(new);
    }
    for expected in [2, 1, 0] {
        let swept = store.sweep(Timestamp(3), 2).await.expect("swept");
        assert_eq!((swept.refresh_tokens, swept.tokens), (expected, 0));
    }
    for token in &tokens {
        let is_left = token.expires_at.is_none_or(|at| at > Timestamp(3));
        assert_eq!(is_there(&*store, token).await, is_left);
    }
}

/// The clients' ids, and both counts.
async fn clients(store: &dyn Store, query: Query<RefreshFilter, RefreshOrder>) -> (String, u64, u64) {
    let paged = store.list_refresh_tokens(&query).await.expect("a list");
    let ids: Vec<_> = paged.items.into_iter().map(|token| token.client_id).collect();
    (ids.join(" "), paged.total, paged.filtered)
}

/// Three of alice's in the top tenant, and one of somebody's in a tenant below.
async fn four(store: &dyn Store) -> User {
    let below = added_tenant(store, "below").await;
    let alice = added_user(store, "alice").await;
    for (n, client, mobile) in [(1, "b_1", false), (2, "Äa", true), (3, "c%", false)] {
        let opening = opening_of(store, &alice).await;
        let token = RefreshToken {
            mobile,
            created_at: Timestamp(n),
            ..token(&opening, client)
        };
        open(store, making(&opening, token)).await;
    }
    let mut elsewhere = own_opening(store).await;
    elsewhere.session.identity.tenant = below;
    let mut new = token(&elsewhere, "d");
    new.created_at = Timestamp(0);
    open(store, making(&elsewhere, new)).await;
    alice
}

pub(crate) async fn refresh_tokens_are_listed_by_scope_filter_and_search(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let alice = four(&*store).await;
    let all = || Query::all(TenantScope::All);
    assert_eq!(clients(&*store, all()).await, ("d b_1 Äa c%".to_owned(), 4, 4));
    let only = Query::all(TenantScope::Only(top));
    assert_eq!(clients(&*store, only).await, ("b_1 Äa c%".to_owned(), 3, 3));
    let subtree = Query::all(TenantScope::Subtree(top));
    assert_eq!(clients(&*store, subtree).await.1, 4);
    let filter = RefreshFilter {
        identity: Some(alice.id.into()),
        client_id: Some("c%".to_owned()),
        mobile: None,
    };
    assert_eq!(
        clients(&*store, Query { filter, ..all() }).await,
        ("c%".to_owned(), 3, 1)
    );
    let filter = RefreshFilter {
        mobile: Some(true),
        ..RefreshFilter::default()
    };
    assert_eq!(
        clients(&*store, Query { filter, ..all() }).await,
        ("Äa".to_owned(), 4, 1)
    );
    for (text, found) in [("ÄA", "Äa"), ("_", "b_1"), ("%", "c%"), ("\0", ""), ("' OR 1=1 --", "")] {
        let search = Some(text.to_owned());
        assert_eq!(clients(&*store, Query { search, ..all() }).await.0, found);
    }
}

pub(crate) async fn refresh_tokens_are_listed_by_order_and_page(store: Arc<dyn Store>) {
    four(&*store).await;
    let direction = Direction::Descending;
    let query = |order| Query {
        order,
        direction,
        ..Query::all(TenantScope::All)
    };
    for (order, expected) in [
        (RefreshOrder::Created, "c% Äa b_1 d"),
        (RefreshOrder::Client, "Äa d c% b_1"),
    ] {
        assert_eq!(clients(&*store, query(order)).await.0, expected);
    }
    let query = Query {
        page: Page { offset: 0, limit: 1 },
        ..query(RefreshOrder::Mobile)
    };
    assert_eq!(clients(&*store, query).await, ("Äa".to_owned(), 4, 4));
}
