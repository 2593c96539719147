//! What is told as an event: each thing that happens once, and nothing that does not.

use std::sync::Arc;

use keyway_core::model::{EventCursor, EventKind, LINK_DIALECT, TenantId, Timestamp};
use keyway_core::port::{RevokeTarget, Revoked, Store, TenantMove};
use serde_json::{Value, json};

use crate::event::{behind, head};
use crate::fixture::{
    NOW, added_tenant, added_user, master, open_session, opened, opening_of, own_opening, tenant, uuid,
};
use crate::refresh::made;

async fn kinds_of(store: &dyn Store, place: EventCursor) -> String {
    let events = behind(store, place).await;
    let kinds: Vec<_> = events.iter().map(|event| event.event.kind.as_str()).collect();
    kinds.join(" ")
}

pub(crate) async fn a_session_tells_of_its_beginning_and_its_end(store: Arc<dyn Store>) {
    let user = added_user(&*store, "alice").await;
    let place = head(&*store).await;
    let opening = opened(&*store, &user).await;
    let events = behind(&*store, place).await;
    let [created] = events.as_slice() else {
        panic!("not one event: {events:?}");
    };
    let session = &opening.session;
    assert_eq!(created.event.kind, EventKind::SessionCreated);
    assert_eq!(created.event.tenant, Some(user.tenant));
    assert_eq!(created.event.identity, Some(session.identity.id));
    let document = serde_json::json!({
        "uuid": session.id, "tenant_uuid": user.tenant, "user_uuid": user.id, "mobile": session.mobile,
    });
    assert_eq!(Value::from(created.event.document.clone()), document);
    assert!(created.at > NOW, "by the database's clock");
    assert_eq!(head(&*store).await, created.cursor);

    let target = RevokeTarget::Session(session.id);
    store.revoke(&target, NOW).await.expect("revoked");
    let events = behind(&*store, created.cursor).await;
    let [deleted] = events.as_slice() else {
        panic!("not one event: {events:?}");
    };
    assert_eq!(deleted.event.kind, EventKind::SessionDeleted);
    assert_eq!(deleted.event.document, created.event.document);
    store.revoke(&target, NOW).await.expect("revoked");
    assert_eq!(head(&*store).await, deleted.cursor, "it ends once");
}

pub(crate) async fn every_way_to_end_a_session_is_told(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let bob = added_user(&*store, "bob").await;
    let now = Timestamp(i64::MAX);
    let ended = "auth_session_created auth_session_deleted";

    let place = head(&*store).await;
    let opening = opened(&*store, &alice).await;
    let target = RevokeTarget::Token(opening.token.digest);
    store.revoke(&target, NOW).await.expect("revoked");
    assert_eq!(kinds_of(&*store, place).await, ended, "its token");

    let place = head(&*store).await;
    opened(&*store, &alice).await;
    let target = RevokeTarget::Identity(alice.id.into());
    store.revoke(&target, NOW).await.expect("revoked");
    assert_eq!(kinds_of(&*store, place).await, ended, "its identity");

    let place = head(&*store).await;
    let opening = opened(&*store, &alice).await;
    let target = RevokeTarget::Plugin(opening.session.plugin);
    store.revoke(&target, NOW).await.expect("revoked");
    assert_eq!(kinds_of(&*store, place).await, ended, "its plugin");

    let place = head(&*store).await;
    opened(&*store, &alice).await;
    crate::overtake::set_password(&*store, &alice).await;
    assert_eq!(kinds_of(&*store, place).await, ended, "a new password");

    let place = head(&*store).await;
    opened(&*store, &alice).await;
    store.remove_user(alice.id).await.expect("removed");
    assert_eq!(kinds_of(&*store, place).await, ended, "its user is gone");

    let place = head(&*store).await;
    opened(&*store, &bob).await;
    store.sweep(now, 10).await.expect("swept");
    assert_eq!(kinds_of(&*store, place).await, ended, "its time is over");
}

pub(crate) async fn a_login_that_is_refused_tells_of_nothing(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let opening = opening_of(&*store, &alice).await;
    crate::overtake::set_password(&*store, &alice).await;
    let place = head(&*store).await;
    let _ = store.open_session(opening).await.expect("an answer");
    assert_eq!(head(&*store).await, place);
}

pub(crate) async fn a_mailed_link_is_no_login_to_be_told_of(store: Arc<dyn Store>) {
    let place = head(&*store).await;
    let mut opening = own_opening(&*store).await;
    LINK_DIALECT.clone_into(&mut opening.session.dialect);
    opening.token.expires_at = Timestamp(NOW.0 + 5);
    open_session(&*store, &opening).await;
    let until = Timestamp(NOW.0 + 10);
    store.announce_expiring(NOW, until, 10).await.expect("announced");
    let target = RevokeTarget::Session(opening.session.id);
    store.revoke(&target, NOW).await.expect("revoked");
    assert_eq!(kinds_of(&*store, place).await, "");
}

