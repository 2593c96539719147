//! Policies of a tenant: who sees them, who may change and attach them.

use super::*;
use crate::directory::{NewPolicy, PolicyChange};
use crate::model::{Group, GroupId, PolicyId};
use crate::port::{GroupStore as _, StoreError};

fn new_policy(name: &str, accesses: &[&str]) -> NewPolicy {
    NewPolicy {
        name: name.to_owned(),
        accesses: accesses.iter().map(|access| (*access).to_owned()).collect(),
        ..NewPolicy::default()
    }
}

impl House {
    async fn policy(&self, tenant: TenantId, new: NewPolicy) -> Policy {
        self.directory.create_policy(tenant, new, &held(&["#"])).await.unwrap()
    }
}

fn lacks<T: std::fmt::Debug>(outcome: Result<T, DirectoryError>) -> String {
    match outcome.unwrap_err() {
        DirectoryError::AccessDenied(access) => access,
        error => panic!("another error: {error:?}"),
    }
}

fn is_protected<T>(outcome: &Result<T, DirectoryError>) -> bool {
    matches!(outcome, Err(DirectoryError::Protected { what: "policy", .. }))
}

#[tokio::test]
async fn a_policy_is_seen_in_its_tenant_and_above_and_below_if_it_is_shared() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let (child, sibling) = (house.tenant("child").await.id, house.tenant("sibling").await.id);
    let own = house.policy(child, new_policy("own", &[])).await;
    let shared = NewPolicy {
        shared: true,
        ..new_policy("shared", &[])
    };
    let shared = house.policy(master, shared).await;
    let private = house.policy(master, new_policy("private", &[])).await;
    let sees = async |viewer, selector: &str| {
        let found = house
            .directory
            .get_policy_in(selector, TenantScope::Subtree(viewer))
            .await;
        found.map_or_else(
            |error| {
                assert!(
                    matches!(error, DirectoryError::NotFound { what: "policy", .. }),
                    "{error}"
                );
                false
            },
            |_| true,
        )
    };
    for (policy, below, above, beside) in [
        (&own, true, true, false),
        (&shared, true, true, true),
        (&private, false, true, false),
    ] {
        let id = policy.id.to_string();
        let seen = (
            sees(child, &id).await,
            sees(master, &id).await,
            sees(sibling, &id).await,
        );
        assert_eq!(seen, (below, above, beside), "{}", policy.name);
    }
    // A slug means the tenant's own policy, then a shared one above, never one below.
    assert!(sees(child, "OWN").await && !sees(master, "own").await);
    assert!(sees(child, "shared").await && sees(master, "shared").await);
    assert!(!sees(child, "private").await && !sees(child, "none").await);
    assert!(!sees(child, &Uuid::from_u128(7).to_string()).await);
}

#[tokio::test]
async fn nobody_writes_an_access_into_a_policy_that_it_lacks() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let caller = held(&["a.#", "!a.secret", "b"]);
    let create = |accesses: &[&str]| {
        let new = new_policy("p", accesses);
        house.directory.create_policy(master, new, &caller)
    };
    assert_eq!(lacks(create(&["a.x", "c"]).await), "c");
    assert_eq!(lacks(create(&["#"]).await), "#");
    assert_eq!(lacks(create(&["a.secret"]).await), "a.secret");
    let policy = create(&["a.x", "!anything"]).await.unwrap();
    let (id, scope) = (policy.id.to_string(), TenantScope::Subtree(master));
    let add = |access| house.directory.add_policy_access(&id, access, scope, &caller);
    assert_eq!(lacks(add("c").await), "c");
    add("b").await.unwrap();
    add("!c").await.unwrap();
    assert!(is_conflict(&add("b").await, "policy access"));
    for wrong in ["", "!", "x\n"] {
        assert!(is_invalid(&add(wrong).await, "access"), "{wrong:?}");
    }
    let remove = |access| house.directory.remove_policy_access(&id, access, scope, &caller);
    assert_eq!(lacks(remove("!c").await), "!c");
    assert_eq!(lacks(remove("!anything").await), "!anything");
    remove("b").await.unwrap();
    remove("b").await.unwrap();
    let present = house.directory.get_policy_in(&id, scope).await.unwrap();
    assert_eq!(present.accesses, ["a.x", "!anything", "!c"]);
}

