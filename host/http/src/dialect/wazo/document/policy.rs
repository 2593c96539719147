//! Policies.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use uuid::Uuid;

use super::count;
use crate::dialect::wazo::policy::ORDERS;
use crate::document::{Answer, Operation, Shape};

pub(super) const TAG: &str = "policies";

/// A policy.
#[derive(ToSchema)]
pub(super) struct Policy {
    uuid: Uuid,
    tenant_uuid: Uuid,
    name: String,
    slug: String,
    #[schema(required)]
    description: Option<String>,
    /// Its accesses. In them `*` stands for a part of a word, `#` for any number of words; one that begins with `!` takes away.
    acl: Vec<String>,
    /// Whether nobody may change it here.
    read_only: bool,
    /// Whether the tenants below see it, too.
    shared: bool,
}

/// A policy to be made.
#[derive(ToSchema)]
struct NewPolicy {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Without one, it is made of the name.
    #[schema(min_length = 1, max_length = 80)]
    slug: Option<String>,
    #[schema(max_length = 4096)]
    description: Option<String>,
    #[schema(nullable = false, max_items = 1024)]
    acl: Option<Vec<String>>,
    #[schema(nullable = false, default = false)]
    shared: Option<bool>,
}

/// What takes the place of a policy's content: what is not said is not kept.
#[derive(ToSchema)]
struct PolicyChange {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[schema(max_length = 4096)]
    description: Option<String>,
    #[schema(nullable = false, max_items = 1024)]
    acl: Option<Vec<String>>,
}

/// What a list of policies can be filtered by.
pub(super) const FILTERS: &[&str] = &["uuid", "name", "slug", "description", "read_only"];
const TAKEN: &str = "There is such a policy.";
const MANAGED: &str = "The configuration manages the policy.";

pub(in crate::dialect::wazo) fn list() -> Operation {
    // This list alone does not tell how many fit the filters.
    let page = Shape::of::<Policy>().within(|item| {
        ObjectBuilder::new()
            .property("items", ArrayBuilder::new().items(item))
            .property(
                "total",
                count().description(Some("How many there are without filters.")),
            )
            .required("items")
            .required("total")
            .into()
    });
    Operation::of_tenant(TAG, "listPolicies", "Lists policies", "auth.policies.read")
        .list_parameters(&ORDERS)
        .filters(FILTERS)
        .answer(Answer::new(200, "This part of the list.").json(page))
}

pub(in crate::dialect::wazo) fn create() -> Operation {
    Operation::of_tenant(TAG, "createPolicy", "Makes a policy", "auth.policies.create")
        .takes::<NewPolicy>()
        .gives::<Policy>("The policy.")
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    Operation::of_tenant(TAG, "getPolicy", "Shows a policy", "auth.policies.{policy}.read")
        .gives::<Policy>("The policy.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn update() -> Operation {
    Operation::of_tenant(TAG, "updatePolicy", "Changes a policy", "auth.policies.{policy}.update")
        .takes::<PolicyChange>()
        .gives::<Policy>("The policy.")
        .may_miss()
        .may_be_forbidden(MANAGED)
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    Operation::of_tenant(TAG, "deletePolicy", "Removes a policy", "auth.policies.{policy}.delete")
        .gives_nothing("It is gone; tokens issued before keep their accesses.")
        .may_miss()
        .may_be_forbidden(MANAGED)
}

pub(in crate::dialect::wazo) fn add_access() -> Operation {
    let access = "auth.policies.{policy}.update";
    Operation::of_tenant(TAG, "addPolicyAccess", "Adds an access to a policy", access)
        .gives_nothing("The policy has the access.")
        .answer(super::refused())
        .may_miss()
        .may_be_forbidden(MANAGED)
        .may_conflict("The policy has the access.")
}

pub(in crate::dialect::wazo) fn remove_access() -> Operation {
    let access = "auth.policies.{policy}.update";
    Operation::of_tenant(TAG, "removePolicyAccess", "Takes an access from a policy", access)
        .gives_nothing("The policy does not have the access.")
        .answer(super::refused())
        .may_miss()
        .may_be_forbidden(MANAGED)
}
