//! Policies, and to whom they are attached.

use std::sync::Arc;

use keyway_core::model::{
    Direction, Group, GroupId, IdentityId, Page, Policy, PolicyId, Query, TenantId, TenantScope, UserId,
};
use keyway_core::port::{PolicyFilter, PolicyOrder, Store, StoreError};

use crate::fixture::{NOW, added_tenant, added_user, is_live, master, opening_of, policies_of, policy, tenant, uuid};
use crate::overtake::is_refused;

async fn added(store: &dyn Store, policy: Policy) -> Policy {
    store.add_policy(&policy).await.expect("added");
    policy
}

fn shared(tenant: TenantId, name: &str) -> Policy {
    Policy {
        shared: true,
        ..policy(tenant, name)
    }
}

/// Adds a tenant below this one.
async fn below(store: &dyn Store, parent: TenantId, name: &str) -> TenantId {
    let tenant = tenant(parent, name);
    store.add_tenant(&tenant).await.expect("added");
    tenant.tenant.id
}

/// The names of the policies, and both counts.
async fn names(store: &dyn Store, query: Query<PolicyFilter, PolicyOrder>) -> (String, u64, u64) {
    let paged = store.list_policies(&query).await.expect("a list");
    let names: Vec<_> = paged.items.into_iter().map(|policy| policy.name).collect();
    (names.join(" "), paged.total, paged.filtered)
}

fn conflict(outcome: Result<impl std::fmt::Debug, StoreError>) -> &'static str {
    match outcome.expect_err("refused") {
        StoreError::Conflict { what } => what,
        error => panic!("another error: {error:?}"),
    }
}

pub(crate) async fn a_policy_is_found_by_id_name_and_slug(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let described = Policy {
        slug: "Big".to_owned(),
        description: Some("Größe".to_owned()),
        ..shared(master, "Größe")
    };
    let empty = Policy {
        accesses: Vec::new(),
        managed: true,
        ..policy(master, "empty")
    };
    for policy in [&described, &empty] {
        store.add_policy(policy).await.expect("added");
        assert_eq!(
            store.find_policy(policy.id).await.expect("an answer").as_ref(),
            Some(policy)
        );
    }
    let by_name = async |tenant, name| store.find_policy_by_name(tenant, name).await.expect("an answer");
    assert_eq!(by_name(master, "GRÖßE").await, Some(described.clone()));
    assert_eq!(by_name(master, "empty").await, Some(empty));
    assert_eq!(by_name(other, "empty").await, None);
    assert_eq!(by_name(master, "none").await, None);
    let by_slug = async |tenant, slug| store.find_policy_by_slug(tenant, slug).await.expect("an answer");
    assert_eq!(by_slug(master, "BIG").await, Some(described.clone()));
    assert_eq!(by_slug(other, "big").await, Some(described));
    assert_eq!(by_slug(other, "empty").await, None);
    assert_eq!(store.find_policy(PolicyId(uuid())).await.expect("an answer"), None);
}

pub(crate) async fn policy_names_and_slugs_are_unique_in_their_tenant(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let first = added(&*store, policy(master, "admin")).await;
    let same_name = Policy {
        slug: "other".to_owned(),
        ..policy(master, "ADMIN")
    };
    assert_eq!(conflict(store.add_policy(&same_name).await), "policy name");
    let same_slug = Policy {
        slug: "ADMIN".to_owned(),
        ..policy(master, "other")
    };
    assert_eq!(conflict(store.add_policy(&same_slug).await), "policy slug");
    added(&*store, policy(other, "admin")).await;
    let second = added(&*store, policy(master, "second")).await;
    let renamed = Policy {
        name: "Admin".to_owned(),
        ..second.clone()
    };
    assert_eq!(conflict(store.replace_policy(&second, &renamed).await), "policy name");
    let same = Policy {
        name: "ADMIN".to_owned(),
        ..first.clone()
    };
    assert!(store.replace_policy(&first, &same).await.expect("its own name"));
    let error = store
        .add_policy(&policy(TenantId(uuid()), "admin"))
        .await
        .expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
}

