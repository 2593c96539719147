//! Request bodies, bounded in length and time, and in memory all together.

use std::fmt;
use std::ops::Deref;
use std::pin::{Pin, pin};

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;

use super::budget::Hold;
use super::settings::REQUEST;
use super::{Call, Edge, message, unavailable};

/// How many times the limit is read and thrown away before the connection closes.
const DISCARDED: usize = 16;

/// A whole request body. It counts against [`EdgeSettings::max_buffered`](super::EdgeSettings::max_buffered) until it is dropped: a handler
/// keeps it for as long as it works with what it read there.
pub struct Payload {
    bytes: Vec<u8>,
    _hold: Hold,
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Payload {
    /// The length alone: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Longer than the edge allows.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// Other requests hold the memory that there is for them.
    #[error("requests whose bodies are under way hold all of `http.max_buffered`")]
    NoRoom,
    /// The connection broke, or the framing is wrong.
    #[error("the body is incomplete")]
    Broken,
}

impl IntoResponse for PayloadError {
    fn into_response(self) -> Response {
        match self {
            Self::TooLarge(limit) => too_large(limit),
            Self::TooSlow => message(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time."),
            Self::NoRoom => unavailable(),
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

    async fn from_request(request: Request, state: &S) -> Result<Self, PayloadError> {
        let (mut head, body) = request.into_parts();
        let Ok(call) = Call::from_request_parts(&mut head, state).await;
        Self::read(&call, &head, body).await
    }
}

impl Payload {
    /// Reads the body that belongs to a request's head.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub(super) async fn read(call: &Call, head: &Parts, body: Body) -> Result<Self, PayloadError> {
        let Edge { settings, budget } = call.edge();
        if announces_more_than(settings.max_body, &head.headers) {
            return Err(PayloadError::TooLarge(settings.max_body));
        }
        // While its body arrives, a client decides how long a request stays; so all that it takes counts, and not the body alone.
        let hold = budget.take(REQUEST + size_of_head(head)).ok_or(PayloadError::NoRoom)?;
        let body = collect(body, settings.max_body, hold);
        tokio::time::timeout(settings.body_timeout, body)
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

/// Bytes that a request's head takes, where a field counts as RFC 9113, 6.5.2 counts it.
fn size_of_head(head: &Parts) -> usize {
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + 32);
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    target + fields.sum::<usize>()
}

async fn collect(body: Body, limit: usize, mut hold: Hold) -> Result<Payload, PayloadError> {
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| PayloadError::Broken)?.into_data() else {
            continue;
        };
        let length = whole.len() + bytes.len();
        if length > limit {
            drop((whole, hold));
            discard(body, limit.saturating_mul(DISCARDED)).await;
            return Err(PayloadError::TooLarge(limit));
        }
        if length > whole.capacity() {
            // Doubled, so that a body in many small parts is not copied for each. What is announced counts for nothing: to announce is free.
            let capacity = length.max(whole.capacity().saturating_mul(2)).min(limit);
            if !hold.grow(capacity - whole.capacity()) {
                return Err(PayloadError::NoRoom);
            }
            whole.reserve_exact(capacity - whole.len());
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(Payload {
        bytes: whole,
        _hold: hold,
    })
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
