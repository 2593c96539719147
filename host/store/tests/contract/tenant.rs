//! Tenants.

use std::sync::Arc;

use keyway_core::model::{
    AuthenticationMethod, Direction, Group, GroupId, Page, PostalAddress, Query, Tenant, TenantId, TenantScope, UserId,
};
use keyway_core::port::{
    GroupFilter, NewTenant, Revoked, SettingKind, Store, StoreError, StoredSetting, TenantFilter, TenantMove,
    TenantOrder,
};

use crate::fixture::{
    NOW, added_tenant, added_user, is_live, master, open_session, opened, own_opening, policy, tenant, user, uuid,
};

async fn names(store: &dyn Store) -> String {
    let tenants = store.list_tenants().await.expect("the tenants");
    tenants
        .into_iter()
        .map(|tenant| tenant.name.unwrap_or_default())
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
    assert_eq!((parent, name.as_deref(), domains.len()), (id, Some("master"), 0));
}

pub(crate) async fn all_tenants_are_listed_with_what_is_said_of_them(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let mut full = tenant(master, "b");
    full.tenant.realm = Some("Sip.Example.org".to_owned());
    full.tenant.domains = vec!["z.example.org".to_owned(), "A.example.org".to_owned()];
    store.add_tenant(&full).await.expect("added");
    let below = tenant(full.tenant.id, "a-b");
    for tenant in [&below, &tenant(master, "ab"), &tenant(master, "C")] {
        store.add_tenant(tenant).await.expect("added");
    }
    assert_eq!(names(&*store).await, "master b a-b ab C");
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

pub(crate) async fn names_may_be_shared_or_absent_and_slugs_are_unique_in_their_spelling(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let first = tenant(master, "same");
    let second = tenant(master, "same");
    let mut nameless = tenant(master, "");
    nameless.tenant.name = None;
    for tenant in [&first, &second, &nameless] {
        store.add_tenant(tenant).await.expect("added");
    }
    let found = store.find_tenant(nameless.tenant.id).await.expect("an answer");
    assert_eq!(found, Some(nameless.tenant));
    let mut third = tenant(master, "third");
    "Slug".clone_into(&mut third.tenant.slug);
    store.add_tenant(&third).await.expect("added");
    let mut fourth = tenant(master, "fourth");
    "Slug".clone_into(&mut fourth.tenant.slug);
    assert_eq!(conflict(&*store, &fourth).await, "tenant slug");
    "sLUG".clone_into(&mut fourth.tenant.slug);
    store.add_tenant(&fourth).await.expect("another spelling");
    let mut fifth = tenant(master, "fifth");
    fifth.tenant.id = fourth.tenant.id;
    assert_eq!(conflict(&*store, &fifth).await, "tenant id");
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
        "master first",
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
    store.remove_policy(policy.id).await.expect("removed");

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
    // What it was given goes with the tenant; what somebody made keeps it.
    let own = crate::group::group(new.tenant.id, "own");
    store.add_group(&own).await.expect("added");
    let in_use = store.remove_tenant(new.tenant.id).await.expect_err("in use");
    assert!(matches!(in_use, StoreError::InUse { what: "groups" }), "{in_use:?}");
    store.remove_group(own.id).await.expect("removed");
    assert!(store.remove_tenant(new.tenant.id).await.expect("removed"));
}

pub(crate) async fn tenants_are_listed_in_the_order_in_which_they_took_their_names(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let mut made = Vec::new();
    for name in ["c", "b", "a"] {
        let new = tenant(top, name);
        store.add_tenant(&new).await.expect("added");
        made.push(new.tenant);
    }
    assert_eq!(names(&*store).await, "master c b a");
    let rename = async |tenant: &Tenant, name: &str| {
        let renamed = Tenant {
            name: Some(name.to_owned()),
            ..tenant.clone()
        };
        assert!(store.update_tenant(&renamed).await.expect("an answer"));
    };
    rename(&made[0], "C!").await;
    assert_eq!(names(&*store).await, "master C! b a", "that is the same name");
    rename(&made[0], "a").await;
    assert_eq!(names(&*store).await, "master b a a", "it has that one last");
    let all = store.list_tenants().await.expect("the tenants");
    assert_eq!(all.last().map(|tenant| tenant.id), Some(made[0].id));
    let mut first = all.into_iter().next().expect("the top tenant");
    first.name = Some("b".to_owned());
    assert!(store.update_tenant(&first).await.expect("an answer"));
    assert_eq!(names(&*store).await, "b b a a", "the top one stays first");
}

async fn page(store: &dyn Store, query: &Query<TenantFilter, TenantOrder>) -> (String, u64, u64) {
    let paged = store.list_tenants_in(query).await.expect("a list");
    let slugs: Vec<_> = paged.items.into_iter().map(|tenant| tenant.slug).collect();
    (slugs.join(" "), paged.total, paged.filtered)
}

#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
pub(crate) async fn tenants_are_listed_by_scope_filter_search_order_and_page(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let mut made = Vec::new();
    for (parent, name, slug, domains) in [
        (None, "Beta", "s1", vec!["one.example.org", "two.example.org"]),
        (None, "alpha", "s3", vec![]),
        (Some(0), "gamma", "s2", vec!["Three.example.com"]),
    ] {
        let parent = parent.map_or(top, |index: usize| made[index]);
        let mut new = tenant(parent, name);
        new.tenant.slug = slug.to_owned();
        new.tenant.domains = domains.into_iter().map(str::to_owned).collect();
        store.add_tenant(&new).await.expect("added");
        made.push(new.tenant.id);
    }
    let all = Query::all(TenantScope::Subtree(top));
    assert_eq!(page(&*store, &all).await, ("s3 s1 s2 master".to_owned(), 4, 4));
    let by_slug = Query {
        order: TenantOrder::Slug,
        direction: Direction::Descending,
        page: Page { offset: 1, limit: 2 },
        ..all.clone()
    };
    assert_eq!(page(&*store, &by_slug).await, ("s2 s1".to_owned(), 4, 4));
    let below = Query::all(TenantScope::Subtree(made[0]));
    assert_eq!(page(&*store, &below).await, ("s1 s2".to_owned(), 2, 2));
    for (search, found) in [
        ("EXAMPLE", "s1 s2"),
        ("two.ex", "s1"),
        ("PH", "s3"),
        ("s2", "s2"),
        ("%", ""),
    ] {
        let query = Query {
            search: Some(search.to_owned()),
            ..all.clone()
        };
        assert_eq!(page(&*store, &query).await.0, found, "{search}");
    }
    for (filter, found) in [
        (
            TenantFilter {
                ids: Some(vec![made[2], made[1]]),
                ..TenantFilter::default()
            },
            "s3 s2",
        ),
        (
            TenantFilter {
                ids: Some(Vec::new()),
                ..TenantFilter::default()
            },
            "",
        ),
        (
            TenantFilter {
                name: Some("Beta".to_owned()),
                ..TenantFilter::default()
            },
            "s1",
        ),
        (
            TenantFilter {
                name: Some("beta".to_owned()),
                ..TenantFilter::default()
            },
            "",
        ),
        (
            TenantFilter {
                slug: Some("s3".to_owned()),
                ..TenantFilter::default()
            },
            "s3",
        ),
        (
            TenantFilter {
                domain: Some("three.EXAMPLE.com".to_owned()),
                ..TenantFilter::default()
            },
            "s2",
        ),
    ] {
        let query = Query { filter, ..all.clone() };
        let (slugs, total, filtered) = page(&*store, &query).await;
        assert_eq!((slugs.as_str(), total), (found, 4));
        assert_eq!(filtered, found.split_whitespace().count() as u64);
    }
    let whole = store.list_tenants_in(&all).await.expect("a list").items;
    assert_eq!(
        whole[1].domains,
        ["one.example.org", "two.example.org"],
        "in their order"
    );
}

#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
pub(crate) async fn a_tenant_is_updated_whole_but_for_its_parent_and_slug(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let alice = added_user(&*store, "alice").await;
    let mut other = tenant(top, "other");
    other.tenant.domains = vec!["taken.example.org".to_owned()];
    store.add_tenant(&other).await.expect("added");
    let mut new = tenant(top, "a");
    new.tenant.domains = vec!["old.example.org".to_owned()];
    store.add_tenant(&new).await.expect("added");
    let mut wanted = Tenant {
        id: new.tenant.id,
        parent: other.tenant.id,
        name: Some("b".to_owned()),
        realm: Some("sip.b".to_owned()),
        domains: vec!["new.example.org".to_owned(), "old.example.org".to_owned()],
        slug: "other".to_owned(),
        phone: Some("555".to_owned()),
        contact: Some(alice.id),
        address: PostalAddress {
            line_1: Some("1, rue \"Principale\"".to_owned()),
            ..PostalAddress::default()
        },
        authentication_method: AuthenticationMethod::Saml,
    };
    assert!(store.update_tenant(&wanted).await.expect("updated"));
    wanted.parent = top;
    wanted.slug = new.tenant.slug;
    assert_eq!(
        store.find_tenant(wanted.id).await.expect("an answer"),
        Some(wanted.clone())
    );

    let refused = Tenant {
        domains: vec!["Taken.example.org".to_owned()],
        ..wanted.clone()
    };
    let error = store.update_tenant(&refused).await.expect_err("refused");
    assert!(
        matches!(error, StoreError::Conflict { what: "tenant domain" }),
        "{error:?}"
    );
    let refused = Tenant {
        contact: Some(UserId(uuid())),
        ..wanted.clone()
    };
    let error = store.update_tenant(&refused).await.expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "user" }), "{error:?}");
    let unknown = Tenant {
        id: TenantId(uuid()),
        domains: Vec::new(),
        ..wanted.clone()
    };
    assert!(!store.update_tenant(&unknown).await.expect("an answer"));
    assert_eq!(
        store.find_tenant(wanted.id).await.expect("an answer"),
        Some(wanted.clone())
    );

    store.remove_user(alice.id).await.expect("removed");
    let found = store
        .find_tenant(wanted.id)
        .await
        .expect("an answer")
        .expect("it stays");
    assert_eq!(found.contact, None, "a contact that is gone is none");
}

