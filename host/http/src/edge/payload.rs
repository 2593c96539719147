//! Request bodies, bounded in length and time.

use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{Call, message};

/// A whole request body.
#[derive(Debug)]
pub struct Payload(pub Bytes);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Longer than the edge allows.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke, or the framing is wrong.
    #[error("the body is incomplete")]
    Broken,
}

impl IntoResponse for PayloadError {
    fn into_response(self) -> Response {
        match self {
            Self::TooLarge(limit) => too_large(limit),
            Self::TooSlow => message(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time."),
            Self::Broken => message(StatusCode::BAD_REQUEST, "The request body is incomplete."),
        }
    }
}

/// The answer to a body of more than `limit` bytes.
pub(super) fn too_large(limit: usize) -> Response {
    message(
        StatusCode::PAYLOAD_TOO_LARGE,
        &format!("The request body is larger than {limit} bytes."),
    )
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = PayloadError;

    async fn from_request(mut request: Request, _state: &S) -> Result<Self, PayloadError> {
        let Ok(call) = request.extract_parts::<Call>().await;
        let settings = call.settings();
        tokio::time::timeout(settings.body_timeout, collect(request.into_body(), settings.max_body))
            .await
            .map_err(|_| PayloadError::TooSlow)?
    }
}

async fn collect(body: Body, limit: usize) -> Result<Payload, PayloadError> {
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(Payload(whole.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(PayloadError::TooLarge(limit)),
        Err(_) => Err(PayloadError::Broken),
    }
}