#[tokio::test]
async fn no_wildcard_passes_on_what_the_caller_is_denied() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let scope = TenantScope::Subtree(master);
    let caller = held(&["#", "!auth.tenants.#", "!conf.update"]);
    let create = |name: &str, accesses: &[&str]| {
        let new = new_policy(name, accesses);
        house.directory.create_policy(master, new, &caller)
    };
    assert_eq!(lacks(create("p", &["#"]).await), "#");
    assert_eq!(lacks(create("p", &["auth.users.#", "auth.#"]).await), "auth.#");
    assert_eq!(lacks(create("p", &["conf.edit"]).await), "conf.edit");
    let policy = create("p", &["auth.users.#"]).await.unwrap().id.to_string();
    let add = |access| house.directory.add_policy_access(&policy, access, scope, &caller);
    assert_eq!(lacks(add("auth.*.create").await), "auth.*.create");
    add("!auth.tenants.#").await.unwrap();
    add("auth.*.create").await.unwrap();
    // Together with what denies it, it may go, and then not without.
    let own = ["#", "!auth.tenants.#", "!conf.update", "!auth.#"];
    let own = create("own", &own).await.unwrap();
    let remove = |access| house.directory.remove_policy_access(&policy, access, scope, &caller);
    assert_eq!(lacks(remove("!auth.tenants.#").await), "!auth.tenants.#");
    let (alice, own) = (house.add("alice").await.id, own.id.to_string());
    house
        .directory
        .attach_user_policy(alice, &own, scope, &caller)
        .await
        .unwrap();
    let wide = house.policy(master, new_policy("wide", &["#"])).await.id.to_string();
    let attached = house.directory.attach_user_policy(alice, &wide, scope, &caller).await;
    assert_eq!(lacks(attached), "#");
    // Nor is a denial lifted that is wider than the caller's own.
    let wide = house.policy(master, new_policy("none", &["!#"])).await.id.to_string();
    house
        .directory
        .attach_user_policy(alice, &wide, scope, &caller)
        .await
        .unwrap();
    let detached = house.directory.detach_user_policy(alice, &wide, scope, &caller).await;
    assert_eq!(lacks(detached), "!#");
}

#[tokio::test]
async fn a_change_of_a_policy_needs_what_it_adds_and_removes_alone() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let policy = house.policy(master, new_policy("p", &["a.x", "z", "!z.y"])).await;
    let scope = TenantScope::Subtree(master);
    let caller = held(&["a.#"]);
    let change = |accesses: &[&str]| PolicyChange {
        name: "q".to_owned(),
        description: Some("why".to_owned()),
        accesses: accesses.iter().map(|access| (*access).to_owned()).collect(),
    };
    let update = async |accesses: &[&str]| {
        let change = change(accesses);
        house
            .directory
            .update_policy(&policy.id.to_string(), &change, scope, &caller)
            .await
    };
    assert_eq!(lacks(update(&["a.x", "!z.y"]).await), "z");
    assert_eq!(lacks(update(&["a.x", "z"]).await), "!z.y");
    assert_eq!(lacks(update(&["z", "!z.y", "w"]).await), "w");
    let changed = update(&["!z.y", "z", "a.#", "!w"]).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.slug.as_str()), ("q", "p"));
    assert_eq!(changed.description.as_deref(), Some("why"));
    assert_eq!(house.directory.get_policy_in("p", scope).await.unwrap(), changed);
    let nameless = PolicyChange::default();
    let outcome = house.directory.update_policy("p", &nameless, scope, &caller).await;
    assert!(is_invalid(&outcome, "policy name"));
}

