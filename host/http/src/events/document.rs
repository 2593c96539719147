//! What the served document tells of the events.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use std::collections::HashMap;

use keyway_core::model::EventKind;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use uuid::Uuid;

use super::ACCESS;
use crate::document::{Answer, Operation, Shape, text, word_of};

const TAG: &str = "events";

pub(super) const TAGS: &[(&str, &str)] = &[(TAG, "What happens, as it happens.")];

/// Why nobody reads.
#[derive(ToSchema)]
struct EventsError {
    /// What is wrong.
    error: String,
    /// What to do about it.
    next: String,
}

/// What happened, in wazo's envelope. If it is about somebody, a further field, `user_uuid:` with an id behind it, is `true`.
#[derive(ToSchema)]
struct Event {
    /// What happened.
    #[schema(schema_with = kind)]
    name: String,
    data: EventData,
    /// In the server's time zone, which it does not name.
    timestamp: String,
    /// The id of the installation.
    #[schema(required)]
    origin_uuid: Option<String>,
    #[schema(nullable = false)]
    tenant_uuid: Option<Uuid>,
    /// What a token must be good for, where it is told to its holder.
    required_access: String,
    #[serde(flatten)]
    about: HashMap<String, bool>,
}

/// What it happened to.
#[derive(ToSchema)]
#[serde(untagged)]
enum EventData {
    Session(SessionEvent),
    RefreshToken(RefreshTokenEvent),
    Tenant(TenantEvent),
}

/// A session that began, ended, or is about to end.
#[derive(ToSchema)]
struct SessionEvent {
    uuid: Uuid,
    tenant_uuid: Uuid,
    /// Whose session it is.
    user_uuid: Uuid,
    /// Whether it is one of a mobile device.
    mobile: bool,
    /// Who acts in the owner's place; only where somebody does.
    #[schema(nullable = false)]
    impersonator: Option<Impersonator>,
}

/// Who acts in another's place.
#[derive(ToSchema)]
struct Impersonator {
    /// The session of its own, with which the other one ends.
    session_uuid: Uuid,
    tenant_uuid: Uuid,
    user_uuid: Uuid,
    /// The name under which it logged in.
    login: String,
}

/// A refresh token that a client was given, or has lost.
#[derive(ToSchema)]
struct RefreshTokenEvent {
    client_id: String,
    tenant_uuid: Uuid,
    user_uuid: Uuid,
    mobile: bool,
}

/// A tenant that came, changed or went.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct TenantEvent {
    uuid: Uuid,
    /// Not of a tenant that is gone.
    name: Option<String>,
    /// Of a new tenant alone.
    #[schema(nullable = false)]
    slug: Option<String>,
}

pub(super) fn follow() -> Operation {
    const DETAIL: &str = "Events of the tenant of the token's holder and of all below, as server-sent events: `id` is the event's place, `event` \
        what happened, `data` the event in wazo's envelope. Without a place, a stream begins with what happens next.";
    let error = |status, description| Answer::new(status, description).json(Shape::of::<EventsError>());
    Operation::guarded(TAG, "followEvents", "Tells what happens", ACCESS)
        .detail(DETAIL)
        .header(
            "Last-Event-ID",
            text(),
            "The `id` of the last event that the caller has.",
        )
        .query("after", text(), "The same, where there is no such header.")
        .answer(
            Answer::new(
                200,
                "Events, until the caller goes or its token ends; the shape is that of the `data` of each.",
            )
            .events(Shape::of::<Event>()),
        )
        .answer(error(400, "There is no such place."))
        .answer(error(401, "No token, or one that is unknown or expired.").header("WWW-Authenticate", "`Bearer`."))
        .answer(error(403, "The token lacks the access."))
        .answer(
            error(503, "The server cannot say now, or too many read already.")
                .header("Retry-After", "In how many seconds to try again."),
        )
}

fn kind() -> ObjectBuilder {
    word_of(EventKind::ALL.map(EventKind::as_str))
}
