//! Request bodies, bounded in length and time.

use std::pin::{Pin, pin};

use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;

use super::{Call, message};

/// How many times the limit is read and thrown away before the connection closes.
const DISCARDED: usize = 16;

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
        if announces_more_than(settings.max_body, request.headers()) {
            return Err(PayloadError::TooLarge(settings.max_body));
        }
        tokio::time::timeout(settings.body_timeout, collect(request.into_body(), settings.max_body))
            .await
            .map_err(|_| PayloadError::TooSlow)?
    }
}

/// Whether the client asks before it sends, and would send too much. It is told so at once, and sends nothing.
fn announces_more_than(limit: usize, headers: &HeaderMap) -> bool {
    let asks = headers.contains_key(header::EXPECT);
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let length = length.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    asks && usize::try_from(length).map_or(true, |length| length > limit)
}

async fn collect(body: Body, limit: usize) -> Result<Payload, PayloadError> {
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| PayloadError::Broken)?.into_data() else {
            continue;
        };
        if whole.len() + bytes.len() > limit {
            discard(body, limit.saturating_mul(DISCARDED)).await;
            return Err(PayloadError::TooLarge(limit));
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(Payload(whole.freeze()))
}

/// Reads on for a while: a client that is still sending when the connection closes never gets to see why.
async fn discard(mut body: Pin<&mut Body>, up_to: usize) {
    let mut discarded = 0;
    while discarded <= up_to
        && let Some(Ok(frame)) = body.frame().await
    {
        discarded += frame.data_ref().map_or(0, Bytes::len);
    }
}
