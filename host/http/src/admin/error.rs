//! What went wrong, as an operator needs to hear it. Every error of the core has its line here; there is no catch-all.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use keyway_core::directory::DirectoryError;
use keyway_core::password::PasswordError;
use keyway_core::port::{PluginHostError, StoreError};
use keyway_core::token::TokenError;
use serde_json::json;

use crate::edge::{PayloadError, chain};

/// Why a request was not carried out.
#[derive(Debug)]
pub(super) enum AdminError {
    Payload(PayloadError),
    Body(serde_json::Error),
    Directory(DirectoryError),
    Token(TokenError),
    PluginHost(PluginHostError),
    /// The configuration was not accepted; the text names key, file and line.
    Configuration(String),
    /// A value is not acceptable, and why.
    Invalid(&'static str),
    /// It takes a running server.
    NoServer,
}

impl From<PayloadError> for AdminError {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}

impl From<DirectoryError> for AdminError {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}

impl From<TokenError> for AdminError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<PluginHostError> for AdminError {
    fn from(error: PluginHostError) -> Self {
        Self::PluginHost(error)
    }
}

/// `{"error": ..., "next": ...}` with this status.
pub(super) fn answer(status: StatusCode, error: &str, next: &str) -> Response {
    (status, axum::Json(json!({ "error": error, "next": next }))).into_response()
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (status, next) = match &self {
            Self::Payload(PayloadError::TooLarge(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "send less"),
            Self::Payload(PayloadError::TooSlow) => (StatusCode::REQUEST_TIMEOUT, "try again"),
            Self::Payload(PayloadError::NoRoom) => (StatusCode::SERVICE_UNAVAILABLE, "try again in a second"),
            Self::Payload(PayloadError::Broken) => (StatusCode::BAD_REQUEST, "try again"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "correct the request's body"),
            Self::Directory(error) => directory(error),
            Self::Token(error) => token(error),
            Self::PluginHost(error) => plugin_host(error),
            Self::Configuration(_) => (
                StatusCode::BAD_REQUEST,
                "correct the configuration and reload again; the server goes on with the old one",
            ),
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "correct the request"),
            Self::NoServer => (StatusCode::SERVICE_UNAVAILABLE, "start the server, then try again"),
        };
        let text = self.text();
        if status.is_server_error() {
            tracing::error!(error = %text, "admin request failed");
        }
        let mut response = answer(status, &text, next);
        if matches!(self, Self::Payload(PayloadError::NoRoom)) {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl AdminError {
    /// What failed, with the causes: nobody but the operator reads it.
    fn text(&self) -> String {
        match self {
            Self::Payload(error) => error.to_string(),
            Self::Body(error) => format!("the body is not as expected: {error}"),
            Self::Directory(error) => chain(error),
            Self::Token(error) => chain(error),
            Self::PluginHost(error) => chain(error),
            Self::Configuration(text) => text.clone(),
            Self::Invalid(rule) => (*rule).to_owned(),
            Self::NoServer => "no server is running".to_owned(),
        }
    }
}

fn directory(error: &DirectoryError) -> (StatusCode, &'static str) {
    match error {
        DirectoryError::Store(error) => store(error),
        DirectoryError::Password(error) => password(error),
        DirectoryError::Ambiguous(_) => (StatusCode::CONFLICT, "use the uuid, which a list shows"),
        DirectoryError::NotFound { .. } => (StatusCode::NOT_FOUND, "look for it in a list; names ignore case"),
        DirectoryError::Invalid { .. } => (StatusCode::BAD_REQUEST, "correct the value"),
        DirectoryError::Protected { .. } => (StatusCode::FORBIDDEN, "make another one in its place"),
        DirectoryError::AccessDenied(_) => (StatusCode::FORBIDDEN, "leave that access out"),
        DirectoryError::WrongPassword => (StatusCode::FORBIDDEN, "give the present password"),
        DirectoryError::ManagedExternally => (StatusCode::CONFLICT, "change it where it is kept"),
        DirectoryError::OtherTenant { .. } => (StatusCode::CONFLICT, "name one of the same tenant"),
    }
}

fn token(error: &TokenError) -> (StatusCode, &'static str) {
    match error {
        TokenError::Store(error) => store(error),
        TokenError::NotFound => (
            StatusCode::NOT_FOUND,
            "log in again; it has expired, was revoked, or never was",
        ),
        TokenError::AccessDenied(_) => (
            StatusCode::FORBIDDEN,
            "attach a policy that grants it, then log in again: a token keeps its accesses",
        ),
        TokenError::TenantDenied(_) => (StatusCode::FORBIDDEN, "name the owner's tenant or one below it"),
        TokenError::Saturated => (StatusCode::SERVICE_UNAVAILABLE, "try again"),
        TokenError::Backend { .. } => (StatusCode::SERVICE_UNAVAILABLE, "see the state of the plugins"),
        TokenError::Factors(_) => (StatusCode::SERVICE_UNAVAILABLE, "see the log of the server"),
        TokenError::Refused(_)
        | TokenError::Factor(_)
        | TokenError::Closed(_)
        | TokenError::NoCredential
        | TokenError::UnknownBackend(_) => (StatusCode::BAD_REQUEST, "correct the credentials"),
        TokenError::TooManySessions(_) => (StatusCode::TOO_MANY_REQUESTS, "end some of its sessions"),
        TokenError::TtlOutOfRange { .. } => (StatusCode::BAD_REQUEST, "ask for another time"),
    }
}

fn plugin_host(error: &PluginHostError) -> (StatusCode, &'static str) {
    match error {
        PluginHostError::UnknownBackend(_) => (StatusCode::NOT_FOUND, "list the plugins to see the backends"),
        PluginHostError::NoEarlierGeneration(_) => (StatusCode::CONFLICT, "see the backend's history"),
        PluginHostError::NothingToPromote(_) => (StatusCode::CONFLICT, "list the plugins to see their states"),
        PluginHostError::NotLoaded(_) => (
            StatusCode::CONFLICT,
            "check the plugin's file; what served before still serves",
        ),
    }
}

fn store(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::Unavailable { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "see whether the database answers and has space, then try again",
        ),
        StoreError::Conflict { .. } => (StatusCode::CONFLICT, "choose another"),
        StoreError::Missing { .. } => (StatusCode::NOT_FOUND, "look for it in a list; names ignore case"),
        StoreError::InUse { .. } => (StatusCode::CONFLICT, "remove what it owns first"),
        StoreError::Inconsistent { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "see whether the database was altered by hand; restore a backup if it was",
        ),
    }
}

fn password(error: &PasswordError) -> (StatusCode, &'static str) {
    match error {
        PasswordError::Saturated => (StatusCode::SERVICE_UNAVAILABLE, "try again"),
        PasswordError::TooWeak => (StatusCode::BAD_REQUEST, "raise the parameters"),
        PasswordError::Unsupported(_) | PasswordError::TooCostly => (StatusCode::BAD_REQUEST, "set a new password"),
    }
}