pub(crate) async fn what_is_shared_is_unique_in_the_tenants_below(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let child = below(&*store, master, "child").await;
    let grandchild = below(&*store, child, "grandchild").await;
    added(&*store, shared(child, "reader")).await;
    assert_eq!(
        conflict(store.add_policy(&policy(grandchild, "READER")).await),
        "policy name"
    );
    let same_slug = Policy {
        slug: "Reader".to_owned(),
        ..policy(grandchild, "free")
    };
    assert_eq!(conflict(store.add_policy(&same_slug).await), "policy slug");
    added(&*store, policy(master, "reader")).await;
    added(&*store, policy(grandchild, "writer")).await;
    assert_eq!(
        conflict(store.add_policy(&shared(master, "writer")).await),
        "policy name"
    );
    added(&*store, policy(master, "writer")).await;
}

#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
pub(crate) async fn policies_are_listed_by_scope_filter_search_order_and_page(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let child = below(&*store, master, "child").await;
    let sibling = below(&*store, master, "sibling").await;
    let own = Policy {
        description: Some("Ours_ to read".to_owned()),
        slug: "zz".to_owned(),
        ..policy(child, "b")
    };
    let managed = Policy {
        managed: true,
        ..shared(master, "C")
    };
    for policy in [
        &own,
        &managed,
        &policy(master, "a"),
        &policy(sibling, "d"),
        &shared(sibling, "e"),
    ] {
        store.add_policy(policy).await.expect("added");
    }
    let all = || Query::<PolicyFilter, PolicyOrder>::all(TenantScope::Only(child));
    let scoped = async |scope| names(&*store, Query { scope, ..all() }).await;
    assert_eq!(scoped(TenantScope::All).await, ("a b C d e".to_owned(), 5, 5));
    assert_eq!(
        scoped(TenantScope::Subtree(master)).await,
        ("a b C d e".to_owned(), 5, 5)
    );
    assert_eq!(scoped(TenantScope::Only(master)).await, ("a C".to_owned(), 2, 2));
    assert_eq!(scoped(TenantScope::Only(child)).await, ("b C".to_owned(), 2, 2));

    let filtered = async |filter| names(&*store, Query { filter, ..all() }).await;
    let none = PolicyFilter::default;
    let (text, of) = (|text: &str| Some(text.to_owned()), "the filter's own column");
    let table = [
        (
            PolicyFilter {
                id: Some(own.id),
                ..none()
            },
            "b",
        ),
        (
            PolicyFilter {
                name: text("C"),
                ..none()
            },
            "C",
        ),
        (
            PolicyFilter {
                name: text("c"),
                ..none()
            },
            "",
        ),
        (
            PolicyFilter {
                slug: text("zz"),
                ..none()
            },
            "b",
        ),
        (
            PolicyFilter {
                description: text("Ours_ to read"),
                ..none()
            },
            "b",
        ),
        (
            PolicyFilter {
                name: text("a\0"),
                ..none()
            },
            "",
        ),
        (
            PolicyFilter {
                read_only: Some(true),
                ..none()
            },
            "C",
        ),
        (
            PolicyFilter {
                read_only: Some(false),
                ..none()
            },
            "b",
        ),
    ];
    for (filter, found) in table {
        let count = u64::from(!found.is_empty());
        let said = format!("{filter:?}: {of}");
        assert_eq!(filtered(filter).await, (found.to_owned(), 2, count), "{said}");
    }
    for (search, found) in [("OURS_", "b"), ("ZZ", "b"), ("c", "C"), ("%", "")] {
        let search = Some(search.to_owned());
        assert_eq!(names(&*store, Query { search, ..all() }).await.0, found);
    }
    for (order, found) in [
        (PolicyOrder::Name, "C b"),
        (PolicyOrder::Slug, "b C"),
        (PolicyOrder::Description, "b C"),
    ] {
        let query = Query {
            order,
            direction: Direction::Descending,
            ..all()
        };
        assert_eq!(names(&*store, query).await.0, found, "{order:?}");
    }
    let page = Page { offset: 1, limit: 1 };
    assert_eq!(names(&*store, Query { page, ..all() }).await, ("C".to_owned(), 2, 2));
}