pub(crate) async fn a_tenant_moves_but_never_below_itself(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let (a, b) = (added_tenant(&*store, "a").await, added_tenant(&*store, "b").await);
    let leaf = tenant(a, "leaf");
    store.add_tenant(&leaf).await.expect("added");
    let leaf = leaf.tenant.id;
    for (tenant, parent) in [(a, a), (a, leaf), (top, a), (top, top)] {
        let outcome = store.move_tenant(tenant, parent, NOW).await.expect("an answer");
        assert_eq!(outcome, TenantMove::Circular);
    }
    let unknown = TenantId(uuid());
    assert_eq!(
        store.move_tenant(unknown, a, NOW).await.expect("an answer"),
        TenantMove::Unknown
    );
    let error = store.move_tenant(a, unknown, NOW).await.expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
    assert_eq!(
        store.move_tenant(a, b, NOW).await.expect("an answer"),
        TenantMove::Moved(Revoked::default())
    );
    assert_eq!(
        store.move_tenant(a, b, NOW).await.expect("an answer"),
        TenantMove::Moved(Revoked::default())
    );
    let below = Query::all(TenantScope::Subtree(b));
    assert_eq!(store.list_tenants_in(&below).await.expect("a list").total, 3);
}

pub(crate) async fn moves_at_once_make_no_cycle(store: Arc<dyn Store>) {
    for round in 0..8 {
        let a = added_tenant(&*store, &format!("a{round}")).await;
        let b = added_tenant(&*store, &format!("b{round}")).await;
        let (one, other) = tokio::join!(store.move_tenant(a, b, NOW), store.move_tenant(b, a, NOW));
        let mut outcomes = [one.expect("an answer"), other.expect("an answer")];
        outcomes.sort_by_key(|outcome| matches!(outcome, TenantMove::Circular));
        assert_eq!(outcomes, [TenantMove::Moved(Revoked::default()), TenantMove::Circular]);
    }
}

