//! Refresh tokens.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use std::collections::BTreeMap;

use utoipa::ToSchema;
use uuid::Uuid;

use crate::dialect::wazo::refresh_token::ORDERS;
use crate::document::Operation;

pub(super) const TAG: &str = "refresh tokens";

/// A refresh token, without its text.
#[derive(ToSchema)]
struct RefreshToken {
    client_id: String,
    /// In UTC.
    created_at: String,
    mobile: bool,
    user_uuid: Uuid,
    tenant_uuid: Uuid,
    /// What the backend wanted kept.
    metadata: BTreeMap<String, String>,
}

const REMOVED: &str = "It is gone. The tokens that it was used for stay good.";

fn lists(operation: Operation) -> Operation {
    operation
        .lists::<RefreshToken, _>(&ORDERS)
        .filters(&["client_id", "mobile"])
}

pub(in crate::dialect::wazo) fn list() -> Operation {
    lists(Operation::of_tenant(
        TAG,
        "listRefreshTokens",
        "Lists refresh tokens",
        "auth.tokens.read",
    ))
}

pub(in crate::dialect::wazo) fn list_of_user() -> Operation {
    let access = "auth.users.{user}.tokens.read";
    lists(Operation::of_tenant(
        TAG,
        "listUserRefreshTokens",
        "Lists the refresh tokens of a user",
        access,
    ))
    .may_miss()
}

pub(in crate::dialect::wazo) fn list_of_me() -> Operation {
    let access = "auth.users.me.tokens.read";
    lists(Operation::of_tenant(
        TAG,
        "listMyRefreshTokens",
        "Lists the caller's refresh tokens",
        access,
    ))
}

pub(in crate::dialect::wazo) fn remove_of_user() -> Operation {
    let access = "auth.users.{user}.tokens.{client}.delete";
    Operation::of_tenant(
        TAG,
        "deleteUserRefreshToken",
        "Removes a refresh token of a user",
        access,
    )
    .gives_nothing(REMOVED)
    .may_miss()
}

pub(in crate::dialect::wazo) fn remove_of_me() -> Operation {
    let access = "auth.users.me.tokens.{client}.delete";
    Operation::of_tenant(
        TAG,
        "deleteMyRefreshToken",
        "Removes a refresh token of the caller",
        access,
    )
    .gives_nothing(REMOVED)
    .may_miss()
}
