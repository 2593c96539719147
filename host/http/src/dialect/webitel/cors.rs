//! Which web pages may read the answers: the origin of one that may is given back, as the original does.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::{HeaderValue, Method, header};

use crate::Cors;

/// How long browsers remember what they were told, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");

/// The routes, with answers that these pages may read.
pub(super) fn over(cors: &Cors, router: Router) -> Router {
    if !cors.enabled {
        return router;
    }
    router.layer(from_fn_with_state(Arc::new(cors.clone()), mark))
}

async fn mark(State(cors): State<Arc<Cors>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_question = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // A cache must not give one page's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let allowed = |origin: &HeaderValue| cors.origins.is_empty() || cors.origins.contains(origin);
    if let Some(origin) = origin.filter(allowed) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_question {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, cors.allowed_headers());
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }
    response
}
