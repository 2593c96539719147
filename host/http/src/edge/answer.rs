//! What happens to every request: an id, the client's address, a bound in time, a net under panics, and a line in the log. One function
//! rather than five layers, because a token check is short enough for layers to show.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures::FutureExt as _;
use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use tower::Service as _;
use tracing::Instrument as _;

use super::client::client_address;
use super::live::{LIVE, READY};
use super::pace::Pace;
use super::request_id::{RequestIds, X_REQUEST_ID};
use super::{Call, Edge, Stop, answers, message, not_allowed, unavailable};
use crate::AppState;

/// What the requests of one listener have in common.
pub(super) struct Desk {
    pub(super) router: Router,
    pub(super) state: AppState,
    pub(super) edge: Edge,
    pub(super) ids: RequestIds,
    pub(super) stop: Stop,
}

impl Desk {
    /// Answers one request.
    pub(super) async fn answer(
        &self,
        peer: Option<IpAddr>,
        pace: &Arc<Pace>,
        mut request: Request<Incoming>,
    ) -> Response {
        let started = Instant::now();
        let id = self.ids.of(request.headers());
        let client = peer.map(|peer| client_address(peer, request.headers(), &self.edge.settings.trusted_proxies));
        let call = Call::new(id, client, self.edge.clone(), Some(Arc::clone(pace)));
        let method = request.method().clone();
        let mut response = if let Some(response) = self.probe(&call, &request).await {
            call.note_routine();
            response
        } else {
            request.extensions_mut().insert(call.clone());
            self.route(&call, &method, request).await
        };
        let status = response.status();
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, call.id_header());
        if status == StatusCode::NO_CONTENT {
            // RFC 9110, 8.6 forbids the length that axum adds.
            headers.remove(header::CONTENT_LENGTH);
        }
        log_request(&call, &method, status, started);
        response
    }

    /// `/livez` and `/readyz`, on every listener.
    async fn probe(&self, call: &Call, request: &Request<Incoming>) -> Option<Response> {
        let path = request.uri().path();
        if path != LIVE && path != READY {
            return None;
        }
        if !is_safe(request.method()) {
            return Some(not_allowed(call.clone()).await);
        }
        if path == LIVE {
            return Some(plain(StatusCode::OK, "live\n"));
        }
        // A server that is about to end takes no new work.
        if self.stop.is_triggered() {
            return Some(plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"));
        }
        Some(if answers(&*self.state.store).await {
            plain(StatusCode::OK, "ready\n")
        } else {
            plain(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        })
    }

    async fn route(&self, call: &Call, method: &Method, request: Request<Incoming>) -> Response {
        let span = if is_safe(method) {
            tracing::debug_span!("request", request_id = call.id())
        } else {
            tracing::info_span!("request", request_id = call.id())
        };
        let mut router = self.router.clone();
        let routed = AssertUnwindSafe(async move { router.call(request).await }).catch_unwind();
        match tokio::time::timeout(self.edge.settings.request_timeout, routed.instrument(span)).await {
            Ok(Ok(Ok(response))) => response,
            // The panic's own message went to the panic hook.
            Ok(Err(_)) => {
                tracing::error!(request_id = call.id(), route = call.route(), "a handler panicked");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Err(_) => {
                tracing::error!(
                    request_id = call.id(),
                    route = call.route(),
                    "the request took too long"
                );
                unavailable()
            }
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn is_safe(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// One line for each request. The route's template stands for the path, which holds the token.
fn log_request(call: &Call, method: &Method, status: StatusCode, started: Instant) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id = call.id(),
                method = method.as_str(),
                route = call.route(),
                status = status.as_u16(),
                client = call.client().map(tracing::field::display),
                elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
                "answered"
            )
        };
    }
    if status.is_server_error() {
        line!(warn);
    } else if call.is_routine() || is_safe(method) {
        line!(debug);
    } else {
        line!(info);
    }
}
