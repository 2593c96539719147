//! A method that a route does not have; the router adds `Allow`. Browsers' preflight questions end here too.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};

use super::{Wazo, wire};
use crate::edge::Call;

pub(super) async fn handle(State(wazo): State<Wazo>, _call: Call, method: Method) -> Response {
    if method != Method::OPTIONS {
        return wire::message(
            StatusCode::METHOD_NOT_ALLOWED,
            "The method is not allowed for the requested URL.",
        );
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