pub(crate) async fn a_policy_is_replaced_only_as_it_was_read(store: Arc<dyn Store>) {
    let first = added(&*store, policy(master(&*store).await, "first")).await;
    let next = Policy {
        name: "Next".to_owned(),
        description: Some("why".to_owned()),
        accesses: vec!["x".to_owned()],
        ..first.clone()
    };
    assert!(store.replace_policy(&first, &next).await.expect("an answer"));
    assert_eq!(
        store.find_policy(first.id).await.expect("an answer"),
        Some(next.clone())
    );
    assert!(!store.replace_policy(&first, &next).await.expect("an answer"));
    let taken_over = Policy {
        managed: true,
        ..next.clone()
    };
    assert!(!store.replace_policy(&taken_over, &first).await.expect("an answer"));
    assert_eq!(store.find_policy(first.id).await.expect("an answer"), Some(next));
}

pub(crate) async fn a_policy_is_attached_and_detached(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let (first, second) = (policy(master, "b"), policy(master, "a"));
    let (ana, ben) = (IdentityId(uuid()), IdentityId(uuid()));
    for policy in [&first, &second] {
        store.add_policy(policy).await.expect("added");
        store.attach_policy(policy.id, ana).await.expect("attached");
    }
    store.attach_policy(first.id, ana).await.expect("twice is no error");
    store.attach_policy(first.id, ben).await.expect("attached");
    assert_eq!(policies_of(&*store, ana).await, [second.clone(), first.clone()]);
    assert!(store.detach_policy(first.id, ana).await.expect("an answer"));
    assert!(!store.detach_policy(first.id, ana).await.expect("an answer"));
    assert_eq!(policies_of(&*store, ana).await, [second]);
    assert_eq!(policies_of(&*store, ben).await, [first]);
    let error = store.attach_policy(PolicyId(uuid()), ana).await.expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "policy" }), "{error:?}");
}

pub(crate) async fn a_policy_is_taken_together_with_what_was_opened_with_it(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let master = master(&*store).await;
    let (taken, kept) = (policy(master, "a"), policy(master, "b"));
    for policy in [&taken, &kept] {
        store.add_policy(policy).await.expect("added");
        store.attach_policy(policy.id, alice.id.into()).await.expect("attached");
    }
    store.attach_policy(taken.id, bob.id.into()).await.expect("attached");
    let (open, others) = (opening_of(&*store, &alice).await, opening_of(&*store, &bob).await);
    for opening in [&open, &others] {
        let opened = store.open_session(opening.clone()).await.expect("an answer");
        assert!(opened.is_opened());
    }
    let under_way = opening_of(&*store, &alice).await;
    let revoked = store.take_policy(taken.id, alice.id.into(), NOW).await.expect("taken");
    assert_eq!(revoked.tokens, [open.token.digest]);
    assert!(!is_live(&*store, &open).await && is_live(&*store, &others).await);
    assert!(is_refused(&*store, &under_way).await);
    assert_eq!(policies_of(&*store, alice.id.into()).await, [kept]);
    let gone = taken.id;
    assert_eq!(policies_of(&*store, bob.id.into()).await, [taken]);
    let nothing = store.take_policy(gone, alice.id.into(), NOW).await.expect("no error");
    assert!(nothing.tokens.is_empty(), "{nothing:?}");
}

