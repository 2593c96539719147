//! What went wrong, as this dialect says it. Every error of the core has its line here; there is no catch-all.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use keyway_core::directory::DirectoryError;
use keyway_core::notice::{NoticeError, reset_access};
use keyway_core::port::{PageError, StoreError};
use keyway_core::setting::SettingError;
use keyway_core::token::{Asked, TokenError};
use serde_json::json;

use super::validation::{Problem, Problems, python_text};
use super::wire::ApiError;
use super::{Wazo, email_confirm, wire};
use crate::edge::{Call, PayloadError, log_failure};

const REFUSED: &str = "Authentication Failed";
const UNAVAILABLE: &str = "Service Unavailable";

/// Why a request was not served.
#[derive(Debug)]
pub(super) enum Failure {
    /// The body did not arrive.
    Payload(PayloadError),
    /// The body is not what it should be.
    Body(Problem),
    /// The token service says no, or cannot say.
    Token(TokenError),
    /// A second step is wanted.
    Challenged(Box<Asked>),
    /// The caller's own token is not good enough.
    Unauthorized(Unauthorized),
    /// The directory says no, or cannot say.
    Directory(DirectoryError),
    /// What a tenant set for itself was not read or written.
    Setting(SettingError),
    /// A resource's own answer, in the shape that most of the API has.
    Api(Box<ApiError>),
    /// A page cannot be written.
    Page(PageError),
    /// A resource's own answer, in the token service's shape.
    Service(StatusCode, String),
}

/// What a caller's own token lacks.
#[derive(Debug)]
pub(super) enum Unauthorized {
    /// There is no such token. The text is the access that the route asks for.
    NoToken(String),
    /// It lacks the access that the route asks for.
    NoAccess(String),
    /// It has no business in the tenant that the request names.
    Tenant(String),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Token(error.into())
    }
}

impl From<NoticeError> for Failure {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Directory(error) => Self::Directory(error),
            NoticeError::Token(error) => Self::Token(error),
            NoticeError::AlreadyConfirmed(email) => email_confirm::already_confirmed(email).into(),
            NoticeError::TooMany { .. } => Self::Service(StatusCode::TOO_MANY_REQUESTS, error.to_string()),
            NoticeError::Used(user) => Self::Unauthorized(Unauthorized::NoToken(reset_access(user))),
        }
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

