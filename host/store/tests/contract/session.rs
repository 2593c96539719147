//! Lists of sessions, and how many there may be.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{Direction, IdentityId, LINK_DIALECT, Page, Query, SessionId, TenantScope, Timestamp};
use keyway_core::port::{Opening, OpeningOutcome, SessionFilter, SessionOrder, Store};

use crate::fixture::{added_tenant, added_user, is_live, master, open_session, opening_of, own_opening, uuid};
use crate::refresh::{making, open, token};

async fn ids(store: &dyn Store, query: Query<SessionFilter, SessionOrder>) -> (Vec<SessionId>, u64, u64) {
    let paged = store.list_sessions(&query).await.expect("a list");
    let ids = paged.items.into_iter().map(|listed| listed.session.id).collect();
    (ids, paged.total, paged.filtered)
}

pub(crate) async fn a_session_is_found_as_it_was_opened(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let mut bare = opening_of(&*store, &user).await;
    bare.session.admin = None;
    bare.session.mobile = false;
    bare.session.refresh = None;
    for opening in [own_opening(&*store).await, bare] {
        open_session(&*store, &opening).await;
        let found = store.find_session(opening.session.id).await.expect("an answer");
        assert_eq!(found, Some(opening.session));
    }
    assert_eq!(store.find_session(SessionId(uuid())).await.expect("an answer"), None);
}

pub(crate) async fn sessions_are_listed_by_scope_owner_order_and_page(store: Arc<dyn Store>) {
    let (top, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let alice = added_user(&*store, "alice").await;
    let mut openings = Vec::new();
    for n in 0..3 {
        let mut opening = opening_of(&*store, &alice).await;
        opening.session.opened_at = Timestamp(10 - n);
        opening.session.mobile = n == 1;
        open_session(&*store, &opening).await;
        openings.push(opening.session.id);
    }
    let mut elsewhere = own_opening(&*store).await;
    elsewhere.session.identity.tenant = below;
    open_session(&*store, &elsewhere).await;
    let [first, second, third] = openings[..] else {
        panic!("three sessions");
    };
    let only = Query::all(TenantScope::Only(top));
    assert_eq!(ids(&*store, only.clone()).await, (vec![third, second, first], 3, 3));
    let subtree = Query::all(TenantScope::Subtree(top));
    let last = elsewhere.session.id;
    assert_eq!(ids(&*store, subtree).await, (vec![third, second, first, last], 4, 4));
    let filter = SessionFilter {
        identity: Some(alice.id.into()),
    };
    let all = || Query::all(TenantScope::All);
    assert_eq!(ids(&*store, Query { filter, ..all() }).await.1, 3);
    let filter = SessionFilter {
        identity: Some(IdentityId(uuid())),
    };
    assert_eq!(ids(&*store, Query { filter, ..all() }).await, (Vec::new(), 0, 0));
    let query = Query {
        order: SessionOrder::Mobile,
        direction: Direction::Descending,
        page: Page { offset: 0, limit: 1 },
        ..only
    };
    assert_eq!(ids(&*store, query).await, (vec![second], 3, 3));
}

pub(crate) async fn a_list_tells_the_end_and_the_client_of_each_session(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    for (n, agent) in [(3, "b"), (2, "a")] {
        let mut opening = opening_of(&*store, &alice).await;
        opening.session.client.user_agent = Some(agent.to_owned());
        opening.session.refresh = None;
        opening.token.expires_at = Timestamp(10 + n);
        open_session(&*store, &opening).await;
    }
    let mut opening = opening_of(&*store, &alice).await;
    opening.session.client.user_agent = Some("c".to_owned());
    opening.token.expires_at = Timestamp(11);
    open(&*store, making(&opening, token(&opening, "web"))).await;
    let by = async |order| {
        let query = Query {
            order,
            ..Query::all(TenantScope::All)
        };
        let rows = store.list_sessions(&query).await.expect("a list").items.into_iter();
        let told = rows.map(|row| {
            let agent = row.session.client.user_agent.expect("a program");
            let end = row.expires_at.map_or(0, |at| at.0);
            format!("{agent}{end}{}", row.client_id.unwrap_or_default())
        });
        told.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(by(SessionOrder::UserAgent).await, "a12 b13 c11web");
    assert_eq!(by(SessionOrder::Expires).await, "c11web a12 b13");
    assert!(by(SessionOrder::Client).await.ends_with("c11web"));
}

pub(crate) async fn a_mailed_link_is_in_the_list_of_all_sessions_and_in_nobodys(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let mut link = opening_of(&*store, &alice).await;
    LINK_DIALECT.clone_into(&mut link.session.dialect);
    open_session(&*store, &link).await;
    let all = Query::all(TenantScope::All);
    assert_eq!(ids(&*store, all.clone()).await, (vec![link.session.id], 1, 1));
    let filter = SessionFilter {
        identity: Some(alice.id.into()),
    };
    assert_eq!(ids(&*store, Query { filter, ..all }).await, (Vec::new(), 0, 0));
}

/// A login that may be the third.
fn limited(opening: Opening) -> Opening {
    Opening {
        limit: Some(3),
        ..opening
    }
}

pub(crate) async fn no_more_sessions_are_opened_than_there_may_be(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let now = own_opening(&*store).await.token.issued_at;
    // Neither a link nor what has expired counts.
    let mut link = opening_of(&*store, &alice).await;
    LINK_DIALECT.clone_into(&mut link.session.dialect);
    let mut expired = opening_of(&*store, &alice).await;
    expired.token.expires_at = now;
    for opening in [link, expired] {
        open_session(&*store, &opening).await;
    }
    let mut last = opening_of(&*store, &alice).await;
    for _ in 0..3 {
        last = limited(opening_of(&*store, &alice).await);
        open_session(&*store, &last).await;
    }
    let one_more = limited(opening_of(&*store, &alice).await);
    let outcome = store.open_session(one_more.clone()).await.expect("an answer");
    assert_eq!(outcome, OpeningOutcome::Full);
    assert!(!is_live(&*store, &one_more).await);
    open_session(&*store, &limited(opening_of(&*store, &bob).await)).await;
    let target = keyway_core::port::RevokeTarget::Token(last.token.digest);
    store.revoke(&target, now).await.expect("revoked");
    open_session(&*store, &one_more).await;
    // Whoever has no limit is not counted.
    open_session(&*store, &opening_of(&*store, &alice).await).await;
}

pub(crate) async fn logins_at_once_are_no_more_than_there_may_be(store: Arc<dyn Store>) {
    for _ in 0..5 {
        let model = own_opening(&*store).await;
        let openings = (0..12).map(|_| async {
            let mut opening = own_opening(&*store).await;
            opening.session.identity = model.session.identity.clone();
            limited(opening)
        });
        let openings = join_all(openings).await;
        let opened = openings.into_iter().map(|opening| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.open_session(opening).await.expect("an answer").is_opened() })
        });
        let opened = join_all(opened).await;
        let count = opened
            .into_iter()
            .filter(|opened| *opened.as_ref().expect("no panic"))
            .count();
        assert_eq!(count, 3);
    }
}
