//! wazo-auth's and xivo-auth's 0.1 token API.

use axum::Router;

use crate::AppState;

/// The routes, under `/0.1` and under `/api/auth/0.1`.
pub fn router(_state: &AppState) -> Router {
    Router::new()
}
