//! Who may act in whose place, and for how long.

use super::*;
use crate::model::{Account, Closed};
use crate::model::{Query, TenantScope};
use crate::port::{GroupFilter, GroupOrder, GroupStore as _, PolicyStore as _, RevokeTarget};

const NEEDS: &str = "keyway.admin";

impl House {
    /// A user below alice's tenant, who has no policy yet.
    async fn below(&self) -> User {
        let tenant = self.add_tenant("below", self.alice.tenant).await;
        self.add_user("bob", tenant).await
    }

    async fn add_user(&self, login: &str, tenant: TenantId) -> User {
        let user = User::new(UserId(SystemRandom.uuid()), tenant, login, Timestamp(0));
        self.store.add_user(&NewUser::of(user.clone(), None)).await.unwrap();
        user
    }

    /// Alice's token, with the access to act in others' places.
    async fn administrator(&self) -> IssuedToken {
        self.add_policy("administrators", &[NEEDS], self.alice.id.into()).await;
        self.token().await
    }

    async fn act(&self, actor: &IssuedToken, target: &User) -> Result<IssuedToken, ImpersonateError> {
        self.service.impersonate(request(actor, target)).await
    }
}

fn request<'a>(actor: &'a IssuedToken, target: &User) -> ImpersonateRequest<'a> {
    ImpersonateRequest {
        actor: &actor.live,
        target: target.id,
        needs: NEEDS,
        master_only: false,
        ttl: None,
        client: Client::default(),
        dialect: "kazoo",
        request_id: "request-1".to_owned(),
        attributes: Vec::new(),
    }
}

fn is_forbidden(outcome: &Result<IssuedToken, ImpersonateError>) -> bool {
    matches!(outcome, Err(ImpersonateError::Forbidden))
}

#[tokio::test]
async fn a_session_in_somebodys_place_is_that_ones_and_names_both() {
    let house = House::new().await;
    let bob = house.below().await;
    house.add_policy("calls", &["calls.make"], bob.id.into()).await;
    house.add_policy("all calls", &["calls.#"], house.alice.id.into()).await;
    let actor = house.administrator().await;
    let issued = house.act(&actor, &bob).await.unwrap();
    let session = &issued.live.record.session;
    assert_eq!(
        (session.identity.user, session.identity.tenant),
        (Some(bob.id), bob.tenant)
    );
    let own = &actor.live.record.session;
    let acting = session.actor.as_ref().unwrap();
    assert_eq!((acting.session, acting.identity), (own.id, house.alice.id.into()));
    assert_eq!((acting.tenant, acting.login.as_str()), (house.alice.tenant, "Alice"));
    assert!(issued.live.accesses.grants("calls.make") && !issued.live.accesses.grants(NEEDS));
    assert!(house.is_good(&issued.value).await);
}

#[tokio::test]
async fn where_the_actors_token_may_have_ended_no_cache_answers_for_the_others() {
    let house = House::new().await;
    let bob = house.below().await;
    let actor = house.administrator().await;
    let issued = house.act(&actor, &bob).await.unwrap();
    let others = house.token().await;
    assert!(house.is_cached(&issued.value).await);
    house.store.set_down(true);
    assert!(house.service.revoke(&actor.value).await.is_err());
    house.store.set_down(false);
    assert!(!house.is_cached(&actor.value).await);
    assert!(!house.is_cached(&issued.value).await);
    assert!(house.is_cached(&others.value).await, "that one is nobody else's");
}

#[tokio::test]
async fn it_ends_with_the_actors_session_however_that_ends() {
    let house = House::new().await;
    let bob = house.below().await;
    let actor = house.administrator().await;
    let issued = house.act(&actor, &bob).await.unwrap();
    house.service.revoke(&actor.value).await.unwrap();
    assert!(!house.is_good(&issued.value).await && !house.is_cached(&issued.value).await);

    let actor = house.token().await;
    let issued = house.act(&actor, &bob).await.unwrap();
    let target = RevokeTarget::Identity(house.alice.id.into());
    house.service.revoke_all(&target).await.unwrap();
    assert!(!house.is_good(&issued.value).await);

    // Whoever logged out meanwhile becomes nobody.
    let late = house.act(&actor, &bob).await;
    assert!(
        matches!(
            late,
            Err(ImpersonateError::Token(TokenError::Refused(Refusal::Overtaken)))
        ),
        "{late:?}"
    );
}

