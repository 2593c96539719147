//! What went wrong, as this dialect says it. Every error of the core has its line here; there is no catch-all.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use keyway_core::directory::DirectoryError;
use keyway_core::factor::FactorError;
use keyway_core::password::PasswordError;
use keyway_core::port::StoreError;
use keyway_core::token::TokenError;
use serde_json::json;

use super::roles::RoleError;
use crate::edge::{Call, PayloadError, log_failure};
use crate::presented::Unpresentable;

/// What a login is answered that was not accepted, whatever the reason.
const WRONG: &str = "secret incorrect";

/// Why a request was not served.
#[derive(Debug)]
pub(super) enum Failure {
    /// The body did not arrive.
    Payload(PayloadError),
    /// Something in the request is wrong. Says what, in words for the caller.
    Bad(String),
    /// The login names nobody.
    NoName,
    /// Nobody has the name, where callers are told.
    UnknownUser,
    /// A one-time password is needed.
    CodeNeeded,
    /// The one-time password is not the right one, and the rest is.
    CodeWrong,
    /// The caller is nobody.
    Unknown(Unknown),
    /// The caller's role does not allow it.
    Denied,
    /// There is no such thing. Says which, in words for the caller.
    NotFound(&'static str),
    /// Something of this name is there. Says what, in words for the caller.
    Taken(&'static str),
    /// The token service says no, or cannot say.
    Token(TokenError),
    /// The directory says no, or cannot say.
    Directory(DirectoryError),
    /// The key of another dialect cannot be read.
    Key(Unpresentable),
}

/// Why a caller is nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// There is no token, or what there is is none.
    NoToken,
    /// It has expired.
    Expired,
    /// There is no key, and the token is good with one alone.
    NoKey,
    /// Its session has ended, or the key is not its own.
    User,
    /// It is a domain's, and was switched off or removed.
    Record,
    /// Nobody who could log out.
    NoPair,
    /// Nobody who is logged in.
    NoSession,
}

impl Failure {
    /// 400 with these words.
    pub(super) fn bad(info: &str) -> Self {
        Self::Bad(info.to_owned())
    }

