//! `HEAD /status`: whether logins can work at all.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::{Wazo, wire};
use crate::edge::{Call, answers};

pub(super) async fn handle(State(wazo): State<Wazo>, _call: Call) -> Response {
    wire::empty(if answers(wazo.store()).await {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    })
}
