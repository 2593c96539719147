//! The yardstick of routes: one of axum's that does nothing, in this process.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::any;

/// Serves a route that answers this at once; returns the port.
pub(crate) async fn serve(
    route: &str,
    answer: impl IntoResponse + Clone + Send + Sync + 'static,
) -> anyhow::Result<u16> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    #[expect(clippy::disallowed_methods, reason = "the route is the bench's yardstick")]
    let router = Router::new().route(route, any(async move || answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port)
}
