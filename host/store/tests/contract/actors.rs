//! Sessions in which somebody acts in somebody else's place: they end with the actor's own, however that ends.

use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use keyway_core::model::{GroupId, Query, TenantId, TenantScope, Timestamp, User};
use keyway_core::port::{Opening, OpeningOutcome, RevokeTarget, Revoked, Store, Uniqueness};
use serde_json::{Value, json};

use crate::accounts::{disabled, put};
use crate::event::{behind, head};
use crate::fixture::{
    NOW, acting_opening, added_tenant, added_user, is_live, master, open_session, opened, opening_of, own_opening,
    user, uuid,
};
use crate::overtake::{new_password, race};
use crate::refresh::made;
use crate::user::change_of;

/// An administrator in a tenant of her own, her session, and one in which she acts in the place of a user of the top tenant.
struct House {
    admin: User,
    target: User,
    own: Opening,
    acting: Opening,
}

impl House {
    async fn new(store: &dyn Store) -> Self {
        let tenant = added_tenant(store, "administrators").await;
        let mut admin = user(tenant, "admin");
        admin.password = Some(new_password().into());
        store.add_user(&admin).await.expect("added");
        let target = added_user(store, "alice").await;
        let mut own = opening_of(store, &admin.user).await;
        own.session.identity.login.push_str(" \"tenant\":\"x\"");
        open_session(store, &own).await;
        let acting = acting_opening(store, &own, &target).await;
        open_session(store, &acting).await;
        Self {
            admin: admin.user,
            target,
            own,
            acting,
        }
    }
}

pub(crate) async fn a_session_is_found_with_its_actor(store: Arc<dyn Store>) {
    let House { own, acting, .. } = House::new(&*store).await;
    let record = store.find_token(&acting.token.digest).await.expect("an answer");
    assert_eq!(record.expect("a record").session, acting.session);
    let found = store.find_session(acting.session.id).await.expect("an answer");
    assert_eq!(found, Some(acting.session.clone()));
    let listed = store
        .list_sessions(&Query::all(TenantScope::All))
        .await
        .expect("a list");
    let mut listed: Vec<_> = listed.items.into_iter().map(|row| row.session).collect();
    listed.sort_by_key(|session| session.actor.is_some());
    assert_eq!(listed, [own.session, acting.session]);
}

pub(crate) async fn an_event_names_who_acts(store: Arc<dyn Store>) {
    let place = head(&*store).await;
    let House { own, acting, .. } = House::new(&*store).await;
    store
        .announce_expiring(NOW, Timestamp(i64::MAX), 10)
        .await
        .expect("announced");
    let target = RevokeTarget::Session(acting.session.id);
    store.revoke(&target, NOW).await.expect("revoked");
    let told: Vec<_> = behind(&*store, place)
        .await
        .into_iter()
        .map(|event| event.event)
        .filter(|event| event.document.get("uuid") == Some(&json!(acting.session.id)))
        .collect();
    let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "auth_session_created",
            "auth_session_expire_soon",
            "auth_session_deleted"
        ]
    );
    let (identity, actor) = (&acting.session.identity, &own.session.identity);
    for event in told {
        assert_eq!(event.identity, Some(identity.id), "it is the owner's session");
        let document = json!({
            "uuid": acting.session.id, "tenant_uuid": identity.tenant, "user_uuid": identity.id, "mobile": acting.session.mobile,
            "impersonator": {
                "session_uuid": own.session.id, "tenant_uuid": actor.tenant, "user_uuid": actor.id, "login": actor.login,
            },
        });
        assert_eq!(Value::from(event.document), document);
    }
    assert!(is_live(&*store, &own).await, "the actor's own goes on");
}

/// A way to end the actor's own session.
type Ender = for<'a> fn(&'a dyn Store, &'a House) -> BoxFuture<'a, Revoked>;

macro_rules! ender {
    (|$store:ident, $house:ident| $work:expr) => {
        |$store, $house| Box::pin(async move { $work })
    };
}

async fn revoke(store: &dyn Store, target: RevokeTarget) -> Revoked {
    store.revoke(&target, NOW).await.expect("revoked")
}

