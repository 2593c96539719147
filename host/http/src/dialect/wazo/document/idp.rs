//! Methods by which users prove who they are.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use uuid::Uuid;

use super::user::Method;
use crate::document::Operation;

pub(super) const TAG: &str = "methods";

/// All methods.
#[derive(ToSchema)]
struct Methods {
    items: Vec<Method>,
    total: u64,
    filtered: u64,
}

/// Users by their ids.
#[derive(ToSchema)]
struct Users {
    users: Vec<UserId>,
}

/// A user.
#[derive(ToSchema)]
struct UserId {
    uuid: Uuid,
}

pub(in crate::dialect::wazo) fn list() -> Operation {
    Operation::of_tenant(TAG, "listMethods", "Lists the methods", "auth.idp.read").gives::<Methods>("The methods.")
}

pub(in crate::dialect::wazo) fn add_many() -> Operation {
    let access = "auth.idp.{type}.users.update";
    Operation::of_tenant(TAG, "setMethodUsers", "Sets the method of several users", access)
        .takes::<Users>()
        .gives_nothing("It is the method of each of them.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn add() -> Operation {
    let access = "auth.idp.{type}.users.{user}.create";
    Operation::of_tenant(TAG, "setUserMethod", "Sets the method of a user", access)
        .gives_nothing("It is the user's method.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    let access = "auth.idp.{type}.users.{user}.delete";
    Operation::of_tenant(
        TAG,
        "removeUserMethod",
        "Sets the method of a user back to the tenant's",
        access,
    )
    .detail("A user whose method is another one keeps it.")
    .gives_nothing("It is not the user's method.")
    .may_miss()
}