pub(crate) async fn a_refresh_token_tells_of_its_beginning_and_its_end(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let identity = alice.id.into();
    let whole = "auth_refresh_token_created auth_session_created auth_refresh_token_deleted";

    let place = head(&*store).await;
    made(&*store, &alice, "web", false).await;
    let events = behind(&*store, place).await;
    let document = json!({ "client_id": "web", "tenant_uuid": alice.tenant, "user_uuid": alice.id, "mobile": false });
    assert_eq!(Value::from(events[0].event.document.clone()), document);
    assert_eq!(events[0].event.identity, Some(identity));
    assert!(store.remove_refresh_token(identity, "web").await.expect("an answer"));
    assert!(!store.remove_refresh_token(identity, "web").await.expect("an answer"));
    assert_eq!(kinds_of(&*store, place).await, whole, "its session goes on");

    let place = head(&*store).await;
    made(&*store, &alice, "web", false).await;
    made(&*store, &alice, "web", false).await;
    let kept = "auth_refresh_token_created auth_session_created auth_session_created";
    assert_eq!(kinds_of(&*store, place).await, kept, "the second login keeps it");

    let place = head(&*store).await;
    store
        .revoke(&RevokeTarget::Identity(identity), NOW)
        .await
        .expect("revoked");
    let told = kinds_of(&*store, place).await;
    assert!(told.contains("auth_refresh_token_deleted"), "{told}");

    let place = head(&*store).await;
    made(&*store, &alice, "one", true).await;
    let first = head(&*store).await;
    made(&*store, &alice, "two", true).await;
    let moved = "auth_session_deleted auth_refresh_token_deleted auth_refresh_token_created auth_session_created";
    assert_eq!(kinds_of(&*store, first).await, moved, "one mobile client at a time");
    store.remove_user(alice.id).await.expect("removed");
    let told = kinds_of(&*store, place).await;
    assert_eq!(told.matches("auth_refresh_token_deleted").count(), 2, "{told}");
}

pub(crate) async fn a_refresh_token_that_expires_is_told(store: Arc<dyn Store>) {
    let opening = own_opening(&*store).await;
    let mut token = crate::refresh::token(&opening, "web");
    token.expires_at = Some(Timestamp(NOW.0 + 1));
    crate::refresh::open(&*store, crate::refresh::making(&opening, token)).await;
    let place = head(&*store).await;
    store.sweep(Timestamp(NOW.0 + 1), 10).await.expect("swept");
    assert_eq!(kinds_of(&*store, place).await, "auth_refresh_token_deleted");
}

pub(crate) async fn a_tenant_tells_of_what_becomes_of_it(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let above = added_tenant(&*store, "above").await;
    let place = head(&*store).await;
    let new = tenant(top, "x");
    let id = new.tenant.id;
    store.add_tenant(&new).await.expect("added");
    let mut changed = new.tenant.clone();
    changed.name = Some("y".to_owned());
    assert!(store.update_tenant(&changed).await.expect("an answer"));
    let moved = store.move_tenant(id, above, NOW).await.expect("an answer");
    assert_eq!(moved, TenantMove::Moved(Revoked::default()));
    let sessions_end = opened_in(&*store, id).await;
    store.remove_tenant(id).await.expect_err("it owns a session");
    store.remove_whole_tenant(id).await.expect("removed");
    let events = behind(&*store, place).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.event.kind,
                event.event.tenant,
                Value::from(event.event.document.clone()),
            )
        })
        .collect();
    let updated = || (EventKind::TenantUpdated, Some(id), json!({ "uuid": id, "name": "y" }));
    assert_eq!(
        told[..3],
        [
            (
                EventKind::TenantAdded,
                Some(id),
                json!({ "uuid": id, "name": "x", "slug": new.tenant.slug })
            ),
            updated(),
            updated(),
        ]
    );
    let kinds: Vec<_> = told[3..].iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::SessionCreated,
            EventKind::SessionDeleted,
            EventKind::TenantDeleted
        ]
    );
    assert_eq!(told[4].2["uuid"], json!(sessions_end));
    assert_eq!(
        told[5],
        (EventKind::TenantDeleted, Some(above), json!({ "uuid": id })),
        "who is above the tenant hears that it is gone"
    );

    let place = head(&*store).await;
    let other = added_tenant(&*store, "other").await;
    assert!(store.remove_tenant(other).await.expect("removed"));
    assert!(!store.remove_tenant(TenantId(uuid())).await.expect("an answer"));
    assert_eq!(kinds_of(&*store, place).await, "auth_tenant_added auth_tenant_deleted");
}

async fn opened_in(store: &dyn Store, tenant: TenantId) -> keyway_core::model::SessionId {
    let mut opening = own_opening(store).await;
    opening.session.identity.tenant = tenant;
    open_session(store, &opening).await;
    opening.session.id
}