    /// As it is written. What only operators may know goes to the log, once, under the request's id.
    pub(super) fn tell(self, call: &Call) -> Response {
        match self {
            Self::Payload(error) => payload(error, call),
            Self::Bad(info) => told(StatusCode::BAD_REQUEST, &info),
            Self::NoName => told(StatusCode::BAD_REQUEST, "User name is required"),
            Self::UnknownUser => told(StatusCode::NOT_FOUND, "User not found"),
            Self::CodeNeeded => told(StatusCode::MOVED_PERMANENTLY, "Set security code"),
            Self::CodeWrong => code_wrong(),
            Self::Unknown(unknown) => unknown.tell(),
            Self::Denied => denied(),
            Self::NotFound(info) => told(StatusCode::NOT_FOUND, info),
            Self::Taken(info) => told(StatusCode::CONFLICT, info),
            Self::Token(error) => token(&error, call),
            Self::Directory(error) => directory(&error, call),
            Self::Key(error) => {
                log_failure(call, &error);
                unavailable(Duration::ZERO)
            }
        }
    }
}

impl Unknown {
    fn tell(self) -> Response {
        let info = match self {
            Self::NoToken => "Invalid token",
            Self::Expired => "Token Expired",
            Self::NoKey => "Invalid Token or Key",
            Self::User => "Invalid User",
            Self::Record => "Not found token",
            Self::NoSession => "Invalid credentials.",
            Self::NoPair => {
                let body = json!({ "status": 401, "message": "Invalid credentials" });
                return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
            }
        };
        told(StatusCode::UNAUTHORIZED, info)
    }
}

/// An error with these words.
pub(super) fn told(status: StatusCode, info: &str) -> Response {
    let body = json!({ "status": "error", "info": info });
    (status, axum::Json(body)).into_response()
}

fn denied() -> Response {
    told(StatusCode::FORBIDDEN, "Permission denied!")
}

fn code_wrong() -> Response {
    told(StatusCode::UNAUTHORIZED, "code incorrect")
}

fn broken() -> Response {
    told(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
}

/// 503, to be tried again after this time.
fn unavailable(after: Duration) -> Response {
    let mut response = told(StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable.");
    // A whole second, rounded up, and at least one.
    let seconds = u64::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

fn payload(error: PayloadError, call: &Call) -> Response {
    match error {
        PayloadError::TooLarge(_) => told(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        PayloadError::TooSlow => told(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."),
        PayloadError::Broken => told(StatusCode::BAD_REQUEST, "The body is incomplete."),
        PayloadError::NoRoom => {
            log_failure(call, &error);
            unavailable(Duration::ZERO)
        }
    }
}

fn token(error: &TokenError, call: &Call) -> Response {
    match error {
        TokenError::Refused(_) | TokenError::Closed(_) | TokenError::NoCredential | TokenError::UnknownBackend(_) => {
            told(StatusCode::UNAUTHORIZED, WRONG)
        }
        TokenError::Factor(_) => code_wrong(),
        TokenError::NotFound => Unknown::User.tell(),
        TokenError::AccessDenied(_) | TokenError::TenantDenied(_) => denied(),
        TokenError::Factors(inner) => factors(inner, error, call),
        TokenError::TtlOutOfRange { max } => {
            let info = format!("A token lives at most {} s.", max.as_secs());
            told(StatusCode::BAD_REQUEST, &info)
        }
        TokenError::TooManySessions(_) => told(StatusCode::TOO_MANY_REQUESTS, "There are too many sessions."),
        TokenError::Backend { backend: _, fault } => {
            log_failure(call, error);
            unavailable(fault.retry_after())
        }
        TokenError::Saturated => {
            log_failure(call, error);
            unavailable(Duration::ZERO)
        }
        TokenError::Store(inner) => store(inner, error, call),
    }
}

/// A factor's error where no caller's word is to blame.
fn factors(error: &FactorError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Response {
    match error {
        FactorError::Store(inner) => store(inner, whole, call),
        FactorError::Password(inner) => password(inner, whole, call),
        FactorError::Unknown(_)
        | FactorError::Taken(_)
        | FactorError::Invalid(_)
        | FactorError::State(_)
        | FactorError::Sealed(_) => {
            log_failure(call, whole);
            broken()
        }
    }
}

fn directory(error: &DirectoryError, call: &Call) -> Response {
    match error {
        DirectoryError::Store(inner) => store(inner, error, call),
        DirectoryError::Password(inner) => password(inner, error, call),
        DirectoryError::NotFound { .. } => told(StatusCode::NOT_FOUND, "Not found."),
        DirectoryError::Ambiguous(_) | DirectoryError::OtherTenant { .. } | DirectoryError::Invalid { .. } => {
            told(StatusCode::BAD_REQUEST, &error.to_string())
        }
        DirectoryError::Protected { .. } | DirectoryError::AccessDenied(_) | DirectoryError::ManagedExternally => {
            denied()
        }
        DirectoryError::WrongPassword => told(StatusCode::UNAUTHORIZED, WRONG),
    }
}

fn password(error: &PasswordError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Response {
    log_failure(call, whole);
    match error {
        PasswordError::Saturated => unavailable(Duration::ZERO),
        PasswordError::TooWeak | PasswordError::Unsupported(_) | PasswordError::TooCostly => broken(),
    }
}

fn store(error: &StoreError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Response {
    match error {
        StoreError::Conflict { .. } => told(StatusCode::CONFLICT, "Somebody else changed this meanwhile. Try again."),
        // The user or its tenant was removed while it logged in.
        StoreError::Missing { .. } => told(StatusCode::UNAUTHORIZED, WRONG),
        StoreError::Unavailable { .. } => {
            log_failure(call, whole);
            unavailable(Duration::ZERO)
        }
        StoreError::InUse { .. } | StoreError::Inconsistent { .. } => {
            log_failure(call, whole);
            broken()
        }
    }
}

impl From<PayloadError> for Failure {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

impl From<RoleError> for Failure {
    fn from(error: RoleError) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Token(error.into())
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}
