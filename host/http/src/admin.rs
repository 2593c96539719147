//! The admin API under `/keyway/v1`: for the unix socket, and in process for commands that work on the store alone.
//!
//! Answers are the model's own JSON; errors are `{"error": what, "next": what to do}`.

mod body;
mod error;
mod plugins;
mod policies;
mod tenants;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

use axum::Router;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use http::StatusCode;

use crate::AppState;
use crate::edge::Call;

/// The routes. Nothing in them asks who calls: whoever can open the socket is the operator.
#[expect(
    clippy::disallowed_methods,
    reason = "the document is of what strangers can ask, not of the operator's socket"
)]
pub fn router(state: &AppState) -> Router {
    let routes = Router::new()
        .route("/users", get(users::list).post(users::add))
        .route("/users/{user}", get(users::show).delete(users::remove))
        .route("/users/{user}/password", put(users::set_password))
        .route("/tenants", get(tenants::list).post(tenants::add))
        .route("/tenants/{tenant}", delete(tenants::remove))
        .route("/policies", get(policies::list).post(policies::add))
        .route("/policies/{policy}", delete(policies::remove))
        .route(
            "/policies/{policy}/attachments/{user}",
            put(policies::attach).delete(policies::detach),
        )
        .route("/tokens/check", post(tokens::check))
        .route("/tokens/revoke", post(tokens::revoke))
        .route("/plugins", get(plugins::list))
        .route("/plugins/{backend}/history", get(plugins::history))
        .route("/plugins/{backend}/rollback", post(plugins::rollback))
        .route("/plugins/{backend}/promote", post(plugins::promote))
        .route("/reload", post(plugins::reload))
        .method_not_allowed_fallback(not_allowed);
    Router::new()
        .nest("/keyway/v1", routes)
        .fallback(not_found)
        .with_state(state.clone())
}

async fn not_found(_call: Call) -> Response {
    const NEXT: &str = "check that the command and the server are of the same version";
    error::answer(StatusCode::NOT_FOUND, "the admin API has no such address", NEXT)
}

async fn not_allowed(_call: Call) -> Response {
    const NEXT: &str = "use one of the methods in the header `Allow`";
    error::answer(
        StatusCode::METHOD_NOT_ALLOWED,
        "the address does not have this method",
        NEXT,
    )
}
