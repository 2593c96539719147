//! A method that a route does not have, where the router adds `Allow`, and a path below this API's own that no route has. Browsers' questions end here, too.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::Webitel;
use super::error::told;

/// Characters of a path that an answer repeats.
const MAX_REPEATED: usize = 256;

pub(super) async fn handle(State(webitel): State<Webitel>, method: Method, headers: HeaderMap) -> Response {
    let not_allowed = || told(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed.");
    answer(&webitel, &method, &headers, not_allowed)
}

pub(super) async fn not_found(
    State(webitel): State<Webitel>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let not_found = || {
        // Without the query, in which there may be a token.
        let path: String = uri.path().chars().take(MAX_REPEATED).collect();
        told(StatusCode::NOT_FOUND, &format!("{path} not found."))
    };
    answer(&webitel, &method, &headers, not_found)
}

/// Answers a browser's question with 200, and all else with this.
fn answer(webitel: &Webitel, method: &Method, headers: &HeaderMap, otherwise: impl FnOnce() -> Response) -> Response {
    let response = if method == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        otherwise()
    };
    webitel.finish(method, headers, response)
}
