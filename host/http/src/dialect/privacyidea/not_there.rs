//! What is not there: a method that a route does not have, where the router adds `Allow`; a path of this API that is none. Browsers' preflight questions end
//! here too, and get nothing.

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};

use super::ask::Ask;
use super::error::{Failure, Told};
use crate::{AppState, edge};

/// What this API's paths begin with.
const FIRST: [&str; 11] = [
    "audit",
    "auth",
    "defaultrealm",
    "policy",
    "realm",
    "resolver",
    "system",
    "token",
    "user",
    "users",
    "validate",
];

/// Answers HEAD to a route whose GET does more than tell something: `None` for another method.
pub(super) async fn head(ask: &Ask) -> Option<Response> {
    if !ask.is_head() {
        return None;
    }
    let mut response = ask.answer(Err(not_allowed().into())).await;
    let allowed = HeaderValue::from_static("GET,POST");
    response.headers_mut().insert(header::ALLOW, allowed);
    Some(response)
}

pub(super) async fn method(method: Method, ask: Ask) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    ask.answer(Err(not_allowed().into())).await
}

fn not_allowed() -> Told {
    Told::new(
        StatusCode::METHOD_NOT_ALLOWED,
        -405,
        "The method is not allowed for the requested URL.",
    )
}

/// A path that nothing is served under. What is none of this API's own gets the page that everything gets.
pub(crate) async fn path(State(state): State<AppState>, request: Request) -> Response {
    let first = request.uri().path().split('/').nth(1).unwrap_or_default();
    if !FIRST.contains(&first) {
        return edge::not_found().await;
    }
    match Ask::from_request(request, &state).await {
        Ok(ask) => {
            let failure = Failure::NotFound("Nothing is served under this address.".to_owned());
            ask.answer(Err(failure)).await
        }
        Err(never) => match never {},
    }
}
