//! `GET /backends`: the names that a login may give.

use axum::extract::State;
use axum::response::Response;

use super::{Wazo, wire};
use crate::edge::Call;

pub(super) async fn handle(State(wazo): State<Wazo>, _call: Call) -> Response {
    wire::backends(&wazo.tokens().backend_names())
}
