//! Groups.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use uuid::Uuid;

use super::policy::Policy;
use super::user::{self, User};
use crate::dialect::wazo::{group, policy};
use crate::document::Operation;

pub(super) const TAG: &str = "groups";

/// A group.
#[derive(ToSchema)]
pub(super) struct Group {
    uuid: Uuid,
    tenant_uuid: Uuid,
    name: String,
    slug: String,
    /// Whether nobody may change it.
    read_only: bool,
    /// Whether the server made it: each tenant has a group of all its users.
    system_managed: bool,
}

/// A group to be made.
#[derive(ToSchema)]
struct NewGroup {
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// Without one, it is made of the name.
    #[schema(min_length = 1, max_length = 80)]
    slug: Option<String>,
}

/// What takes the place of a group's content.
#[derive(ToSchema)]
struct GroupChange {
    #[schema(min_length = 1, max_length = 128)]
    name: String,
}

/// What a list of groups can be filtered by.
pub(super) const FILTERS: &[&str] = &[
    "uuid",
    "name",
    "slug",
    "read_only",
    "system_managed",
    "policy_uuid",
    "policy_slug",
];
const TAKEN: &str = "There is such a group.";
const SYSTEM: &str = "The server manages the group.";

pub(in crate::dialect::wazo) fn list() -> Operation {
    Operation::of_tenant(TAG, "listGroups", "Lists groups", "auth.groups.read")
        .lists::<Group, _>(&group::ORDERS)
        .filters(FILTERS)
}

pub(in crate::dialect::wazo) fn create() -> Operation {
    Operation::of_tenant(TAG, "createGroup", "Makes a group", "auth.groups.create")
        .takes::<NewGroup>()
        .gives::<Group>("The group.")
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    Operation::of_tenant(TAG, "getGroup", "Shows a group", "auth.groups.{group}.read")
        .gives::<Group>("The group.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn update() -> Operation {
    Operation::of_tenant(TAG, "updateGroup", "Renames a group", "auth.groups.{group}.update")
        .takes::<GroupChange>()
        .gives::<Group>("The group.")
        .may_miss()
        .may_be_forbidden(SYSTEM)
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    Operation::of_tenant(TAG, "deleteGroup", "Removes a group", "auth.groups.{group}.delete")
        .gives_nothing("It is gone.")
        .may_miss()
        .may_be_forbidden(SYSTEM)
}

pub(in crate::dialect::wazo) fn list_members() -> Operation {
    let access = "auth.groups.{group}.users.read";
    Operation::of_tenant(TAG, "listGroupUsers", "Lists the users of a group", access)
        .lists::<User, _>(&crate::dialect::wazo::user::ORDERS)
        .filters(user::FILTERS)
        .may_miss()
}

pub(in crate::dialect::wazo) fn add_member() -> Operation {
    let access = "auth.groups.{group}.users.{user}.create";
    Operation::of_tenant(TAG, "addGroupUser", "Adds a user to a group", access)
        .gives_nothing("The user is in the group.")
        .other_tenant()
        .may_miss()
        .may_be_forbidden(SYSTEM)
}

pub(in crate::dialect::wazo) fn remove_member() -> Operation {
    let access = "auth.groups.{group}.users.{user}.delete";
    Operation::of_tenant(TAG, "removeGroupUser", "Takes a user out of a group", access)
        .gives_nothing("The user is not in the group.")
        .may_miss()
        .may_be_forbidden(SYSTEM)
}

pub(in crate::dialect::wazo) fn list_policies() -> Operation {
    let access = "auth.groups.{group}.policies.read";
    Operation::of_tenant(TAG, "listGroupPolicies", "Lists the policies of a group", access)
        .lists::<Policy, _>(&policy::ORDERS)
        .filters(super::policy::FILTERS)
        .may_miss()
}

pub(in crate::dialect::wazo) fn add_policy() -> Operation {
    let access = "auth.groups.{group}.policies.{policy}.create";
    Operation::of_tenant(TAG, "addGroupPolicy", "Gives a policy to a group", access)
        .gives_nothing("The group has the policy.")
        .may_miss()
        .may_be_forbidden(SYSTEM)
}

pub(in crate::dialect::wazo) fn remove_policy() -> Operation {
    let access = "auth.groups.{group}.policies.{policy}.delete";
    Operation::of_tenant(TAG, "removeGroupPolicy", "Takes a policy from a group", access)
        .gives_nothing("The group does not have the policy.")
        .may_miss()
        .may_be_forbidden(SYSTEM)
}
