//! `{token}` in a path.

use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use http::request::Parts;
use keyway_core::token::TokenValue;

use super::wire;

/// A token from a path. What is no UUID never reaches a handler: there is no such page.
pub(super) struct TokenPath(pub(super) TokenValue);

impl<S: Send + Sync> FromRequestParts<S> for TokenPath {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.ok()
            .and_then(|Path(text)| TokenValue::parse(&text))
            .map(Self)
            .ok_or_else(wire::not_found_page)
    }
}