pub(crate) async fn a_tenant_goes_with_all_that_it_owns(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let new = tenant(top, "a");
    store.add_tenant(&new).await.expect("added");
    let id = new.tenant.id;
    let alice = user(id, "alice");
    store.add_user(&alice).await.expect("added");
    let of_alice = opened(&*store, &alice.user).await;
    let mut of_backend = own_opening(&*store).await;
    of_backend.session.identity.tenant = id;
    open_session(&*store, &of_backend).await;
    let elsewhere = own_opening(&*store).await;
    open_session(&*store, &elsewhere).await;
    let policy = policy(id, "p");
    store.add_policy(&policy).await.expect("added");
    let group = crate::group::group(id, "staff");
    store.add_group(&group).await.expect("added");
    store.add_group_member(group.id, alice.user.id).await.expect("added");
    store.attach_group_policy(group.id, policy.id).await.expect("attached");
    store
        .put_setting(id, SettingKind::Ldap, &setting("{}"))
        .await
        .expect("put");
    let child = tenant(id, "child");
    store.add_tenant(&child).await.expect("added");

    let error = store.remove_whole_tenant(id).await.expect_err("in use");
    assert!(matches!(error, StoreError::InUse { what: "tenants" }), "{error:?}");
    assert!(is_live(&*store, &of_alice).await, "what is refused ends nothing");
    assert!(store.remove_tenant(child.tenant.id).await.expect("removed"));
    let revoked = store
        .remove_whole_tenant(id)
        .await
        .expect("removed")
        .expect("it was there");
    let mut ended = revoked.sessions;
    ended.sort_unstable_by_key(|session| session.0);
    let mut expected = vec![of_alice.session.id, of_backend.session.id];
    expected.sort_unstable_by_key(|session| session.0);
    assert_eq!((ended, revoked.tokens.len()), (expected, 2));
    assert!(!is_live(&*store, &of_alice).await && !is_live(&*store, &of_backend).await);
    assert!(is_live(&*store, &elsewhere).await);
    assert_eq!(store.find_user(alice.user.id).await.expect("an answer"), None);
    assert_eq!(store.find_group(group.id).await.expect("an answer"), None);
    assert_eq!(
        store.find_setting(id, SettingKind::Ldap).await.expect("an answer"),
        None
    );
    assert_eq!(names(&*store).await, "master");
    assert_eq!(store.remove_whole_tenant(id).await.expect("an answer"), None);
}