#[tokio::test]
async fn what_the_configuration_or_a_tenant_above_defines_cannot_be_changed() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let child = house.tenant("child").await.id;
    let shared = NewPolicy {
        shared: true,
        ..new_policy("shared", &["a"])
    };
    let shared = house.policy(master, shared).await;
    let managed = Policy {
        managed: true,
        ..Policy::new(PolicyId(Uuid::from_u128(3)), master, "managed", vec!["a".to_owned()])
    };
    house.store.add_policy(&managed).await.unwrap();
    let root = held(&["#"]);
    for (policy, viewer) in [(&shared, child), (&managed, master)] {
        let (id, scope) = (policy.id.to_string(), TenantScope::Subtree(viewer));
        let change = PolicyChange {
            name: "x".to_owned(),
            ..PolicyChange::default()
        };
        assert!(is_protected(
            &house.directory.update_policy(&id, &change, scope, &root).await
        ));
        assert!(is_protected(
            &house.directory.add_policy_access(&id, "b", scope, &root).await
        ));
        assert!(is_protected(
            &house.directory.remove_policy_access(&id, "a", scope, &root).await
        ));
        assert!(is_protected(&house.directory.delete_policy(&id, scope, &root).await));
    }
    assert!(is_protected(&house.directory.remove_policy("managed").await));
    let above = TenantScope::Subtree(master);
    house.directory.delete_policy("shared", above, &root).await.unwrap();
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
async fn nobody_gains_an_access_by_attaching_a_policy_or_by_taking_one_away() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let (alice, scope) = (house.add("alice").await, TenantScope::Subtree(master));
    let group = house.directory.add_group(master, "g", None).await.unwrap().id;
    house.policy(master, new_policy("strong", &["a", "z"])).await;
    house.policy(master, new_policy("weak", &["a", "!z"])).await;
    let directory = &house.directory;
    let caller = held(&["a", "auth.#"]);
    for (outcome, what) in [
        (
            directory.attach_user_policy(alice.id, "strong", scope, &caller).await,
            "user",
        ),
        (
            directory.attach_group_policy(group, "strong", scope, &caller).await,
            "group",
        ),
    ] {
        assert_eq!(lacks(outcome), "z", "{what}");
    }
    for _ in 0..2 {
        directory
            .attach_user_policy(alice.id, "weak", scope, &caller)
            .await
            .unwrap();
        directory
            .attach_group_policy(group, "weak", scope, &caller)
            .await
            .unwrap();
    }
    // It denies something: who cannot do that itself does not lift it.
    for (outcome, what) in [
        (
            directory.detach_user_policy(alice.id, "weak", scope, &caller).await,
            "user",
        ),
        (
            directory.detach_group_policy(group, "weak", scope, &caller).await,
            "group",
        ),
        (directory.delete_policy("weak", scope, &caller).await.map(|_| ()), "all"),
    ] {
        assert_eq!(lacks(outcome), "!z", "{what}");
    }
    let root = held(&["#"]);
    directory
        .attach_user_policy(alice.id, "strong", scope, &root)
        .await
        .unwrap();
    // Taking an access from somebody gives nobody anything.
    directory
        .detach_user_policy(alice.id, "strong", scope, &caller)
        .await
        .unwrap();
    for _ in 0..2 {
        directory
            .detach_user_policy(alice.id, "weak", scope, &root)
            .await
            .unwrap();
        directory
            .detach_group_policy(group, "weak", scope, &root)
            .await
            .unwrap();
    }
    assert!(house.policies_of(alice.id.into()).await.is_empty());
}

#[tokio::test]
async fn nobody_gains_an_access_by_joining_leaving_or_removing_a_group() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let (alice, scope) = (house.add("alice").await.id, TenantScope::Subtree(master));
    let (root, caller, directory) = (held(&["#"]), held(&["a", "auth.#"]), &house.directory);
    house.policy(master, new_policy("strong", &["a", "z"])).await;
    house.policy(master, new_policy("weak", &["a", "!z"])).await;
    let group = async |name: &str| {
        let group = directory.add_group(master, name, None).await.unwrap().id;
        directory.attach_group_policy(group, name, scope, &root).await.unwrap();
        group
    };
    let (strong, weak) = (group("strong").await, group("weak").await);
    assert_eq!(
        lacks(directory.add_group_member(strong, alice, scope, &caller).await),
        "z"
    );
    directory.add_group_member(strong, alice, scope, &root).await.unwrap();
    directory
        .remove_group_member(strong, alice, scope, &caller)
        .await
        .unwrap();
    directory.remove_group(strong, scope, &caller).await.unwrap();
    directory.add_group_member(weak, alice, scope, &caller).await.unwrap();
    assert_eq!(
        lacks(directory.remove_group_member(weak, alice, scope, &caller).await),
        "!z"
    );
    assert_eq!(lacks(directory.remove_group(weak, scope, &caller).await), "!z");
    directory.remove_group_member(weak, alice, scope, &root).await.unwrap();
    directory.remove_group(weak, scope, &root).await.unwrap();
}

