//! Routes that are not there, and methods that a route does not have; the router adds `Allow`. Browsers' preflight questions end here too.

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};

use super::ask::Ask;
use super::envelope::open_to_all;
use super::error::Told;
use crate::AppState;

const METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Content-Type, Depth, User-Agent, X-Http-Method-Override, X-File-Size, X-Requested-With, If-Modified-Since, If-Match, X-File-Name, \
     Cache-Control, X-Auth-Token, X-Auth-Account-Id, X-Kazoo-Cluster-ID, X-Request-ID, Authorization",
);

/// A route that has other methods.
pub(super) async fn handle(State(state): State<AppState>, request: Request) -> Response {
    tell(&state, request, Told::not_allowed).await
}

/// No route.
pub(super) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    tell(&state, request, Told::not_found).await
}

async fn tell(state: &AppState, request: Request, told: fn() -> Told) -> Response {
    if request.method() == Method::OPTIONS {
        return preflight();
    }
    let Ok(ask) = Ask::from_request(request, state).await;
    ask.refuse(told().into())
}

fn preflight() -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    open_to_all(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}
