//! What the served document tells of the events.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;

use super::ACCESS;
use crate::document::{Answer, Operation, Shape, text};

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
        .answer(Answer::new(200, "Events, until the caller goes or its token ends.").text("text/event-stream"))
        .answer(error(400, "There is no such place."))
        .answer(error(401, "No token, or one that is unknown or expired.").header("WWW-Authenticate", "`Bearer`."))
        .answer(error(403, "The token lacks the access."))
        .answer(
            error(503, "The server cannot say now, or too many read already.")
                .header("Retry-After", "In how many seconds to try again."),
        )
}
