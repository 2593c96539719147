//! A method that a route does not have; the router adds `Allow`. Browsers' preflight questions end here too, and get nothing.

use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};

use crate::edge::{Call, not_allowed};

pub(super) async fn handle(call: Call, method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    not_allowed(call).await
}