#[tokio::test]
async fn it_ends_no_later_than_the_actors_token() {
    let house = House::new().await;
    let bob = house.below().await;
    let actor = house.administrator().await;
    house.clock.advance(Duration::from_mins(90));
    let end = actor.live.record.token.expires_at;
    let issued = house.act(&actor, &bob).await.unwrap();
    assert_eq!(issued.live.record.token.expires_at, end);
    let short = ImpersonateRequest {
        ttl: Some(Duration::from_mins(1)),
        ..request(&actor, &bob)
    };
    let issued = house.service.impersonate(short).await.unwrap();
    assert_eq!(
        issued.live.record.token.expires_at,
        house.clock.now().plus(Duration::from_mins(1))
    );
    house.clock.advance(Duration::from_mins(30));
    let late = house.act(&actor, &bob).await;
    assert!(
        matches!(late, Err(ImpersonateError::Token(TokenError::NotFound))),
        "{late:?}"
    );
}

#[tokio::test]
async fn nobody_acts_in_the_place_of_somebody_who_does_not_stand_below() {
    let house = House::new().await;
    let bob = house.below().await;
    let beside = house.add_tenant("beside", house.alice.tenant).await;
    let eve = house.add_user("eve", beside).await;
    let mate = house.add_user("mate", bob.tenant).await;
    house.add_policy("below", &[NEEDS], bob.id.into()).await;
    let actor = house.administrator().await;
    // Bob's own session, in which nobody acts.
    let mut own = house.act(&actor, &bob).await.unwrap();
    own.live = without_actor(&own.live);
    for stranger in [&eve, &mate, &bob, &house.alice] {
        assert!(is_forbidden(&house.act(&own, stranger).await));
    }
    let own_tenant = house.add_user("peer", house.alice.tenant).await;
    assert!(is_forbidden(&house.act(&actor, &own_tenant).await));
    house.act(&actor, &eve).await.unwrap();
}

#[tokio::test]
async fn the_actor_needs_the_access_and_where_it_is_said_the_top_tenant() {
    let house = House::new().await;
    let bob = house.below().await;
    let powerless = house.token().await;
    assert!(is_forbidden(&house.act(&powerless, &bob).await));
    let nobody = User::new(UserId(SystemRandom.uuid()), bob.tenant, "nobody", Timestamp(0));
    assert!(
        is_forbidden(&house.act(&powerless, &nobody).await),
        "who may not, learns nothing"
    );
    let actor = house.administrator().await;
    let unknown = house.act(&actor, &nobody).await;
    assert!(matches!(unknown, Err(ImpersonateError::UnknownUser(id)) if id == nobody.id));
    let narrowed = ImpersonateRequest {
        master_only: true,
        ..request(&actor, &bob)
    };
    house.service.impersonate(narrowed).await.unwrap();

    let below = house.add_tenant("lowest", bob.tenant).await;
    let target = house.add_user("target", below).await;
    house.add_policy("below", &[NEEDS], bob.id.into()).await;
    let mut bobs = house.act(&actor, &bob).await.unwrap();
    bobs.live = without_actor(&bobs.live);
    let narrowed = ImpersonateRequest {
        master_only: true,
        ..request(&bobs, &target)
    };
    assert!(is_forbidden(&house.service.impersonate(narrowed).await));
    house.act(&bobs, &target).await.unwrap();
}

#[tokio::test]
async fn nobody_who_acts_in_somebodys_place_acts_in_anothers() {
    let house = House::new().await;
    let bob = house.below().await;
    house.add_policy("below", &[NEEDS], bob.id.into()).await;
    let below = house.add_tenant("lowest", bob.tenant).await;
    let target = house.add_user("target", below).await;
    let actor = house.administrator().await;
    let bobs = house.act(&actor, &bob).await.unwrap();
    let nested = house.act(&bobs, &target).await;
    assert!(matches!(nested, Err(ImpersonateError::Nested)), "{nested:?}");
}

