//! A method that a route does not have; the router adds `Allow`. Browsers' preflight questions end here too.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};

use super::{Wazo, wire};
use crate::edge::{Call, not_allowed};

pub(super) async fn handle(State(wazo): State<Wazo>, call: Call, method: Method) -> Response {
    if method != Method::OPTIONS {
        return wire::open_to_all(not_allowed(call).await);
    }
    let mut response = wire::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        wazo.settings().cors.allowed_headers(),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
    );
    response
}