const ENDERS: &[(&str, Ender)] = &[
    (
        "its token",
        ender!(|store, house| revoke(store, RevokeTarget::Token(house.own.token.digest)).await),
    ),
    (
        "itself",
        ender!(|store, house| revoke(store, RevokeTarget::Session(house.own.session.id)).await),
    ),
    (
        "its identity",
        ender!(|store, house| revoke(store, RevokeTarget::Identity(house.admin.id.into())).await),
    ),
    (
        "its tenant",
        ender!(|store, house| revoke(store, RevokeTarget::Tenant(house.admin.tenant)).await),
    ),
    (
        "its account",
        ender!(|store, house| put(store, &disabled(house.admin.tenant)).await),
    ),
    (
        "a new password",
        ender!(|store, house| {
            let set = store.set_verifier(house.admin.id, &new_password().into(), NOW).await;
            set.expect("set").expect("a user")
        }),
    ),
    (
        "a changed password",
        ender!(|store, house| {
            let password = new_password();
            let new = password.clone().into();
            let changed = store.change_verifier(house.admin.id, &password, &new, NOW).await;
            changed.expect("changed").expect("it is the one")
        }),
    ),
    (
        "no password",
        ender!(|store, house| {
            let removed = store.remove_verifier(house.admin.id, NOW).await;
            removed.expect("removed").expect("a user")
        }),
    ),
    (
        "its user is disabled",
        ender!(|store, house| {
            let mut change = change_of(&house.admin);
            change.enabled = Some(false);
            let updated = store
                .update_user(house.admin.id, &change, Uniqueness::InTenant, NOW)
                .await;
            updated.expect("updated").expect("a user").1
        }),
    ),
    (
        "its user is gone",
        ender!(|store, house| store
            .remove_user(house.admin.id)
            .await
            .expect("removed")
            .expect("a user")),
    ),
    (
        "its tenant is gone",
        ender!(|store, house| {
            let removed = store.remove_whole_tenant(house.admin.tenant).await;
            removed.expect("removed").expect("a tenant")
        }),
    ),
];

pub(crate) async fn a_session_ends_with_its_actors_however_that_ends(store: Arc<dyn Store>) {
    for (name, end) in ENDERS {
        let house = House::new(&*store).await;
        let other = opened(&*store, &house.target).await;
        let place = head(&*store).await;
        let revoked = end(&*store, &house).await;
        for opening in [&house.own, &house.acting] {
            assert!(!is_live(&*store, opening).await, "{name}");
            assert!(revoked.sessions.contains(&opening.session.id), "{name}");
            assert!(revoked.tokens.contains(&opening.token.digest), "{name}");
        }
        assert_eq!((revoked.sessions.len(), revoked.tokens.len()), (2, 2), "{name}");
        assert!(is_live(&*store, &other).await, "{name}: the owner's own goes on");
        let told = behind(&*store, place).await;
        let ended = |opening: &Opening| {
            let uuid = json!(opening.session.id);
            let told = told.iter().filter(|event| {
                event.event.kind.as_str() == "auth_session_deleted" && event.event.document.get("uuid") == Some(&uuid)
            });
            told.count()
        };
        assert_eq!((ended(&house.own), ended(&house.acting)), (1, 1), "{name}");
        store.remove_user(house.target.id).await.expect("removed");
        store.remove_whole_tenant(house.admin.tenant).await.expect("removed");
    }
}

pub(crate) async fn a_session_ends_with_its_actors_when_a_plugin_is_revoked(store: Arc<dyn Store>) {
    let House { target, mut own, .. } = House::new(&*store).await;
    own.session.id = keyway_core::model::SessionId(uuid());
    own.session.plugin = keyway_core::model::PluginDigest([8; 32]);
    own.token.session = own.session.id;
    own.token.digest = crate::fixture::digest();
    open_session(&*store, &own).await;
    let acting = acting_opening(&*store, &own, &target).await;
    open_session(&*store, &acting).await;
    let mut revoked = revoke(&*store, RevokeTarget::Plugin(own.session.plugin)).await;
    revoked.tokens.sort();
    let mut tokens = vec![own.token.digest, acting.token.digest];
    tokens.sort();
    assert_eq!(revoked.tokens, tokens);
    assert!(!is_live(&*store, &acting).await);
}

pub(crate) async fn a_session_ends_with_its_actors_when_a_sweep_ends_that(store: Arc<dyn Store>) {
    let House {
        acting, own, target, ..
    } = House::new(&*store).await;
    let mut short = opening_of(&*store, &target).await;
    short.token.expires_at = NOW;
    open_session(&*store, &short).await;
    let acted = acting_opening(&*store, &short, &target).await;
    open_session(&*store, &acted).await;
    let place = head(&*store).await;
    let swept = store.sweep(NOW, 10).await.expect("swept");
    assert_eq!((swept.tokens, swept.sessions), (1, 2));
    assert_eq!(behind(&*store, place).await.len(), 2, "both are told of");
    assert!(!is_live(&*store, &acted).await);
    assert_eq!(store.find_session(acted.session.id).await.expect("an answer"), None);
    assert!(is_live(&*store, &acting).await && is_live(&*store, &own).await);
}

pub(crate) async fn a_session_ends_with_its_actors_when_a_mobile_client_takes_that_ones_place(store: Arc<dyn Store>) {
    let admin = added_user(&*store, "admin").await;
    let target = added_user(&*store, "alice").await;
    let (mut own, first) = made(&*store, &admin, "phone", true).await;
    own.session.refresh = Some(first.id);
    let acting = acting_opening(&*store, &own, &target).await;
    open_session(&*store, &acting).await;
    made(&*store, &admin, "another phone", true).await;
    assert!(!is_live(&*store, &own).await);
    assert!(!is_live(&*store, &acting).await);
}

