//! The edge's limits. All on by default.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::budget::Budget;

/// What a request takes besides its head and its body, in bytes: a task, and the handler under way in it.
pub(super) const REQUEST: usize = 4 * 1024;

/// A server's edge: its limits, and what its listeners share to keep them. Clones are the same edge.
#[derive(Debug, Clone)]
pub struct Edge {
    pub(super) settings: Arc<EdgeSettings>,
    pub(super) budget: Budget,
}

impl Edge {
    /// An edge with these limits, where nothing is under way yet.
    pub fn new(settings: EdgeSettings) -> Self {
        Self {
            budget: Budget::new(settings.max_buffered.max(largest_request(&settings))),
            settings: Arc::new(settings),
        }
    }
}

/// The edge's limits.
///
/// # Memory
/// What strangers can make a server hold is at most [`max_buffered`](Self::max_buffered) for requests whose bodies are under way, however many
/// there are, and for each connection:
///
/// | | at most | by default |
/// | --- | --- | --- |
/// | HTTP/1.1 | `max_head` twice: read, and being read | 64 KiB |
/// | HTTP/2, bodies that no handler has read yet | a window of 256 KiB, 64 KiB for each request | 256 KiB |
/// | HTTP/2, one head | `max_head`, and its encoded form in up to 6 frames, or 1.25 `max_head` if that is more | 128 KiB |
/// | TLS | 64 KiB in each direction | 128 KiB |
///
/// Half a MiB for each of `max_connections`, which is 2 GiB on a listener whose clients all attack. Not in there are the heads of
/// requests that the server is working on, and answers that a client leaves unread: at most `max_streams` of either for each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeSettings {
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// Bytes that requests may hold together while their bodies arrive and until their handlers let go of them. At least what one largest
    /// request takes.
    pub max_buffered: usize,
    /// The largest request head, in bytes, at least 8 KiB. In HTTP/1.1 it may hold at most 100 headers.
    pub max_head: usize,
    /// Connections at once, for each listener. Further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long a request head may take, counted from its first byte, or from the handshake for a connection's first request. A later
    /// request's is looked at after one to two times this.
    pub head_timeout: Duration,
    /// How long a request body may take.
    pub body_timeout: Duration,
    /// How long a request may take in all, once its head is there.
    pub request_timeout: Duration,
    /// How long a connection may rest between two requests.
    pub idle_timeout: Duration,
    /// How long a shutdown waits for what was accepted.
    pub shutdown_grace: Duration,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            max_body: 1024 * 1024,
            max_buffered: 64 * 1024 * 1024,
            max_head: 32 * 1024,
            max_connections: 4096,
            max_streams: 128,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(75),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

/// What one request takes that is as large as it may be. A header list in which every field is short takes more memory than it counts.
fn largest_request(settings: &EdgeSettings) -> usize {
    settings
        .max_body
        .saturating_add(settings.max_head.saturating_mul(2))
        .saturating_add(REQUEST)
}
