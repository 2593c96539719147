//! A method that a route does not have, where the router adds `Allow`, and a path below this API's own that no route has. Browsers' questions end here, too.

use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, Uri};

use super::error::told;

/// Characters of a path that an answer repeats.
const MAX_REPEATED: usize = 256;

pub(super) async fn handle(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    told(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed.")
}

pub(super) async fn not_found(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    // Without the query, in which there may be a token.
    let path: String = uri.path().chars().take(MAX_REPEATED).collect();
    told(StatusCode::NOT_FOUND, &format!("{path} not found."))
}
