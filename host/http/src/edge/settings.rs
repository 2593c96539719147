//! The edge's limits. All on by default.

use std::time::Duration;

use ipnet::IpNet;

/// The edge's limits; one value for all listeners of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeSettings {
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest request body, in bytes.
    pub max_body: usize,
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