#[tokio::test]
async fn policies_are_attached_only_where_both_can_be_seen() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let child = house.tenant("child").await.id;
    let alice = house.add("alice").await;
    let (above, below) = (TenantScope::Subtree(master), TenantScope::Subtree(child));
    let mine = house.policy(master, new_policy("mine", &[])).await.id.to_string();
    let theirs = house.policy(child, new_policy("theirs", &[])).await.id.to_string();
    let groups = house.directory.list_groups(&Query::all(TenantScope::Only(child))).await;
    let group = groups.unwrap().items.remove(0).id;
    let (root, directory) = (held(&["#"]), &house.directory);
    directory.attach_group_policy(group, &mine, above, &root).await.unwrap();
    directory
        .attach_group_policy(group, &theirs, below, &root)
        .await
        .unwrap();
    directory
        .attach_user_policy(alice.id, &theirs, above, &root)
        .await
        .unwrap();
    assert!(is_missing(
        &directory.attach_group_policy(group, &mine, below, &root).await,
        "policy"
    ));
    assert!(is_missing(
        &directory.attach_user_policy(alice.id, &theirs, below, &root).await,
        "user"
    ));
    let nobody = GroupId(Uuid::from_u128(9));
    assert!(is_missing(
        &directory.detach_group_policy(nobody, &mine, above, &root).await,
        "group"
    ));
}

#[tokio::test]
async fn a_slug_that_nobody_chose_gives_way() {
    let house = House::new();
    let master = house.tenants.master().await.unwrap();
    let first = house.policy(master, new_policy("a b", &[])).await;
    let second = house.policy(master, new_policy("a+b", &[])).await;
    assert_eq!(first.slug, "a-b");
    assert!(
        second.slug.starts_with("a-b-") && second.slug.len() == 12,
        "{}",
        second.slug
    );
    let chosen = NewPolicy {
        slug: Some("A-B".to_owned()),
        ..new_policy("c", &[])
    };
    let outcome = house.directory.create_policy(master, chosen, &held(&["#"])).await;
    assert!(is_conflict(&outcome, "policy slug"));
    let wrong = NewPolicy {
        slug: Some("a b".to_owned()),
        ..new_policy("c", &[])
    };
    let outcome = house.directory.create_policy(master, wrong, &held(&["#"])).await;
    assert!(is_invalid(&outcome, "slug"));
}

mod prepare {
    //! What the configuration defines.

    use super::*;
    use crate::directory::{FirstUser, ProvidedPolicy, Provisions};
    use crate::model::Purpose;
    use crate::port::{GroupFilter, ProvidedGroup};

    fn provided(slug: &str, accesses: &[&str]) -> ProvidedPolicy {
        ProvidedPolicy {
            slug: slug.to_owned(),
            accesses: accesses.iter().map(|access| (*access).to_owned()).collect(),
            ..ProvidedPolicy::default()
        }
    }

    fn usual() -> Provisions {
        Provisions {
            policies: vec![provided("everybody", &["me"]), provided("boss", &["#"])],
            all_users: vec!["everybody".to_owned()],
            groups: vec![ProvidedGroup {
                slug: "bosses".to_owned(),
                name: "The bosses".to_owned(),
                policies: vec!["boss".to_owned()],
            }],
            first_user: None,
            update: true,
        }
    }

    impl House {
        /// The names of the policies of the tenant's groups with this name.
        async fn of_group(&self, tenant: TenantId, name: &str) -> Vec<String> {
            let filter = GroupFilter {
                name: Some(name.to_owned()),
                ..GroupFilter::default()
            };
            let query = Query {
                filter,
                ..Query::all(TenantScope::Only(tenant))
            };
            let group = self.store.list_groups(&query).await.unwrap().items.remove(0);
            let filter = PolicyFilter {
                group: Some(group.id),
                ..PolicyFilter::default()
            };
            let query = Query {
                filter,
                ..Query::all(TenantScope::All)
            };
            let policies = self.store.list_policies(&query).await.unwrap().items;
            policies.into_iter().map(|policy| policy.name).collect()
        }
    }

    #[tokio::test]
    async fn old_and_new_tenants_get_the_policies_and_groups_of_the_configuration() {
        let house = House::new();
        let old = house.tenant("old").await.id;
        house.directory.prepare(usual()).await.unwrap();
        let new = house.tenant("new").await.id;
        for tenant in [house.tenants.master().await.unwrap(), old, new] {
            assert_eq!(
                house.of_group(tenant, &Group::all_users_name(tenant)).await,
                ["everybody"]
            );
            assert_eq!(house.of_group(tenant, "The bosses").await, ["boss"]);
        }
        let policy = house
            .directory
            .get_policy_in("everybody", TenantScope::Only(new))
            .await
            .unwrap();
        assert!(policy.managed && policy.shared);
        // A tenant that has nothing but what it was given can go.
        house.directory.remove_tenant(&new.to_string()).await.unwrap();
    }

