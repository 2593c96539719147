//! Which web pages may read the answers. Without a setting all may, because tokens, not cookies, decide who somebody is.
//!
//! Answers are open to all as they are made; what differs from that is put right here, so that the usual case costs nothing.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::{HeaderValue, header};

/// Which web pages may read the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// If not, no page of another origin may.
    pub enabled: bool,
    /// The pages' origins; none stands for all.
    pub origins: Vec<HeaderValue>,
    /// The names of the headers that a page may send.
    pub headers: Vec<String>,
}

impl Default for Cors {
    fn default() -> Self {
        let headers = [
            "Content-Type",
            "Authorization",
            "X-Auth-Token",
            "Wazo-Tenant",
            "Wazo-Session-Type",
        ];
        Self {
            enabled: true,
            origins: Vec::new(),
            headers: headers.map(str::to_owned).to_vec(),
        }
    }
}

impl Cors {
    /// What a browser's question about headers is answered with.
    pub(crate) fn allowed_headers(&self) -> HeaderValue {
        // Names that were checked make a value; were there one that does not, no header would be allowed.
        HeaderValue::from_str(&self.headers.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }

    /// The routes, with answers that only these pages may read.
    pub(super) fn over(&self, router: Router) -> Router {
        if self.enabled && self.origins.is_empty() {
            return router;
        }
        router.layer(from_fn_with_state(self.clone(), mark))
    }
}

async fn mark(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // A cache must not give one page's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|origin| cors.enabled && cors.origins.contains(origin)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    } else {
        headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        headers.remove(header::ACCESS_CONTROL_ALLOW_HEADERS);
        headers.remove(header::ACCESS_CONTROL_ALLOW_METHODS);
    }
    response
}