pub(crate) async fn all_sessions_of_an_actor_end_and_so_on_down(store: Arc<dyn Store>) {
    let House {
        target, own, acting, ..
    } = House::new(&*store).await;
    let second = acting_opening(&*store, &own, &target).await;
    let nested = acting_opening(&*store, &acting, &target).await;
    for opening in [&second, &nested] {
        open_session(&*store, opening).await;
    }
    let revoked = revoke(&*store, RevokeTarget::Session(own.session.id)).await;
    assert_eq!((revoked.sessions.len(), revoked.tokens.len()), (4, 4));
    for opening in [&own, &acting, &second, &nested] {
        assert!(!is_live(&*store, opening).await);
    }
}

pub(crate) async fn sessions_in_which_somebody_else_acts_are_not_counted(store: Arc<dyn Store>) {
    let House { target, own, .. } = House::new(&*store).await;
    for _ in 0..2 {
        let acting = acting_opening(&*store, &own, &target).await;
        open_session(&*store, &acting).await;
    }
    for is_opened in [true, false] {
        let mut opening = opening_of(&*store, &target).await;
        opening.limit = Some(1);
        let outcome = store.open_session(opening).await.expect("an answer");
        assert_eq!(outcome.is_opened(), is_opened, "{outcome:?}");
    }
}

pub(crate) async fn nobody_acts_whose_own_session_has_ended(store: Arc<dyn Store>) {
    let House { target, own, .. } = House::new(&*store).await;
    let before = acting_opening(&*store, &own, &target).await;
    revoke(&*store, RevokeTarget::Session(own.session.id)).await;
    let place = head(&*store).await;
    let outcome = store.open_session(before.clone()).await.expect("an answer");
    assert_eq!(outcome, OpeningOutcome::Overtaken);
    assert!(!is_live(&*store, &before).await);
    assert_eq!(head(&*store).await, place, "nothing is told");
}

pub(crate) async fn nobody_goes_on_acting_whose_own_session_ends_at_the_same_time(store: Arc<dyn Store>) {
    let admin = added_user(&*store, "admin").await;
    let target = added_user(&*store, "alice").await;
    for round in 0..10 {
        let own = opened(&*store, &admin).await;
        let openings = join_all((0..8).map(|_| acting_opening(&*store, &own, &target))).await;
        let target = match round % 3 {
            0 => RevokeTarget::Token(own.token.digest),
            1 => RevokeTarget::Session(own.session.id),
            _ => RevokeTarget::Identity(admin.id.into()),
        };
        race(&store, openings, async {
            revoke(&*store, target).await;
        })
        .await;
    }
}

pub(crate) async fn two_who_act_for_each_other_are_ended_at_once(store: Arc<dyn Store>) {
    let people = [added_user(&*store, "a").await, added_user(&*store, "b").await];
    for _ in 0..10 {
        let mut sessions = Vec::new();
        for (person, other) in [(0, 1), (1, 0)] {
            for _ in 0..3 {
                let own = opened(&*store, &people[person]).await;
                let acting = acting_opening(&*store, &own, &people[other]).await;
                open_session(&*store, &acting).await;
                sessions.extend([own, acting]);
            }
        }
        let tasks = people.iter().map(|person| {
            let (store, id) = (Arc::clone(&store), person.id);
            tokio::spawn(async move { revoke(&*store, RevokeTarget::Identity(id.into())).await })
        });
        let mut ended = 0;
        for task in join_all(tasks.collect::<Vec<_>>()).await {
            ended += task.expect("no panic").sessions.len();
        }
        assert_eq!(ended, sessions.len(), "each once");
        for session in &sessions {
            assert!(!is_live(&*store, session).await);
        }
    }
}

pub(crate) async fn an_actor_stays_in_the_top_tenant_when_its_id_changes(store: Arc<dyn Store>) {
    let (old, new) = (master(&*store).await, TenantId(uuid()));
    let below = added_tenant(&*store, "below").await;
    let mut own = own_opening(&*store).await;
    own.session.identity.login = format!("\"tenant\":\"{old}\"");
    open_session(&*store, &own).await;
    let bob = user(below, "bob");
    store.add_user(&bob).await.expect("added");
    let acting = acting_opening(&*store, &own, &bob.user).await;
    open_session(&*store, &acting).await;
    let changed = store.adopt_top_tenant(new, GroupId(uuid())).await;
    let changed = changed.expect("an answer").expect("another id");
    assert!(changed.tokens.contains(&acting.token.digest), "it is to be read anew");
    let record = store.find_token(&acting.token.digest).await.expect("an answer");
    let mut expected = acting.session;
    expected.actor.as_mut().expect("an actor").tenant = new;
    assert_eq!(record.expect("it goes on").session, expected);
}
