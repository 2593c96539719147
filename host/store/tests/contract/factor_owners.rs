//! Second factors go with the users and the tenants that they belong to.

use std::sync::Arc;

use keyway_core::model::{FactorOwner, GroupId, IdentityId, TenantId, UserId};
use keyway_core::port::{FactorChange, FactorQuery, Store, StoreError};

use crate::factors::{added, factor, found, listed, owner, owner_of, there};
use crate::fixture::{added_tenant, added_user, master, user, uuid};

pub(crate) async fn a_factor_goes_with_its_user(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let nobody = owner(IdentityId(uuid()), master(&*store).await, "x");
    for (serial, owner) in [
        ("alices", Some(owner_of(&alice))),
        ("bobs", Some(owner_of(&bob))),
        ("backends", Some(nobody)),
        ("drawer", None),
    ] {
        let mut new = factor(serial);
        new.stored.factor.owner = owner;
        new.codes = vec![[1; 32]];
        store.add_factor(&new).await.expect("added");
    }
    let late = added(&*store, factor("late")).await;
    let assigned = FactorChange {
        owner: Some(Some(owner_of(&alice))),
        ..FactorChange::default()
    };
    assert!(store.change_factor(late.id, &assigned).await.expect("an answer"));
    store.remove_user(alice.id).await.expect("removed");
    let query = FactorQuery::default();
    assert_eq!(listed(&*store, &query).await.0, "backends bobs drawer");
    assert_eq!(store.active_factors(alice.id.into()).await.expect("a list"), []);
}

pub(crate) async fn a_user_inherits_no_factor_with_a_chosen_id(store: Arc<dyn Store>) {
    let tenant = master(&*store).await;
    let mut new = user(tenant, "alice");
    new.chosen_id = true;
    let mut left = factor("left");
    left.stored.factor.owner = Some(owner_of(&new.user));
    store.add_factor(&left).await.expect("added");
    store.add_user(&new).await.expect("added");
    assert_eq!(store.active_factors(new.user.id.into()).await.expect("a list"), []);
    assert_eq!(found(&*store, "left").await, None);
}

pub(crate) async fn no_factor_survives_a_user_who_is_removed_while_it_is_assigned(store: Arc<dyn Store>) {
    for round in 0..10 {
        let alice = added_user(&*store, &format!("alice{round}")).await;
        let factors = futures::future::join_all((0..8).map(|number| {
            let (store, serial) = (&store, format!("f{round}-{number}"));
            async move { added(&**store, factor(&serial)).await }
        }));
        let assignments: Vec<_> = factors
            .await
            .into_iter()
            .map(|factor| {
                let (store, owner) = (Arc::clone(&store), owner_of(&alice));
                tokio::spawn(async move {
                    let change = FactorChange {
                        owner: Some(Some(owner)),
                        ..FactorChange::default()
                    };
                    match store.change_factor(factor.id, &change).await {
                        Ok(_) | Err(StoreError::Missing { what: "user" }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                })
            })
            .collect();
        store.remove_user(alice.id).await.expect("removed");
        for assignment in assignments {
            assignment.await.expect("no panic");
        }
        // What is assigned afterwards stays without a user, and no new one gets it.
        let mut next = user(alice.tenant, &format!("next{round}"));
        next.user.id = alice.id;
        next.chosen_id = true;
        store.add_user(&next).await.expect("added");
        assert_eq!(store.active_factors(alice.id.into()).await.expect("a list"), []);
    }
}

pub(crate) async fn a_factor_goes_with_its_tenant(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "a").await;
    let mut alice = user(tenant, "alice");
    alice.user.id = UserId(uuid());
    store.add_user(&alice).await.expect("added");
    let mut of_user = factor("users");
    // Whatever tenant it says.
    of_user.stored.factor.owner = Some(FactorOwner {
        tenant: master(&*store).await,
        ..owner_of(&alice.user)
    });
    let mut of_backend = factor("backends");
    of_backend.stored.factor.owner = Some(owner(IdentityId(uuid()), tenant, "x"));
    for new in [&of_user, &of_backend, &factor("drawer")] {
        store.add_factor(new).await.expect("added");
    }
    store
        .remove_whole_tenant(tenant)
        .await
        .expect("removed")
        .expect("it was there");
    assert_eq!(listed(&*store, &FactorQuery::default()).await.0, "drawer");
}

pub(crate) async fn a_tenant_whose_people_have_factors_stays(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "a").await;
    let mut new = factor("one");
    new.stored.factor.owner = Some(owner(IdentityId(uuid()), tenant, "x"));
    let factor = added(&*store, new).await;
    let error = store.remove_tenant(tenant).await.expect_err("in use");
    assert!(matches!(error, StoreError::InUse { what: "factors" }), "{error:?}");
    let unassigned = FactorChange {
        owner: Some(None),
        ..FactorChange::default()
    };
    assert!(store.change_factor(factor.id, &unassigned).await.expect("an answer"));
    assert!(store.remove_tenant(tenant).await.expect("removed"));
    let back = FactorChange {
        owner: Some(Some(owner(IdentityId(uuid()), tenant, "x"))),
        ..FactorChange::default()
    };
    let error = store.change_factor(factor.id, &back).await.expect_err("no tenant");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
}

pub(crate) async fn factors_stay_with_the_top_tenant_when_its_id_changes(store: Arc<dyn Store>) {
    let mut new = factor("one");
    new.stored.factor.owner = Some(owner(IdentityId(uuid()), master(&*store).await, "x"));
    store.add_factor(&new).await.expect("added");
    let id = TenantId(uuid());
    let adopted = store.adopt_top_tenant(id, GroupId(uuid())).await.expect("done");
    assert!(adopted.is_some());
    let of = there(&*store, "one").await.owner.map(|owner| owner.tenant);
    assert_eq!(of, Some(id));
}

pub(crate) async fn a_tenant_goes_while_its_factors_change_hands(store: Arc<dyn Store>) {
    for round in 0..10 {
        let tenant = added_tenant(&*store, &format!("t{round}")).await;
        let mut users = Vec::new();
        for number in 0..4 {
            let user = user(tenant, &format!("u{round}-{number}"));
            store.add_user(&user).await.expect("added");
            users.push(user.user);
        }
        let mut tasks = Vec::new();
        for number in 0..8 {
            let mut new = factor(&format!("f{round}-{number}"));
            new.stored.factor.owner = Some(owner_of(&users[number % 4]));
            let factor = added(&*store, new).await;
            let (store, next) = (Arc::clone(&store), owner_of(&users[(number + 1) % 4]));
            let change = FactorChange {
                owner: Some(Some(next)),
                ..FactorChange::default()
            };
            tasks.push(tokio::spawn(async move {
                match store.change_factor(factor.id, &change).await {
                    Ok(_)
                    | Err(StoreError::Missing {
                        what: "user" | "tenant",
                    }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }));
        }
        store
            .remove_whole_tenant(tenant)
            .await
            .expect("removed")
            .expect("it was there");
        for task in tasks {
            task.await.expect("no panic");
        }
        assert_eq!(listed(&*store, &FactorQuery::default()).await.0, "");
    }
}