pub(crate) async fn removing_a_policy_removes_its_attachments(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let (removed, kept) = (policy(master, "Admin"), policy(master, "kept"));
    let ana = IdentityId(uuid());
    for policy in [&removed, &kept] {
        store.add_policy(policy).await.expect("added");
        store.attach_policy(policy.id, ana).await.expect("attached");
    }
    assert!(store.remove_policy(removed.id).await.expect("an answer"));
    assert!(!store.remove_policy(removed.id).await.expect("an answer"));
    assert_eq!(policies_of(&*store, ana).await, [kept]);
}

pub(crate) async fn a_user_has_the_default_accesses_then_its_groups_then_its_own(store: Arc<dyn Store>) {
    let (master, user) = (master(&*store).await, added_user(&*store, "alice").await);
    let with = async |name: &str| {
        let accesses = vec![format!("{name}.read"), format!("{name}.write")];
        added(
            &*store,
            Policy {
                accesses,
                ..policy(master, name)
            },
        )
        .await
        .id
    };
    let (own, default, in_group, twice) = (with("a").await, with("d").await, with("c").await, with("b").await);
    for name in ["first", "second"] {
        let group = Group {
            id: GroupId(uuid()),
            tenant: master,
            name: name.to_owned(),
            slug: name.to_owned(),
            system: false,
        };
        store.add_group(&group).await.expect("added");
        store.add_group_member(group.id, user.id).await.expect("added");
        for policy in [in_group, twice] {
            store.attach_group_policy(group.id, policy).await.expect("attached");
        }
    }
    for policy in [own, twice] {
        store.attach_policy(policy, user.id.into()).await.expect("attached");
    }
    let held = async |user: Option<UserId>, default| {
        let identity = user.map_or(IdentityId(uuid()), IdentityId::from);
        let accesses = store.accesses_for(identity, user, default).await.expect("an answer");
        let read: Vec<_> = accesses
            .iter()
            .filter_map(|access| access.strip_suffix(".read"))
            .collect();
        assert_eq!(read.len() * 2, accesses.len());
        read.join(" ")
    };
    assert_eq!(held(Some(user.id), Some("D")).await, "d b c a");
    assert_eq!(held(Some(user.id), Some("none")).await, "b c a");
    assert_eq!(held(Some(user.id), None).await, "b c a");
    assert_eq!(held(None, Some("d")).await, "");
    store.attach_policy(default, user.id.into()).await.expect("attached");
    assert_eq!(held(Some(user.id), Some("d")).await, "d b c a");
    let other = added_tenant(&*store, "other").await;
    added(&*store, policy(other, "theirs")).await;
    assert_eq!(held(Some(user.id), Some("theirs")).await, "b c a d");
}

pub(crate) async fn the_accesses_of_many_users_are_those_of_each(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let [everybodys, own] = [policy(master, "d"), policy(master, "c")];
    let (everybodys, own) = (added(&*store, everybodys).await.id, added(&*store, own).await.id);
    let mut users = Vec::new();
    for login in ["alice", "bob", "carol"] {
        users.push(added_user(&*store, login).await.id);
    }
    store.attach_policy(own, users[1].into()).await.expect("attached");
    store
        .attach_policy(everybodys, users[1].into())
        .await
        .expect("attached");
    let nobody = UserId(uuid());
    for default in [None, Some("D"), Some("none")] {
        let asked: Vec<_> = users.iter().rev().copied().chain([nobody]).collect();
        let mut expected = Vec::new();
        for user in users.iter().rev() {
            let accesses = store.accesses_for((*user).into(), Some(*user), default).await;
            expected.push(accesses.expect("an answer"));
        }
        expected.push(Vec::new());
        let found = store.accesses_of_users(&asked, default).await.expect("an answer");
        assert_eq!(found, expected, "{default:?}");
    }
    assert_eq!(
        store.accesses_of_users(&[], None).await.expect("an answer"),
        Vec::<Vec<String>>::new()
    );
}
