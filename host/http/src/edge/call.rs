//! One request's circumstances: its id, where it comes from, which route answers it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, MatchedPath};
use http::HeaderValue;
use http::request::Parts;

use super::pace::{InFlight, Pace};
use super::{Edge, EdgeSettings};

/// One request's circumstances. Clones are the same request.
#[derive(Debug, Clone)]
pub struct Call(Arc<Circumstances>);

#[derive(Debug)]
struct Circumstances {
    id: HeaderValue,
    client: Option<IpAddr>,
    edge: Edge,
    pace: Option<Arc<Pace>>,
    route: OnceLock<MatchedPath>,
    routine: AtomicBool,
}

impl Call {
    pub(super) fn new(id: HeaderValue, client: Option<IpAddr>, edge: Edge, pace: Option<Arc<Pace>>) -> Self {
        Self(Arc::new(Circumstances {
            id,
            client,
            edge,
            pace,
            route: OnceLock::new(),
            routine: AtomicBool::new(false),
        }))
    }

    /// A call to a server whose memory for requests is all in use.
    #[cfg(test)]
    pub(crate) fn to_a_full_server() -> Self {
        let settings = Arc::default();
        let budget = super::budget::Budget::new(0);
        Self::new(HeaderValue::from_static("full"), None, Edge { settings, budget }, None)
    }

    /// The id under which the request is logged, and which its answer carries.
    pub fn id(&self) -> &str {
        self.0.id.to_str().unwrap_or("-")
    }

    pub(super) fn id_header(&self) -> HeaderValue {
        self.0.id.clone()
    }

    /// The client's address, proxies resolved; `None` on a unix socket.
    pub fn client(&self) -> Option<IpAddr> {
        self.0.client
    }

    /// Keeps the connection from being closed as one that rests, until this is dropped: for an answer that goes on after its head. `None`
    /// without a connection. Whoever holds it bounds how long, and how many do.
    pub fn go_on(&self) -> Option<InFlight> {
        self.0.pace.as_ref().map(Pace::go_on)
    }

    /// Marks a request that changes nothing although its method says otherwise, so that its log line is one of debugging.
    pub fn note_routine(&self) {
        self.0.routine.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_routine(&self) -> bool {
        self.0.routine.load(Ordering::Relaxed)
    }

    /// The route's template. The path itself is not for logs: it holds tokens.
    pub(super) fn route(&self) -> &str {
        self.0.route.get().map_or("-", MatchedPath::as_str)
    }

    pub(super) fn edge(&self) -> &Edge {
        &self.0.edge
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // Without an edge in front, a command uses the router in process.
        let call = parts.extensions.get::<Self>().cloned().unwrap_or_else(|| {
            let edge = Edge::new(EdgeSettings::default());
            Self::new(HeaderValue::from_static("in-process"), None, edge, None)
        });
        if let Some(matched) = parts.extensions.get::<MatchedPath>() {
            // A second extraction of the same request finds the same route there.
            let _ = call.0.route.set(matched.clone());
        }
        Ok(call)
    }
}