    #[tokio::test]
    async fn without_leave_to_update_what_is_there_stays() {
        let house = House::new();
        house.directory.prepare(usual()).await.unwrap();
        let changed = Provisions {
            policies: vec![provided("everybody", &["other"])],
            update: false,
            ..usual()
        };
        house.directory.prepare(changed).await.unwrap();
        let scope = TenantScope::All;
        let policy = house.directory.get_policy_in("everybody", scope).await.unwrap();
        assert_eq!(policy.accesses, ["me"]);
        assert!(house.directory.get_policy_in("boss", scope).await.is_ok());
    }

    fn first(login: &str, policy: &str) -> Provisions {
        let first_user = FirstUser {
            login: login.to_owned(),
            password: Secret::new(b"s3cre7".to_vec()),
            purpose: Purpose::Internal,
            policy: policy.to_owned(),
        };
        Provisions {
            first_user: Some(first_user),
            ..usual()
        }
    }

    #[tokio::test]
    async fn the_first_user_is_made_where_there_is_none_and_never_again() {
        let house = House::new();
        house.directory.prepare(first("root", "boss")).await.unwrap();
        house.directory.prepare(first("root", "boss")).await.unwrap();
        let root = house.directory.get_user("root").await.unwrap();
        assert_eq!(root.purpose, Purpose::Internal);
        assert!(house.is_password(root.id, "s3cre7").await);
        assert_eq!(house.policies_of(root.id.into()).await[0].slug, "boss");
        house.add("alice").await;
        house.directory.remove_user("root").await.unwrap();
        house.directory.prepare(first("root", "boss")).await.unwrap();
        assert!(is_missing(&house.directory.get_user("root").await, "user"));
    }

    #[tokio::test]
    async fn the_first_users_policy_must_be_there_unless_it_is_the_administrators() {
        let house = House::new();
        assert!(is_missing(
            &house.directory.prepare(first("root", "none")).await,
            "policy"
        ));
        house.directory.prepare(first("root", ADMIN_POLICY)).await.unwrap();
        let root = house.directory.get_user("root").await.unwrap();
        assert_eq!(house.policies_of(root.id.into()).await[0].accesses, ["#"]);
    }

    #[tokio::test]
    async fn what_nobody_configured_takes_no_policy_over() {
        let implied = |accesses: &[&str]| Provisions {
            policies: vec![ProvidedPolicy {
                unless_taken: Some("say so"),
                ..provided("boss", accesses)
            }],
            ..usual()
        };
        let own = async || {
            let house = House::new();
            let master = house.tenants.master().await.unwrap();
            let own = house.policy(master, new_policy("Boss", &["mine"])).await;
            (house, own)
        };
        let (house, before) = own().await;
        let error = house.directory.prepare(implied(&["#"])).await.unwrap_err();
        assert_eq!(error.to_string(), "rights: say so");
        let found = async |house: &House| house.store.find_policy(before.id).await.unwrap();
        assert_eq!(found(&house).await, Some(before.clone()));
        let spared = Provisions {
            update: false,
            ..implied(&["#"])
        };
        house.directory.prepare(spared).await.unwrap();
        assert_eq!(found(&house).await, Some(before.clone()));
        // What is the same already may as well be the configuration's, and from then on it is.
        for accesses in [&["mine"], &["#"]] {
            house.directory.prepare(implied(accesses)).await.unwrap();
            let policy = found(&house).await.unwrap();
            assert!(policy.managed && policy.accesses == accesses, "{policy:?}");
        }
        // What somebody wrote into the configuration is what the operator wants.
        let (house, _) = own().await;
        house.directory.prepare(usual()).await.unwrap();
        let boss = house.directory.get_policy_in("boss", TenantScope::All).await.unwrap();
        assert!(boss.managed && boss.accesses == ["#"]);
    }

    #[tokio::test]
    async fn a_policy_of_the_same_name_is_named() {
        let house = House::new();
        let master = house.tenants.master().await.unwrap();
        let taken = NewPolicy {
            slug: Some("other".to_owned()),
            ..new_policy("boss", &[])
        };
        house.policy(master, taken).await;
        let error = house.directory.prepare(usual()).await.unwrap_err();
        assert!(matches!(
            error,
            DirectoryError::Store(StoreError::Conflict { what: "policy name" })
        ));
    }
}
