//! What the configuration defines of the directory, put in place.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{Group, GroupId, IdentityId, Policy, Query, TenantId, TenantScope};
use keyway_core::port::{GroupFilter, PolicyFilter, ProvidedGroup, Provision, Store, StoreError, SystemRandom};

use crate::fixture::{added_tenant, master, policies_of, policy, tenant, uuid};

/// Policies of these slugs, those that all users have, and one group with the last of the policies.
fn provision(master: TenantId, slugs: &[&str], all_users: &[&str], group: &[&str]) -> Provision {
    let group = ProvidedGroup {
        slug: "staff".to_owned(),
        name: "The staff".to_owned(),
        policies: group.iter().map(|slug| (*slug).to_owned()).collect(),
    };
    Provision {
        policies: slugs.iter().map(|slug| policy(master, slug)).collect(),
        all_users: all_users.iter().map(|slug| (*slug).to_owned()).collect(),
        groups: vec![group],
    }
}

async fn provide(store: &dyn Store, provision: &Provision) {
    let provided = store.provide(provision, Arc::new(SystemRandom)).await;
    provided.expect("provided");
}

async fn group(store: &dyn Store, tenant: TenantId, slug: &str) -> Group {
    let filter = GroupFilter {
        slug: Some(slug.to_owned()),
        ..GroupFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::Only(tenant))
    };
    let mut groups = store.list_groups(&query).await.expect("a list").items;
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups.remove(0)
}

/// The policies of a tenant's group of all users, and of the one that it was given.
async fn held(store: &dyn Store, tenant: TenantId) -> (String, String) {
    let of = async |slug: &str| {
        let filter = PolicyFilter {
            group: Some(group(store, tenant, slug).await.id),
            ..PolicyFilter::default()
        };
        let query = Query {
            filter,
            ..Query::all(TenantScope::All)
        };
        let policies = store.list_policies(&query).await.expect("a list").items;
        let slugs: Vec<_> = policies.into_iter().map(|policy| policy.slug).collect();
        slugs.join(" ")
    };
    (of(&Group::all_users_name(tenant)).await, of("staff").await)
}

fn pair(all_users: &str, staff: &str) -> (String, String) {
    (all_users.to_owned(), staff.to_owned())
}

async fn by_slug(store: &dyn Store, tenant: TenantId, slug: &str) -> Option<Policy> {
    store.find_policy_by_slug(tenant, slug).await.expect("an answer")
}

pub(crate) async fn each_tenant_gets_what_the_configuration_defines(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let wanted = provision(master, &["a", "b", "c"], &["A"], &["b", "c"]);
    for _ in 0..2 {
        provide(&*store, &wanted).await;
        for tenant in [master, other] {
            assert_eq!(held(&*store, tenant).await, pair("a", "b c"));
        }
    }
    let made = by_slug(&*store, other, "a").await.expect("a shared policy");
    assert!(made.managed && made.shared);
    assert_eq!(made.accesses, wanted.policies[0].accesses);
    let staff = group(&*store, other, "staff").await;
    assert_eq!((staff.name.as_str(), staff.system), ("The staff", false));
    provide(&*store, &provision(master, &["a", "b", "c"], &["b"], &["c"])).await;
    for tenant in [master, other] {
        assert_eq!(held(&*store, tenant).await, pair("b", "c"));
    }
    assert!(store.remove_tenant(other).await.expect("it owns nothing of its own"));
}

pub(crate) async fn a_provided_policy_is_taken_over_and_corrected(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let known = Policy {
        slug: "A".to_owned(),
        name: "Something".to_owned(),
        accesses: Vec::new(),
        ..policy(master, "a")
    };
    store.add_policy(&known).await.expect("added");
    let wanted = provision(master, &["a"], &[], &[]);
    provide(&*store, &wanted).await;
    let found = by_slug(&*store, master, "a").await.expect("a policy");
    let expected = Policy {
        id: known.id,
        slug: "A".to_owned(),
        shared: true,
        managed: true,
        ..wanted.policies[0].clone()
    };
    assert_eq!(found, expected);
    let named = Policy {
        slug: "other".to_owned(),
        ..policy(master, "b")
    };
    store.add_policy(&named).await.expect("added");
    let wanted = provision(master, &["a", "b"], &["a"], &[]);
    let error = store
        .provide(&wanted, Arc::new(SystemRandom))
        .await
        .expect_err("the name is taken");
    assert!(
        matches!(error, StoreError::Conflict { what: "policy name" }),
        "{error:?}"
    );
    assert_eq!(held(&*store, master).await, pair("", ""));
}

