//! Groups.

use std::sync::Arc;

use keyway_core::model::{Direction, Group, GroupId, Page, PolicyId, Query, TenantId, TenantScope, UserId};
use keyway_core::port::{GroupFilter, GroupOrder, Store, StoreError};

use crate::fixture::{added_tenant, added_user, master, policy, tenant, uuid};

pub(crate) fn group(tenant: TenantId, name: &str) -> Group {
    Group {
        id: GroupId(uuid()),
        tenant,
        name: name.to_owned(),
        slug: format!("{name}-slug"),
        system: false,
    }
}

async fn added(store: &dyn Store, tenant: TenantId, name: &str) -> Group {
    let group = group(tenant, name);
    store.add_group(&group).await.expect("added");
    group
}

/// The names of the groups that are not the host's own, and both counts.
async fn names(store: &dyn Store, query: Query<GroupFilter, GroupOrder>) -> (String, u64, u64) {
    let filter = GroupFilter {
        system: query.filter.system.or(Some(false)),
        ..query.filter
    };
    let paged = store.list_groups(&Query { filter, ..query }).await.expect("a list");
    let names: Vec<_> = paged.items.into_iter().map(|group| group.name).collect();
    (names.join(" "), paged.total, paged.filtered)
}

async fn of_member(store: &dyn Store, user: UserId) -> String {
    let filter = GroupFilter {
        member: Some(user),
        ..GroupFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::All)
    };
    names(store, query).await.0
}

fn conflict(outcome: Result<impl std::fmt::Debug, StoreError>) -> &'static str {
    match outcome.expect_err("refused") {
        StoreError::Conflict { what } => what,
        error => panic!("another error: {error:?}"),
    }
}

fn missing(outcome: Result<impl std::fmt::Debug, StoreError>) -> &'static str {
    match outcome.expect_err("refused") {
        StoreError::Missing { what } => what,
        error => panic!("another error: {error:?}"),
    }
}

pub(crate) async fn a_group_is_found_as_it_was_added(store: Arc<dyn Store>) {
    let group = added(&*store, master(&*store).await, "Süd").await;
    assert_eq!(store.find_group(group.id).await.expect("an answer"), Some(group));
    assert_eq!(store.find_group(GroupId(uuid())).await.expect("an answer"), None);
}

pub(crate) async fn names_and_slugs_are_unique_in_their_tenant_without_regard_to_case(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let first = added(&*store, master, "süd").await;
    let same_name = Group {
        slug: "other".to_owned(),
        ..group(master, "SÜD")
    };
    assert_eq!(conflict(store.add_group(&same_name).await), "group name");
    let same_slug = Group {
        slug: "SÜD-slug".to_owned(),
        ..group(master, "other")
    };
    assert_eq!(conflict(store.add_group(&same_slug).await), "group slug");
    let elsewhere = added_tenant(&*store, "elsewhere").await;
    store
        .add_group(&group(elsewhere, "süd"))
        .await
        .expect("another tenant's");
    let second = added(&*store, master, "nord").await;
    assert_eq!(conflict(store.rename_group(second.id, "Süd").await), "group name");
    assert!(store.rename_group(first.id, "SÜD").await.expect("its own name"));
}

pub(crate) async fn a_group_needs_its_tenant(store: Arc<dyn Store>) {
    assert_eq!(missing(store.add_group(&group(TenantId(uuid()), "a")).await), "tenant");
}

