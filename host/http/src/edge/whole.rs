//! A request, read whole.

use std::convert::Infallible;

use axum::extract::{FromRequest, FromRequestParts as _, RawPathParams, Request};
use http::request::Parts;

use super::{Call, Payload, PayloadError};

/// A request with its body. One whose body is not there is one, too: what to answer is for the dialect to say.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) call: Call,
    pub(crate) head: Parts,
    /// The parameters of the path, by their names.
    pub(crate) path: Vec<(String, String)>,
    pub(crate) payload: Result<Payload, PayloadError>,
}

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let (mut head, body) = request.into_parts();
        let Ok(call) = Call::from_request_parts(&mut head, state).await;
        let path = match RawPathParams::from_request_parts(&mut head, state).await {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => Vec::new(),
        };
        let payload = Payload::read(&call, &head, body).await;
        Ok(Self {
            call,
            head,
            path,
            payload,
        })
    }
}
