//! The HTTP client that the clients of all dialects stand on.

use std::time::Duration;

use reqwest::Client;

/// Asks the server itself, whatever proxy the environment names, takes any certificate, and does not wait for ever.
///
/// # Panics
/// If no client can be made.
pub(crate) fn client() -> Client {
    Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client")
}
