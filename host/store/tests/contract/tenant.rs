//! Tenants.

use std::sync::Arc;

use keyway_core::model::{Query, Tenant, TenantId, TenantScope};
use keyway_core::port::{GroupFilter, NewTenant, Store, StoreError};

use crate::fixture::{added_tenant, master, open_session, own_opening, policy, tenant, user, uuid};

async fn names(store: &dyn Store) -> String {
    let tenants = store.list_tenants().await.expect("the tenants");
    tenants
        .into_iter()
        .map(|tenant| tenant.name)
        .collect::<Vec<_>>()
        .join(" ")
}

async fn conflict(store: &dyn Store, tenant: &NewTenant) -> &'static str {
    match store.add_tenant(tenant).await.expect_err("refused") {
        StoreError::Conflict { what } => what,
        error => panic!("another error: {error:?}"),
    }
}

pub(crate) async fn the_top_tenant_is_there_and_its_own_parent(store: Arc<dyn Store>) {
    let tenants = store.list_tenants().await.expect("the tenants");
    let [
        Tenant {
            id,
            parent,
            name,
            realm: None,
            domains,
            ..
        },
    ] = tenants.as_slice()
    else {
        panic!("one tenant: {tenants:?}");
    };
    assert_eq!((parent, name.as_str(), domains.len()), (id, "master", 0));
}

pub(crate) async fn tenants_are_listed_by_name(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let mut full = tenant(master, "b");
    full.tenant.realm = Some("Sip.Example.org".to_owned());
    full.tenant.domains = vec!["z.example.org".to_owned(), "A.example.org".to_owned()];
    store.add_tenant(&full).await.expect("added");
    let below = tenant(full.tenant.id, "a-b");
    for tenant in [&below, &tenant(master, "ab"), &tenant(master, "C")] {
        store.add_tenant(tenant).await.expect("added");
    }
    assert_eq!(names(&*store).await, "C a-b ab b master");
    let tenants = store.list_tenants().await.expect("the tenants");
    assert!(tenants.contains(&full.tenant), "{tenants:?}");
    assert_eq!(
        tenants
            .iter()
            .find(|tenant| tenant.id == below.tenant.id)
            .map(|tenant| tenant.parent),
        Some(full.tenant.id)
    );
}

pub(crate) async fn names_are_unique_among_siblings_without_regard_to_case(store: Arc<dyn Store>) {
    let first = added_tenant(&*store, "Söder").await;
    assert_eq!(
        conflict(&*store, &tenant(master(&*store).await, "SÖDER")).await,
        "tenant name"
    );
    store.add_tenant(&tenant(first, "söder")).await.expect("no sibling");
}

pub(crate) async fn realms_and_domains_are_unique_everywhere_without_regard_to_case(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let mut first = tenant(master, "first");
    first.tenant.realm = Some("sip.example.org".to_owned());
    first.tenant.domains = vec!["example.org".to_owned()];
    store.add_tenant(&first).await.expect("added");
    let mut second = tenant(first.tenant.id, "second");
    second.tenant.realm = Some("SIP.example.org".to_owned());
    assert_eq!(conflict(&*store, &second).await, "tenant realm");
    second.tenant.realm = None;
    second.tenant.domains = vec!["free.example.org".to_owned(), "Example.org".to_owned()];
    assert_eq!(conflict(&*store, &second).await, "tenant domain");
    assert_eq!(
        names(&*store).await,
        "first master",
        "what is refused leaves nothing behind"
    );
    second.tenant.domains.pop();
    store.add_tenant(&second).await.expect("the free domain is still free");
}

pub(crate) async fn a_tenant_needs_its_parent(store: Arc<dyn Store>) {
    let mut its_own = tenant(TenantId(uuid()), "top");
    its_own.tenant.parent = its_own.tenant.id;
    for tenant in [tenant(TenantId(uuid()), "lost"), its_own] {
        let error = store.add_tenant(&tenant).await.expect_err("refused");
        assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
    }
    assert_eq!(names(&*store).await, "master");
}

pub(crate) async fn a_tenant_that_owns_something_stays(store: Arc<dyn Store>) {
    let in_use = async |id| match store.remove_tenant(id).await.expect_err("in use") {
        StoreError::InUse { what } => what,
        error => panic!("another error: {error:?}"),
    };
    let master = master(&*store).await;
    assert_eq!(in_use(master).await, "tenants", "the top tenant is its own child");

    let mut parent = tenant(master, "parent");
    parent.tenant.domains = vec!["example.org".to_owned()];
    store.add_tenant(&parent).await.expect("added");
    let child = tenant(parent.tenant.id, "child");
    store.add_tenant(&child).await.expect("added");
    assert_eq!(in_use(parent.tenant.id).await, "tenants");
    assert!(store.remove_tenant(child.tenant.id).await.expect("removed"));

    let user = user(parent.tenant.id, "alice");
    store.add_user(&user).await.expect("added");
    assert_eq!(in_use(parent.tenant.id).await, "users");
    store.remove_user(user.user.id).await.expect("removed");

    let policy = policy(parent.tenant.id, "p");
    store.add_policy(&policy).await.expect("added");
    assert_eq!(in_use(parent.tenant.id).await, "policies");
    store.remove_policy(parent.tenant.id, "p").await.expect("removed");

    let mut opening = own_opening(&*store).await;
    opening.session.identity.tenant = parent.tenant.id;
    open_session(&*store, &opening).await;
    assert_eq!(in_use(parent.tenant.id).await, "sessions");
    store.sweep(opening.token.expires_at, 1).await.expect("swept");

    assert!(store.remove_tenant(parent.tenant.id).await.expect("removed"));
    assert!(!store.remove_tenant(parent.tenant.id).await.expect("an answer"));
    let mut heir = tenant(master, "heir");
    heir.tenant.domains = parent.tenant.domains;
    store.add_tenant(&heir).await.expect("its domain is free again");
}

pub(crate) async fn a_tenant_has_a_group_of_all_its_users_and_the_groups_it_starts_with(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let policy = policy(top, "p");
    store.add_policy(&policy).await.expect("added");
    let mut new = tenant(top, "a");
    let group = crate::group::group(new.tenant.id, "staff");
    new.all_users_policies = vec![policy.id];
    new.groups = vec![(group.clone(), vec![policy.id])];
    store.add_tenant(&new).await.expect("added");
    let filter = GroupFilter {
        policy: Some(policy.id),
        ..GroupFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::Only(new.tenant.id))
    };
    let groups = store.list_groups(&query).await.expect("a list").items;
    let [staff, all_users] = groups.as_slice() else {
        panic!("two groups: {groups:?}");
    };
    assert_eq!((staff, all_users.id, all_users.system), (&group, new.all_users, true));
    // The host's own group goes with the tenant; what somebody made keeps it.
    let in_use = store.remove_tenant(new.tenant.id).await.expect_err("in use");
    assert!(matches!(in_use, StoreError::InUse { what: "groups" }), "{in_use:?}");
    store.remove_group(group.id).await.expect("removed");
    assert!(store.remove_tenant(new.tenant.id).await.expect("removed"));
}
