//! Which web pages may read the answers: the origin of one that may is given back, as the original does.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, header};

use super::Webitel;

/// How long browsers remember what they were told, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");

impl Webitel {
    /// Says on an answer to a request of this method and with these headers that nobody is to keep it, and which page may read it.
    pub(super) fn finish(&self, method: &Method, request: &HeaderMap, mut response: Response) -> Response {
        let headers = response.headers_mut();
        // Answers tell tokens, and what is so now.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let cors = &self.settings().cors;
        if !cors.enabled {
            return response;
        }
        // A cache must not give one page's answer to another.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let allowed = |origin: &&HeaderValue| cors.origins.is_empty() || cors.origins.contains(origin);
        if let Some(origin) = request.get(header::ORIGIN).filter(allowed) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            if method == Method::OPTIONS {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, cors.allowed_headers());
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
                headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            }
        }
        response
    }
}
