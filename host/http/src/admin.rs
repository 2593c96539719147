//! The admin API under `/keyway/v1`: for the unix socket, and in process for commands that work on the store alone.

use axum::Router;

use crate::AppState;

/// The routes. Nothing in them asks who calls: whoever can open the socket is the operator.
pub fn router(_state: &AppState) -> Router {
    Router::new()
}
