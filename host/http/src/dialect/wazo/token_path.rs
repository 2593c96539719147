//! `{token}` in a path.

use axum::extract::{FromRef, FromRequestParts, Path};
use axum::response::Response;
use http::request::Parts;
use keyway_core::token::{TokenError, TokenValue};

use super::error::Failure;
use super::{Wazo, wire};
use crate::edge::Call;
use crate::{AppState, presented};

/// A token from a path, of whichever dialect. What is no token never reaches a handler: there is no such page.
pub(super) struct TokenPath(pub(super) TokenValue);

impl<S> FromRequestParts<S> for TokenPath
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| wire::not_found_page())?;
        let state = AppState::from_ref(state);
        match presented::token_of(&state, &text).await.map_err(TokenError::from) {
            Ok(token) => Ok(Self(token)),
            Err(TokenError::NotFound) => Err(wire::not_found_page()),
            Err(error) => {
                let Ok(call) = Call::from_request_parts(parts, &state).await;
                Err(Failure::from(error).answer(&Wazo(state), &call))
            }
        }
    }
}
