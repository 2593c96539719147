//! Users.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use uuid::Uuid;

use super::email::Email;
use super::group::{self, Group};
use super::policy::{self, Policy};
use crate::dialect::wazo;
use crate::document::Operation;

pub(super) const TAG: &str = "users";

/// A user.
#[derive(ToSchema)]
pub(super) struct User {
    uuid: Uuid,
    tenant_uuid: Uuid,
    #[schema(required)]
    username: Option<String>,
    #[schema(required)]
    firstname: Option<String>,
    #[schema(required)]
    lastname: Option<String>,
    purpose: Purpose,
    authentication_method: Method,
    /// Whether the user may log in.
    enabled: bool,
    emails: Vec<Email>,
}

/// What a user is there for.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    User,
    Internal,
    ExternalApi,
}

/// By which method a user proves who it is; `default` stands for the tenant's.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Method {
    Default,
    Native,
    Ldap,
    Saml,
}

/// A user to be made.
#[derive(ToSchema)]
struct NewUser {
    uuid: Option<Uuid>,
    /// Nobody else's name or address, without regard to case.
    #[schema(min_length = 1, max_length = 256)]
    username: Option<String>,
    #[schema(min_length = 1, max_length = 1024, write_only)]
    password: Option<String>,
    /// It counts as confirmed.
    #[schema(min_length = 1, max_length = 254)]
    email_address: Option<String>,
    #[schema(max_length = 256)]
    firstname: Option<String>,
    #[schema(max_length = 256)]
    lastname: Option<String>,
    #[schema(nullable = false)]
    purpose: Option<Purpose>,
    #[schema(nullable = false)]
    authentication_method: Option<Method>,
    #[schema(nullable = false, default = true)]
    enabled: Option<bool>,
}

/// What takes the place of a user's content: what is not said is not kept.
#[derive(ToSchema)]
struct UserChange {
    #[schema(min_length = 1, max_length = 256)]
    username: Option<String>,
    #[schema(max_length = 256)]
    firstname: Option<String>,
    #[schema(max_length = 256)]
    lastname: Option<String>,
    #[schema(nullable = false)]
    purpose: Option<Purpose>,
    #[schema(nullable = false)]
    authentication_method: Option<Method>,
    #[schema(nullable = false, default = true)]
    enabled: Option<bool>,
}

/// Somebody who registers.
#[derive(ToSchema)]
struct Registration {
    #[schema(min_length = 1, max_length = 256)]
    username: Option<String>,
    #[schema(min_length = 1, max_length = 1024, write_only)]
    password: String,
    /// A mail that asks to confirm it is sent there.
    #[schema(min_length = 1, max_length = 254)]
    email_address: String,
    #[schema(max_length = 256)]
    firstname: Option<String>,
    #[schema(max_length = 256)]
    lastname: Option<String>,
}

/// What a list of users can be filtered by.
pub(super) const FILTERS: &[&str] = &[
    "uuid",
    "username",
    "firstname",
    "lastname",
    "purpose",
    "email_address",
    "group_uuid",
    "policy_uuid",
    "policy_slug",
    "has_policy_uuid",
    "has_policy_slug",
];
const TAKEN: &str = "The id, the name or the address is somebody else's.";

pub(in crate::dialect::wazo) fn list() -> Operation {
    Operation::of_tenant(TAG, "listUsers", "Lists users", "auth.users.read")
        .lists::<User, _>(&wazo::user::ORDERS)
        .filters(FILTERS)
}

pub(in crate::dialect::wazo) fn create() -> Operation {
    Operation::of_tenant(TAG, "createUser", "Makes a user", "auth.users.create")
        .takes::<NewUser>()
        .gives::<User>("The user.")
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    Operation::of_tenant(TAG, "getUser", "Shows a user", "auth.users.{user}.read")
        .gives::<User>("The user.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn update() -> Operation {
    Operation::of_tenant(TAG, "updateUser", "Changes a user", "auth.users.{user}.update")
        .detail("A user who is disabled by it has no session afterwards.")
        .takes::<UserChange>()
        .gives::<User>("The user.")
        .may_miss()
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    Operation::of_tenant(TAG, "deleteUser", "Removes a user", "auth.users.{user}.delete")
        .detail("The user's sessions end.")
        .gives_nothing("The user is gone.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn register() -> Operation {
    Operation::open(TAG, "registerUser", "Makes a user and a tenant of its own")
        .takes::<Registration>()
        .gives::<User>("The user.")
        .may_conflict(TAKEN)
        .fails()
}

pub(in crate::dialect::wazo) fn list_groups() -> Operation {
    let access = "auth.users.{user}.groups.read";
    Operation::of_tenant(TAG, "listUserGroups", "Lists the groups of a user", access)
        .lists::<Group, _>(&wazo::group::ORDERS)
        .filters(group::FILTERS)
        .may_miss()
}

pub(in crate::dialect::wazo) fn list_policies() -> Operation {
    let access = "auth.users.{user}.policies.read";
    Operation::of_tenant(TAG, "listUserPolicies", "Lists the policies of a user", access)
        .detail("Those that the user's groups have are not among them.")
        .lists::<Policy, _>(&wazo::policy::ORDERS)
        .filters(policy::FILTERS)
        .may_miss()
}

pub(in crate::dialect::wazo) fn add_policy() -> Operation {
    let access = "auth.users.{user}.policies.{policy}.create";
    Operation::of_tenant(TAG, "addUserPolicy", "Gives a policy to a user", access)
        .gives_nothing("The user has the policy; tokens issued before do not.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn remove_policy() -> Operation {
    let access = "auth.users.{user}.policies.{policy}.delete";
    Operation::of_tenant(TAG, "removeUserPolicy", "Takes a policy from a user", access)
        .gives_nothing("The user does not have the policy; tokens issued before do.")
        .may_miss()
}
