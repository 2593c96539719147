//! `GET /auth/jwks`: the public keys by which others verify tokens by themselves, as RFC 7517 has them.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde_json::json;

use super::ask::Ask;
use super::envelope::open_to_all;

/// For how long others may keep them.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(super) async fn handle(ask: Ask) -> Response {
    match ask.kazoo.signing_key().await {
        Ok(key) => {
            let mut response = Json(json!({ "keys": [key.public_jwk()] })).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, CACHE);
            open_to_all(headers);
            response
        }
        Err(error) => ask.refuse(error.into()),
    }
}