pub(crate) async fn groups_are_listed_by_scope_filter_search_order_and_page(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let below = added_tenant(&*store, "below").await;
    let deep = tenant(below, "deep");
    store.add_tenant(&deep).await.expect("added");
    for (tenant, name) in [(top, "b"), (top, "A_1"), (below, "c%"), (deep.tenant.id, "d")] {
        added(&*store, tenant, name).await;
    }
    let all = || Query::all(TenantScope::All);
    // Each tenant has a system group, which `total` counts.
    assert_eq!(names(&*store, all()).await, ("A_1 b c% d".to_owned(), 7, 4));
    let only = Query::all(TenantScope::Only(below));
    assert_eq!(names(&*store, only).await, ("c%".to_owned(), 2, 1));
    let subtree = Query::all(TenantScope::Subtree(below));
    assert_eq!(names(&*store, subtree).await, ("c% d".to_owned(), 4, 2));
    let unknown = Query::all(TenantScope::Subtree(TenantId(uuid())));
    assert_eq!(names(&*store, unknown).await, (String::new(), 0, 0));
    let found = async |text: &str| {
        let search = Some(text.to_owned());
        names(&*store, Query { search, ..all() }).await.0
    };
    assert_eq!(found(&"x".repeat(60_000)).await, "", "nothing is that long");
    assert_eq!(found("a_").await, "A_1");
    assert_eq!(found("%").await, "c%");
    assert_eq!(found("_").await, "A_1");
    assert_eq!(found("\\").await, "");
    assert_eq!(found("\0").await, "");
    assert_eq!(found("' OR 1=1 --").await, "");
    assert_eq!(found("").await, "A_1 b c% d");
    let filter = GroupFilter {
        name: Some("b".to_owned()),
        ..GroupFilter::default()
    };
    assert_eq!(names(&*store, Query { filter, ..all() }).await.0, "b");
    let page = Page { offset: 1, limit: 2 };
    let direction = Direction::Descending;
    assert_eq!(
        names(
            &*store,
            Query {
                page,
                direction,
                ..all()
            }
        )
        .await,
        ("c% b".to_owned(), 7, 4)
    );
    let order = GroupOrder::Slug;
    assert_eq!(names(&*store, Query { order, ..all() }).await.0, "A_1 b c% d");
}

pub(crate) async fn a_group_is_renamed_and_removed(store: Arc<dyn Store>) {
    let group = added(&*store, master(&*store).await, "a").await;
    assert!(store.rename_group(group.id, "B").await.expect("renamed"));
    let found = store.find_group(group.id).await.expect("an answer").expect("a group");
    assert_eq!((found.name.as_str(), found.slug.as_str()), ("B", "a-slug"));
    assert!(store.remove_group(group.id).await.expect("removed"));
    assert!(!store.remove_group(group.id).await.expect("an answer"));
    assert!(!store.rename_group(group.id, "c").await.expect("an answer"));
}

pub(crate) async fn members_and_policies_come_and_go(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let group = added(&*store, top, "a").await;
    let user = added_user(&*store, "alice").await;
    store.add_group_member(group.id, user.id).await.expect("added");
    store
        .add_group_member(group.id, user.id)
        .await
        .expect("twice is no error");
    assert_eq!(of_member(&*store, user.id).await, "a");
    assert!(store.add_group_member(group.id, UserId(uuid())).await.is_err());
    assert!(store.add_group_member(GroupId(uuid()), user.id).await.is_err());
    assert!(store.remove_group_member(group.id, user.id).await.expect("removed"));
    assert!(!store.remove_group_member(group.id, user.id).await.expect("an answer"));
    assert_eq!(of_member(&*store, user.id).await, "");

    let policy = policy(top, "p");
    store.add_policy(&policy).await.expect("added");
    store.attach_group_policy(group.id, policy.id).await.expect("attached");
    store
        .attach_group_policy(group.id, policy.id)
        .await
        .expect("twice is no error");
    assert!(store.attach_group_policy(group.id, PolicyId(uuid())).await.is_err());
    let filter = GroupFilter {
        policy: Some(policy.id),
        ..GroupFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::All)
    };
    assert_eq!(names(&*store, query.clone()).await.0, "a");
    for (slug, found) in [(policy.slug.as_str(), "a"), ("nope", "")] {
        let filter = GroupFilter {
            policy_slug: Some(slug.to_owned()),
            ..GroupFilter::default()
        };
        let by_slug = Query {
            filter,
            ..query.clone()
        };
        assert_eq!(names(&*store, by_slug).await.0, found);
    }
    assert!(store.detach_group_policy(group.id, policy.id).await.expect("detached"));
    assert!(!store.detach_group_policy(group.id, policy.id).await.expect("an answer"));
    assert_eq!(names(&*store, query).await.0, "");
}

pub(crate) async fn a_new_user_is_a_member_of_its_tenants_system_group_alone(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    added(&*store, top, "a").await;
    let user = added_user(&*store, "alice").await;
    let filter = GroupFilter {
        member: Some(user.id),
        ..GroupFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::All)
    };
    let paged = store.list_groups(&query).await.expect("a list");
    let [group] = paged.items.as_slice() else {
        panic!("one group: {paged:?}");
    };
    assert_eq!(
        (group.tenant, group.name.clone(), group.system),
        (top, Group::all_users_name(top), true)
    );
}