pub(crate) async fn what_is_not_provided_any_more_goes_unless_somebody_has_it(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    provide(&*store, &provision(master, &["a", "b", "c"], &["a", "b"], &["a", "c"])).await;
    let (ana, kept) = (IdentityId(uuid()), by_slug(&*store, master, "b").await.expect("b"));
    store.attach_policy(kept.id, ana).await.expect("attached");
    let own = policy(other, "own");
    store.add_policy(&own).await.expect("added");
    let staff = group(&*store, other, "staff").await;
    store.attach_group_policy(staff.id, own.id).await.expect("attached");
    provide(&*store, &provision(master, &["c"], &[], &["c"])).await;
    assert_eq!(by_slug(&*store, master, "a").await, None);
    let expected = Policy { managed: false, ..kept };
    assert_eq!(policies_of(&*store, ana).await, [expected]);
    assert_eq!(held(&*store, other).await, pair("", "c own"));

    let nothing = Provision::default();
    provide(&*store, &nothing).await;
    assert_eq!(by_slug(&*store, master, "c").await, None);
    assert_eq!(held(&*store, other).await, pair("", "own"));
    // The group is the tenant's own now: no longer given what the configuration gives.
    provide(&*store, &provision(master, &["c"], &[], &["c"])).await;
    assert_eq!(held(&*store, other).await, pair("", "own"));
}

pub(crate) async fn a_tenants_own_group_of_the_same_name_is_left_alone(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let own = Group {
        id: GroupId(uuid()),
        tenant: other,
        name: "the STAFF".to_owned(),
        slug: "mine".to_owned(),
        system: false,
    };
    store.add_group(&own).await.expect("added");
    let third = added_tenant(&*store, "third").await;
    let same_slug = Group {
        id: GroupId(uuid()),
        tenant: third,
        name: "mine".to_owned(),
        slug: "Staff".to_owned(),
        system: false,
    };
    store.add_group(&same_slug).await.expect("added");
    provide(&*store, &provision(master, &["a"], &[], &["a"])).await;
    assert_eq!(held(&*store, master).await, pair("", "a"));
    let all = store
        .list_groups(&Query::all(TenantScope::All))
        .await
        .expect("a list")
        .items;
    let of = |tenant| {
        all.iter()
            .filter(|group| group.tenant == tenant && !group.system)
            .count()
    };
    assert_eq!((of(other), of(third)), (1, 1));
    let filter = PolicyFilter {
        group: Some(same_slug.id),
        ..PolicyFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::All)
    };
    assert_eq!(store.list_policies(&query).await.expect("a list").total, 0);
}

pub(crate) async fn a_tenant_that_comes_with_its_groups_is_kept_up(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    provide(&*store, &provision(master, &["a", "b"], &["a"], &["a"])).await;
    let mut new = tenant(master, "new");
    let a = by_slug(&*store, master, "a").await.expect("a").id;
    new.all_users_policies = vec![a];
    let staff = Group {
        id: GroupId(uuid()),
        tenant: new.tenant.id,
        name: "The staff".to_owned(),
        slug: "staff".to_owned(),
        system: false,
    };
    new.groups = vec![(staff, vec![a])];
    store.add_tenant(&new).await.expect("added");
    assert_eq!(held(&*store, new.tenant.id).await, pair("a", "a"));
    provide(&*store, &provision(master, &["a", "b"], &["b"], &["b"])).await;
    assert_eq!(held(&*store, new.tenant.id).await, pair("b", "b"));
    assert!(
        store
            .remove_tenant(new.tenant.id)
            .await
            .expect("it owns nothing of its own")
    );
}

pub(crate) async fn nodes_that_provide_at_once_agree(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let nodes = (0..4).map(|_| {
        let store = Arc::clone(&store);
        async move { provide(&*store, &provision(master, &["a", "b"], &["a"], &["b"])).await }
    });
    join_all(nodes).await;
    for tenant in [master, other] {
        assert_eq!(held(&*store, tenant).await, pair("a", "b"));
    }
}