fn setting(document: &str) -> StoredSetting {
    StoredSetting {
        document: document.to_owned(),
        sealed: None,
    }
}

pub(crate) async fn a_setting_is_found_as_it_was_put(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let find = async |tenant| store.find_setting(tenant, SettingKind::Ldap).await.expect("an answer");
    assert_eq!(find(top).await, None);
    let sealed = StoredSetting {
        sealed: Some(vec![0, 255, 7]),
        ..setting("{\"host\":\"é\"}")
    };
    for setting in [sealed, setting("{}")] {
        store.put_setting(top, SettingKind::Ldap, &setting).await.expect("put");
        assert_eq!(find(top).await, Some(setting));
    }
    assert_eq!(find(added_tenant(&*store, "a").await).await, None, "another tenant's");
    assert!(store.remove_setting(top, SettingKind::Ldap).await.expect("removed"));
    assert!(!store.remove_setting(top, SettingKind::Ldap).await.expect("an answer"));
    let error = store
        .put_setting(TenantId(uuid()), SettingKind::Ldap, &setting("{}"))
        .await
        .expect_err("nobody's");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
}

#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
pub(crate) async fn the_top_tenant_gets_another_id_with_all_that_is_its_own(store: Arc<dyn Store>) {
    let old = master(&*store).await;
    let alice = added_user(&*store, "alice").await;
    let login = opened(&*store, &alice).await;
    let policy = policy(old, "p");
    store.add_policy(&policy).await.expect("added");
    let below = added_tenant(&*store, "below").await;
    let taken = store.adopt_top_tenant(below, GroupId(uuid())).await.expect_err("taken");
    assert!(matches!(taken, StoreError::Conflict { what: "tenant id" }), "{taken:?}");
    store
        .put_setting(old, SettingKind::Ldap, &setting("{}"))
        .await
        .expect("put");
    let (id, all_users) = (TenantId(uuid()), GroupId(uuid()));
    let in_use = store
        .adopt_top_tenant(id, all_users)
        .await
        .expect_err("sealed for the old id");
    assert!(matches!(in_use, StoreError::InUse { what: "settings" }), "{in_use:?}");
    store.remove_setting(old, SettingKind::Ldap).await.expect("removed");

    let changed = store
        .adopt_top_tenant(id, all_users)
        .await
        .expect("done")
        .expect("another id");
    assert_eq!((changed.sessions.len(), changed.tokens), (0, vec![login.token.digest]));
    assert_eq!(store.adopt_top_tenant(id, GroupId(uuid())).await.expect("done"), None);
    let top = store.find_tenant(id).await.expect("an answer").expect("it is there");
    assert_eq!(
        (top.parent, top.name.as_deref(), top.slug.as_str()),
        (id, Some("master"), "master")
    );
    assert_eq!(store.find_tenant(old).await.expect("an answer"), None);
    let child = store.find_tenant(below).await.expect("an answer").expect("it stays");
    assert_eq!(child.parent, id);
    let user = store.find_user(alice.id).await.expect("an answer").expect("it stays");
    assert_eq!(user.tenant, id);
    let record = store
        .find_token(&login.token.digest)
        .await
        .expect("an answer")
        .expect("it lives on");
    assert_eq!(record.session.identity.tenant, id);
    assert_eq!(
        store
            .find_policy(policy.id)
            .await
            .expect("an answer")
            .map(|policy| policy.tenant),
        Some(id)
    );
    let filter = GroupFilter {
        member: Some(alice.id),
        ..GroupFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::Only(id))
    };
    let groups = store.list_groups(&query).await.expect("a list").items;
    let [group] = groups.as_slice() else {
        panic!("one group: {groups:?}");
    };
    assert_eq!(
        (group.id, &group.name, group.system),
        (all_users, &Group::all_users_name(id), true)
    );
}
