//! Answers that no dialect has a say in.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

use super::Call;

/// The answer to a path that no route has: a short HTML page, for people who typed it.
pub async fn not_found() -> Response {
    not_found_page()
}

/// The same, where a handler finds out by itself.
pub fn not_found_page() -> Response {
    const PAGE: &str = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n\
        <p>Nothing is served under this address.</p>\n</html>\n";
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (StatusCode::NOT_FOUND, kind, PAGE).into_response()
}

/// The answer to a method that a route does not have.
pub async fn not_allowed(_call: Call) -> Response {
    message(
        StatusCode::METHOD_NOT_ALLOWED,
        "The method is not allowed for the requested URL.",
    )
}

/// `{"message": ...}` with 503, to be tried again in a second.
pub(super) fn unavailable() -> Response {
    let retry = [(header::RETRY_AFTER, "1")];
    (retry, message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")).into_response()
}

/// `{"message": ...}` with this status.
pub fn message(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}
