//! Policies, and to whom they are attached.

use std::sync::Arc;

use keyway_core::model::{IdentityId, TenantId};
use keyway_core::port::{Store, StoreError};

use crate::fixture::{added_tenant, master, policy, uuid};

pub(crate) async fn a_policy_is_found_by_name_without_regard_to_case(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let added = policy(master, "Größe");
    let mut empty = policy(master, "empty");
    empty.accesses.clear();
    for policy in [&added, &empty] {
        store.add_policy(policy).await.expect("added");
    }
    assert_eq!(
        store.find_policy(master, "GRÖßE").await.expect("an answer"),
        Some(added)
    );
    assert_eq!(
        store.find_policy(master, "empty").await.expect("an answer"),
        Some(empty)
    );
    assert_eq!(store.find_policy(other, "empty").await.expect("an answer"), None);
    assert_eq!(store.find_policy(master, "none").await.expect("an answer"), None);
}

pub(crate) async fn policy_names_are_unique_in_their_tenant(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    store.add_policy(&policy(master, "admin")).await.expect("added");
    let mut same_name = policy(master, "ADMIN");
    "other".clone_into(&mut same_name.slug);
    let error = store.add_policy(&same_name).await.expect_err("refused");
    assert!(
        matches!(error, StoreError::Conflict { what: "policy name" }),
        "{error:?}"
    );
    store
        .add_policy(&policy(other, "admin"))
        .await
        .expect("another tenant, another name");
    let error = store
        .add_policy(&policy(TenantId(uuid()), "admin"))
        .await
        .expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
}

pub(crate) async fn policies_are_listed_by_name(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let mut added = [
        policy(other, "b"),
        policy(master, "a-c"),
        policy(master, "ab"),
        policy(master, "C"),
        policy(master, "b"),
    ];
    for policy in &added {
        store.add_policy(policy).await.expect("added");
    }
    added.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    assert_eq!(store.list_policies().await.expect("the policies"), added);
}

pub(crate) async fn a_policy_is_attached_and_detached(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let (first, second) = (policy(master, "b"), policy(master, "a"));
    let (ana, ben) = (IdentityId(uuid()), IdentityId(uuid()));
    for policy in [&first, &second] {
        store.add_policy(policy).await.expect("added");
        store.attach_policy(policy, ana).await.expect("attached");
    }
    store.attach_policy(&first, ana).await.expect("twice is no error");
    store.attach_policy(&first, ben).await.expect("attached");
    assert_eq!(
        store.policies_of(ana).await.expect("an answer"),
        [second.clone(), first.clone()]
    );
    assert!(store.detach_policy(&first, ana).await.expect("an answer"));
    assert!(!store.detach_policy(&first, ana).await.expect("an answer"));
    assert_eq!(store.policies_of(ana).await.expect("an answer"), [second]);
    assert_eq!(store.policies_of(ben).await.expect("an answer"), [first]);
    let error = store
        .attach_policy(&policy(master, "none"), ana)
        .await
        .expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "policy" }), "{error:?}");
}

pub(crate) async fn removing_a_policy_removes_its_attachments(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let (removed, kept) = (policy(master, "Admin"), policy(other, "admin"));
    let ana = IdentityId(uuid());
    for policy in [&removed, &kept] {
        store.add_policy(policy).await.expect("added");
        store.attach_policy(policy, ana).await.expect("attached");
    }
    assert!(store.remove_policy(master, "aDMIN").await.expect("an answer"));
    assert!(!store.remove_policy(master, "admin").await.expect("an answer"));
    assert_eq!(store.policies_of(ana).await.expect("an answer"), [kept]);
}
