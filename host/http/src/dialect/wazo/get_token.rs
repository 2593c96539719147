//! `GET /token/{token}`: what stands behind a token.

use axum::extract::State;
use axum::response::Response;

use super::query::CheckQuery;
use super::token_path::TokenPath;
use super::{Wazo, error::Failure, wire};
use crate::edge::Call;

pub(super) async fn handle(
    State(wazo): State<Wazo>,
    call: Call,
    TokenPath(token): TokenPath,
    query: CheckQuery,
) -> Response {
    match wazo.tokens().check(&token, query.request()).await {
        Ok(live) => wire::token(&token, &live, None, wazo.settings()),
        Err(error) => Failure::from(error).answer(&wazo, &call),
    }
}
