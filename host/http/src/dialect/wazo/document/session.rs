//! Sessions.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use uuid::Uuid;

use crate::dialect::wazo::session::ORDERS;
use crate::document::Operation;

pub(super) const TAG: &str = "sessions";

/// A session.
#[derive(ToSchema)]
struct Session {
    uuid: Uuid,
    /// Whether it is one of a mobile device.
    mobile: bool,
    tenant_uuid: Uuid,
    /// Null for a mailed link, which is nobody's login.
    #[schema(required)]
    user_uuid: Option<Uuid>,
    /// The program that it was opened with, as that called itself.
    #[schema(required)]
    user_agent: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When its token expires.
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    /// The client whose refresh token it was opened with, or to which one was given with it.
    #[schema(required)]
    refresh_token_client_id: Option<String>,
}

pub(in crate::dialect::wazo) fn list() -> Operation {
    Operation::of_tenant(TAG, "listSessions", "Lists sessions", "auth.sessions.read").lists::<Session, _>(&ORDERS)
}

pub(in crate::dialect::wazo) fn end() -> Operation {
    Operation::of_tenant(TAG, "deleteSession", "Ends a session", "auth.sessions.{session}.delete")
        .detail("The answer does not say whether there was such a session.")
        .gives_nothing("Its tokens are not good.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn list_of_user() -> Operation {
    let access = "auth.users.{user}.sessions.read";
    Operation::of_tenant(TAG, "listUserSessions", "Lists the sessions of a user", access)
        .lists::<Session, _>(&ORDERS)
        .may_miss()
}

pub(in crate::dialect::wazo) fn end_of_user() -> Operation {
    let access = "auth.users.{user}.sessions.{session}.delete";
    Operation::of_tenant(TAG, "deleteUserSession", "Ends a session of a user", access)
        .gives_nothing("Its tokens are not good.")
        .may_miss()
}
