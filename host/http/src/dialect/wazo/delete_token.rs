//! `DELETE /token/{token}`: ends a token. Whoever holds it may, and nobody learns whether it was good.

use axum::extract::State;
use axum::response::Response;

use super::token_path::TokenPath;
use super::{Wazo, error::Failure, wire};
use crate::edge::Call;

pub(super) async fn handle(State(wazo): State<Wazo>, call: Call, TokenPath(token): TokenPath) -> Response {
    match wazo.tokens().revoke(&token).await {
        Ok(_) => wire::success(),
        Err(error) => Failure::from(error).answer(&wazo, &call),
    }
}
