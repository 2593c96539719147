//! `GET /keyway/v1/events`: what happens, as server-sent events, for whoever holds a token with the access [`ACCESS`].
//!
//! `id` is the event's place: the header `Last-Event-ID`, or `?after=`, goes on behind it. Without either, a stream begins with what happens
//! next. `data` is the event in wazo's envelope.

mod document;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use keyway_core::model::{EventCursor, InvalidEventCursor};
use keyway_core::port::StoreError;
use keyway_core::token::{CheckRequest, TokenError};
use serde_json::json;

use self::stream::Reader;
use crate::document::{Mount, Routes, get, nowhere};
use crate::edge::{Call, log_failure};
use crate::{AppState, presented};

/// The access that a token must have to read events: those of its owner's tenant and of all below it.
pub const ACCESS: &str = "keyway.events.read";

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Why nobody reads.
enum EventsError {
    NoToken,
    NoAccess,
    Place(InvalidEventCursor),
    TooMany,
    Token(TokenError),
    Store(StoreError),
}

/// The route.
pub(crate) fn mount() -> Mount {
    Mount {
        servers: &[""],
        prefix: "/keyway/v1",
        also: nowhere,
        tags: document::TAGS,
        parameter: |_| None,
        routes: Routes::new().route("/events", get(document::follow, handle)),
    }
}

async fn handle(State(state): State<AppState>, call: Call, uri: Uri, headers: HeaderMap) -> Response {
    match open(&state, &call, &uri, &headers).await {
        Ok(response) => response,
        Err(error) => error.answer(&call),
    }
}

async fn open(state: &AppState, call: &Call, uri: &Uri, headers: &HeaderMap) -> Result<Response, EventsError> {
    let token = presented::token_of(state, token(headers).ok_or(EventsError::NoToken)?).await;
    let token = token.map_err(|error| EventsError::of_token(error.into()))?;
    let asked = CheckRequest {
        scope: Some(ACCESS),
        tenant: None,
    };
    let live = state.tokens.check(&token, asked).await.map_err(EventsError::of_token)?;
    let place = last_place(uri, headers).map_err(EventsError::Place)?;
    let permit = Arc::clone(&state.events.places).try_acquire_owned();
    let permit = permit.map_err(|_| EventsError::TooMany)?;
    let place = state.events.service.place(place).await.map_err(EventsError::Store)?;
    let reader = Reader {
        state: state.clone(),
        token,
        tenant: live.record.session.identity.tenant,
        place,
    };
    let mut response = reader.start(permit, call.go_on()).into_response();
    // nginx would keep events back until it has enough of them.
    let headers = response.headers_mut();
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let bearer = || text(header::AUTHORIZATION)?.strip_prefix("Bearer ").map(str::trim);
    text(TOKEN).or_else(bearer)
}

/// The header is what a client that connects again sends; the query is what somebody typed once.
fn last_place(uri: &Uri, headers: &HeaderMap) -> Result<Option<EventCursor>, InvalidEventCursor> {
    if let Some(header) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        return header.to_str().map_err(|_| InvalidEventCursor)?.parse().map(Some);
    }
    let query = uri.query().unwrap_or_default();
    let mut after = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "after");
    after.next().map(|(_, value)| value.parse()).transpose()
}

impl EventsError {
    fn of_token(error: TokenError) -> Self {
        match error {
            TokenError::NotFound => Self::NoToken,
            TokenError::AccessDenied(_) => Self::NoAccess,
            error => Self::Token(error),
        }
    }

    fn answer(self, call: &Call) -> Response {
        let body = |status: StatusCode, error: &str, next: &str| {
            (status, axum::Json(json!({ "error": error, "next": next }))).into_response()
        };
        let mut response = match &self {
            Self::NoToken => body(
                StatusCode::UNAUTHORIZED,
                "no token that is good",
                "send one in `X-Auth-Token` or as `Authorization: Bearer`",
            ),
            Self::NoAccess => body(
                StatusCode::FORBIDDEN,
                "the token lacks the access `keyway.events.read`",
                "attach a policy that grants it, then log in again: a token keeps its accesses",
            ),
            Self::Place(error) => body(
                StatusCode::BAD_REQUEST,
                &error.to_string(),
                "send the `id` of an event, or none",
            ),
            Self::TooMany => body(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many read events already",
                "try again later, or raise `events.max_streams`",
            ),
            Self::Token(error) => {
                log_failure(call, error);
                unavailable(body)
            }
            Self::Store(error) => {
                log_failure(call, error);
                unavailable(body)
            }
        };
        let headers = response.headers_mut();
        match self {
            Self::NoToken => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooMany | Self::Token(_) | Self::Store(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::NoAccess | Self::Place(_) => {}
        }
        response
    }
}

fn unavailable(body: impl Fn(StatusCode, &str, &str) -> Response) -> Response {
    body(
        StatusCode::SERVICE_UNAVAILABLE,
        "events cannot be read now",
        "try again in a second",
    )
}