impl From<PayloadError> for Failure {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Body(problem)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl Failure {
    /// The answer. What only operators may know goes to the log, once, under the request's id.
    pub(super) fn answer(&self, wazo: &Wazo, call: &Call) -> Response {
        match self {
            Self::Payload(error @ PayloadError::NoRoom) => {
                log_failure(call, error);
                unavailable(Duration::ZERO, wazo)
            }
            Self::Payload(error) => wire::open_to_all(error.into_response()),
            Self::Body(Problem::Malformed) => wire::message(
                StatusCode::BAD_REQUEST,
                "The browser (or proxy) sent a request that this server could not understand.",
            ),
            Self::Body(Problem::NoObject) => wire::failure(StatusCode::BAD_REQUEST, Problem::NO_OBJECT, wazo.now()),
            Self::Body(Problem::Invalid(problems)) => {
                wire::failure(StatusCode::BAD_REQUEST, &problems.python(), wazo.now())
            }
            Self::Token(error) => token(error, wazo, call),
            // The original has no second step. A client that knows of none reads a refusal, and its user adds the one-time password to the password.
            Self::Challenged(asked) => wire::challenge(REFUSED, asked, wazo.now()),
            Self::Unauthorized(lack) => wire::api_error(&unauthorized(lack), wazo.now()),
            Self::Directory(error) => directory(error, wazo, call),
            Self::Setting(error) => setting(error, wazo, call),
            Self::Api(error) => wire::api_error(error, wazo.now()),
            Self::Page(error) => {
                log_failure(call, error);
                wire::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::Service(status, reason) => wire::failure(*status, reason, wazo.now()),
        }
    }
}

fn unauthorized(lack: &Unauthorized) -> ApiError {
    let (error_id, details) = match lack {
        Unauthorized::NoToken(access) => (
            "unauthorized",
            json!({"invalid_token": "", "reason": "not_found_or_expired", "required_access": access}),
        ),
        Unauthorized::NoAccess(access) => (
            "unauthorized",
            json!({"reason": "missing_permission_or_invalid_tenant", "required_access": access, "tenant_uuid": null}),
        ),
        Unauthorized::Tenant(tenant) => ("unauthorized-tenant", json!({ "tenant_uuid": tenant })),
    };
    ApiError::new(StatusCode::UNAUTHORIZED, error_id, "Unauthorized", details)
}

/// What the directory's errors are where a resource has no answer of its own.
fn directory(error: &DirectoryError, wazo: &Wazo, call: &Call) -> Response {
    match error {
        DirectoryError::Store(inner) => {
            log_failure(call, error);
            store(inner, wazo)
        }
        DirectoryError::Password(_) => {
            log_failure(call, error);
            unavailable(Duration::ZERO, wazo)
        }
        DirectoryError::NotFound { what: "policy", name } => {
            let key = if name.len() == 36 && uuid::Uuid::try_parse(name).is_ok() {
                "uuid"
            } else {
                "slug"
            };
            let reason = format!("No such policy {{'{key}': {}}}", python_text(name));
            wire::failure(StatusCode::NOT_FOUND, &reason, wazo.now())
        }
        DirectoryError::NotFound { what, name } => wire::api_error(&ApiError::unknown(what, name), wazo.now()),
        DirectoryError::Ambiguous(_) | DirectoryError::Invalid { .. } => {
            let error = ApiError::new(StatusCode::BAD_REQUEST, "invalid-data", error.to_string(), json!({}));
            wire::api_error(&error, wazo.now())
        }
        DirectoryError::AccessDenied(access) => {
            wire::api_error(&unauthorized(&Unauthorized::NoAccess(access.clone())), wazo.now())
        }
        DirectoryError::WrongPassword => wire::failure(StatusCode::UNAUTHORIZED, REFUSED, wazo.now()),
        DirectoryError::ManagedExternally => {
            let error = ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "password-managed-externally",
                "Unable to update externally managed password",
                json!({}),
            );
            wire::api_error(&error.resource("users"), wazo.now())
        }
        DirectoryError::OtherTenant { what } => {
            let message = format!("The {what} belongs to another tenant");
            let error = ApiError::new(StatusCode::BAD_REQUEST, "missmatching-tenant", message, json!({}));
            wire::api_error(&error.resource("groups"), wazo.now())
        }
        DirectoryError::Protected { what: "policy", name } => {
            let reason = format!("Forbidden policy deletion: \"{name}\"");
            wire::failure(StatusCode::FORBIDDEN, &reason, wazo.now())
        }
        DirectoryError::Protected { what, name } => {
            let details = json!({ "uuid": name });
            let error = ApiError::new(
                StatusCode::FORBIDDEN,
                format!("forbidden-{what}"),
                error.to_string(),
                details,
            );
            wire::api_error(&error.resource(format!("{what}s")), wazo.now())
        }
    }
}

fn setting(error: &SettingError, wazo: &Wazo, call: &Call) -> Response {
    log_failure(call, error);
    match error {
        SettingError::Store(inner) => store(inner, wazo),
        SettingError::Sealed { .. } => wire::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

fn token(error: &TokenError, wazo: &Wazo, call: &Call) -> Response {
    let now = wazo.now();
    match error {
        TokenError::Refused(_)
        | TokenError::Factor(_)
        | TokenError::Closed(_)
        | TokenError::NoCredential
        | TokenError::UnknownBackend(_) => wire::failure(StatusCode::UNAUTHORIZED, REFUSED, now),
        TokenError::TtlOutOfRange { max } => {
            let mut problems = Problems::default();
            problems.range("expiration", 1, max.as_secs());
            wire::failure(StatusCode::BAD_REQUEST, &problems.python(), now)
        }
        TokenError::TooManySessions(identity) => {
            let reason = format!("User {identity} has exceeded the maximum number of active sessions");
            wire::failure(StatusCode::TOO_MANY_REQUESTS, &reason, now)
        }
        TokenError::Backend { backend: _, fault } => {
            log_failure(call, error);
            unavailable(fault.retry_after(), wazo)
        }
        TokenError::Saturated | TokenError::Factors(_) => {
            log_failure(call, error);
            unavailable(Duration::ZERO, wazo)
        }
        TokenError::Store(inner) => {
            log_failure(call, error);
            store(inner, wazo)
        }
        TokenError::NotFound => wire::failure(StatusCode::NOT_FOUND, "No such token", now),
        TokenError::AccessDenied(scope) => wire::failure(
            StatusCode::FORBIDDEN,
            &format!("Unauthorized for {}", ascii(scope)),
            now,
        ),
        TokenError::TenantDenied(tenant) => {
            wire::failure(StatusCode::FORBIDDEN, &format!("Unauthorized for tenant {tenant}"), now)
        }
    }
}

fn store(error: &StoreError, wazo: &Wazo) -> Response {
    match error {
        StoreError::Unavailable { .. } => unavailable(Duration::ZERO, wazo),
        // The user or its tenant was removed while it logged in.
        StoreError::Missing { .. } => wire::failure(StatusCode::UNAUTHORIZED, REFUSED, wazo.now()),
        StoreError::Conflict { .. } | StoreError::InUse { .. } | StoreError::Inconsistent { .. } => {
            wire::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }
}

/// 503, to be tried again after this time, rounded up to a whole second and at least one.
fn unavailable(after: Duration, wazo: &Wazo) -> Response {
    let seconds = after.as_millis().div_ceil(1000).max(1);
    let mut response = wire::failure(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, wazo.now());
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// The original writes scopes in ASCII. Its transliteration is a table of the whole of Unicode; a question mark says as much here.
fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}