#[tokio::test]
async fn nobody_becomes_somebody_who_may_do_everything_without_that_right() {
    let house = House::new().await;
    let bob = house.below().await;
    house.add_policy("all", &["#"], bob.id.into()).await;
    let actor = house.administrator().await;
    assert!(is_forbidden(&house.act(&actor, &bob).await));
    house.add_policy("root", &["#"], house.alice.id.into()).await;
    let root = house.token().await;
    assert!(
        house
            .act(&root, &bob)
            .await
            .unwrap()
            .live
            .accesses
            .grants("keyway.root")
    );
}

#[tokio::test]
async fn nobody_becomes_somebody_who_may_more_of_anything_but_what_everybody_may() {
    let house = House::with_settings(TokenSettings {
        default_user_policy: Some("default".to_owned()),
        ..settings()
    })
    .await;
    let actor = house.administrator().await;
    let bob = house.below().await;
    // The actor logged in before there was anything that all have.
    let nobody = IdentityId(SystemRandom.uuid());
    house.add_policy("default", &["own.#"], nobody).await;
    house.add_policy("members", &["room.#"], nobody).await;
    let query = Query::<GroupFilter, GroupOrder>::all(TenantScope::Only(bob.tenant));
    let everybody = house.store.list_groups(&query).await.unwrap().items.remove(0);
    let master = house.tenants.master().await.unwrap();
    let members = house
        .store
        .find_policy_by_slug(master, "members")
        .await
        .unwrap()
        .unwrap();
    house.store.attach_group_policy(everybody.id, members.id).await.unwrap();
    let issued = house.act(&actor, &bob).await.unwrap();
    assert!(issued.live.accesses.grants("own.x"));
    for (name, access) in [
        ("service", "auth.#"),
        ("provisioner", "confd.#"),
        ("caller", "calls.make"),
    ] {
        let target = house.add_user(name, bob.tenant).await;
        house.add_policy(name, &[access, "room.#"], target.id.into()).await;
        assert!(is_forbidden(&house.act(&actor, &target).await), "{name}");
    }
}

#[tokio::test]
async fn nobody_acts_in_the_place_of_somebody_who_may_not_log_in() {
    let house = House::new().await;
    let bob = house.below().await;
    let actor = house.administrator().await;
    let closed = Account {
        enabled: false,
        ..Account::of(bob.tenant)
    };
    house.store.set_account(&closed, house.clock.now()).await.unwrap();
    let refused = house.act(&actor, &bob).await;
    assert!(
        matches!(refused, Err(ImpersonateError::Closed(Closed::Disabled))),
        "{refused:?}"
    );
    house
        .store
        .set_account(&Account::of(bob.tenant), house.clock.now())
        .await
        .unwrap();
    house.store.replace_user(User {
        enabled: false,
        ..bob.clone()
    });
    let refused = house.act(&actor, &bob).await;
    assert!(matches!(
        refused,
        Err(ImpersonateError::Token(TokenError::Refused(Refusal::Disabled)))
    ));
}

#[tokio::test]
async fn it_neither_meets_nor_counts_toward_the_users_limit_of_sessions() {
    let house = House::with_settings(TokenSettings {
        max_sessions: 1,
        ..settings()
    })
    .await;
    let bob = house.below().await;
    let actor = house.administrator().await;
    let one = house.act(&actor, &bob).await.unwrap();
    let two = house.act(&actor, &bob).await.unwrap();
    assert!(house.is_good(&one.value).await && house.is_good(&two.value).await);
    let id = bob.id;
    house
        .backends
        .add(
            "own",
            Arc::new(FakeBackend::new(move |_| {
                Ok(Outcome::Verified(principal(Subject::Directory(id), "bob")))
            })),
        )
        .unwrap();
    house.login(login("own")).await.unwrap();
    assert!(matches!(
        house.login(login("own")).await,
        Err(TokenError::TooManySessions(_))
    ));
}

fn without_actor(live: &LiveToken) -> Arc<LiveToken> {
    let mut record = live.record.clone();
    record.session.actor = None;
    let accesses = live.accesses.clone();
    Arc::new(LiveToken { record, accesses })
}
