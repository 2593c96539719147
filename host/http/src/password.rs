//! `POST /keyway/v1/password`: another password for somebody who knows the present one, where a backend keeps it.
//!
//! Nobody needs a token for it: the present password is the credential, and it is judged, limited and refused as in a login. `error_id` tells
//! a program what went wrong; the texts are for people.

mod document;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keyway_core::Secret;
use keyway_core::model::{Client, Rejection};
use keyway_core::token::{PasswordChange, PasswordChangeError, TokenError};
use serde::Deserialize;
use serde_json::json;

use crate::AppState;
use crate::document::{Mount, Routes, nowhere, post};
use crate::edge::{Call, Payload, PayloadError, log_failure, user_agent};

/// What backends are told of the API through which the caller came.
const DIALECT: &str = "keyway";

/// How long each text may be, in characters.
const MAX_TEXT: usize = 1024;

/// What a caller sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    backend: String,
    login: String,
    tenant: Option<String>,
    old_password: Password,
    new_password: Password,
}

/// A password, which no `Debug` shows.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Password(Secret<Vec<u8>>);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Secret::new(text.into_bytes()))
    }
}

/// Why no password was changed.
enum PasswordError {
    Payload(PayloadError),
    Body,
    Change(PasswordChangeError),
}

/// The route.
pub(crate) fn mount() -> Mount {
    Mount {
        servers: &[""],
        prefix: "/keyway/v1",
        also: nowhere,
        tags: document::TAGS,
        parameter: |_| None,
        routes: Routes::new().route("/password", post(document::change, handle)),
    }
}

async fn handle(
    State(state): State<AppState>,
    call: Call,
    headers: HeaderMap,
    payload: Result<Payload, PayloadError>,
) -> Response {
    match change(&state, &call, &headers, payload).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.answer(&call),
    }
}

async fn change(
    state: &AppState,
    call: &Call,
    headers: &HeaderMap,
    payload: Result<Payload, PayloadError>,
) -> Result<(), PasswordError> {
    // Kept to the end, for the texts may be as long as the body is.
    let payload = payload.map_err(PasswordError::Payload)?;
    let sent = Sent::parse(&payload).ok_or(PasswordError::Body)?;
    let change = PasswordChange {
        backend: sent.backend,
        identifier: sent.login,
        present: sent.old_password.0,
        new: sent.new_password.0,
        tenant: sent.tenant,
        client: Client {
            address: call.client().map(|address| address.to_string()),
            user_agent: user_agent(headers),
        },
        dialect: DIALECT,
        request_id: call.id().to_owned(),
    };
    let changed = state.tokens.change_password(change).await;
    changed.map_err(PasswordError::Change)
}

impl Sent {
    /// What serde finds wrong may quote a password, so nobody gets to see it.
    fn parse(body: &[u8]) -> Option<Self> {
        let sent: Self = serde_json::from_slice(body).ok()?;
        let fits = |text: &[u8]| {
            let length = String::from_utf8_lossy(text).chars().count();
            (1..=MAX_TEXT).contains(&length)
        };
        let texts = [
            sent.backend.as_bytes(),
            sent.login.as_bytes(),
            sent.tenant.as_ref().map_or(b"-", String::as_bytes),
            sent.old_password.0.expose(),
            sent.new_password.0.expose(),
        ];
        let fit = texts.into_iter().all(fits);
        fit.then_some(sent)
    }
}

impl PasswordError {
    fn answer(&self, call: &Call) -> Response {
        match self {
            Self::Payload(PayloadError::TooLarge(limit)) => told(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                &format!("the body is larger than {limit} bytes"),
            ),
            Self::Payload(PayloadError::TooSlow) => told(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "the body did not arrive in time",
            ),
            Self::Payload(PayloadError::NoRoom) => unavailable(Duration::ZERO),
            Self::Body | Self::Payload(PayloadError::Broken) => told(
                StatusCode::BAD_REQUEST,
                "invalid-body",
                "the body is no object with the texts `backend`, `login`, `old_password`, `new_password`, and perhaps `tenant`, of 1 to 1024 \
                 characters each",
            ),
            Self::Change(error) => refused(error, call),
        }
    }
}

/// Every way a change can fail has its line here. That the backend was not found out is the store's fault, whatever it was.
fn refused(error: &PasswordChangeError, call: &Call) -> Response {
    match error {
        PasswordChangeError::Refused(_) | PasswordChangeError::UnknownBackend(_) => told(
            StatusCode::UNAUTHORIZED,
            "authentication-failed",
            "login and present password are not accepted",
        ),
        PasswordChangeError::NotOffered(_) => told(
            StatusCode::BAD_REQUEST,
            "not-offered",
            "this backend does not change passwords: change it where the backend keeps it",
        ),
        PasswordChangeError::Rejected(reason) => rejected(*reason),
        PasswordChangeError::Backend { fault, .. } | PasswordChangeError::Slot(TokenError::Backend { fault, .. }) => {
            log_failure(call, error);
            unavailable(fault.retry_after())
        }
        PasswordChangeError::Store(_) | PasswordChangeError::Saturated | PasswordChangeError::Slot(_) => {
            log_failure(call, error);
            unavailable(Duration::ZERO)
        }
    }
}

fn rejected(reason: Rejection) -> Response {
    let (id, text) = match reason {
        Rejection::TooShort => ("password-too-short", "the new password is too short"),
        Rejection::TooWeak => ("password-too-weak", "the new password is not good enough"),
        Rejection::UsedBefore => ("password-used-before", "the new password was used before"),
        Rejection::TooSoon => (
            "password-changed-too-soon",
            "the present password was changed too short a time ago",
        ),
        Rejection::NotAllowed => (
            "password-change-not-allowed",
            "the owner of this password may not change it",
        ),
        Rejection::Unspecified => ("password-rejected", "the new password was not accepted"),
    };
    told(StatusCode::UNPROCESSABLE_ENTITY, id, text)
}

fn unavailable(retry_after: Duration) -> Response {
    let mut response = told(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "it cannot be said now whether the password was changed: log in to find out, or try again",
    );
    let seconds = retry_after.as_millis().div_ceil(1000).max(1);
    if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn told(status: StatusCode, id: &str, text: &str) -> Response {
    (status, axum::Json(json!({ "error": text, "error_id": id }))).into_response()
}
