//! What went wrong, as this dialect says it. Every error of the core has its line here; there is no catch-all.

use std::time::Duration;

use http::StatusCode;
use keyway_core::directory::DirectoryError;
use keyway_core::factor::FactorError;
use keyway_core::password::PasswordError;
use keyway_core::port::{BackendSettingsError, StoreError};
use keyway_core::token::TokenError;
use serde_json::{Value, json};

use super::jwt::Unreadable;
use super::params::ParamsError;
use super::signature::SignatureError;
use crate::edge::{Call, PayloadError, log_failure};

/// Why a request was not served.
#[derive(Debug)]
pub(super) enum Failure {
    /// The body did not arrive.
    Payload(PayloadError),
    /// The body is not what it should be.
    Params(ParamsError),
    /// A parameter is missing or wrong. Says which, in words for the caller.
    Parameter(String),
    /// The caller is not who may ask this.
    Auth(AuthFailure),
    /// A policy, or the operator, does not allow it. Says what, in words for the caller.
    Denied(String),
    /// There is no such thing. Says which, in words for the caller.
    NotFound(String),
    /// A resource's own answer.
    Told(Told),
    /// The token service says no, or cannot say.
    Token(TokenError),
    /// The directory says no, or cannot say.
    Directory(DirectoryError),
    /// Factors say no, or cannot say.
    Factor(FactorError),
    /// The configuration of backends was not read or written.
    Desk(BackendSettingsError),
    /// The key for answers could not be read.
    Signature(SignatureError),
}

/// Why nobody was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthFailure {
    /// The user or the password is wrong.
    WrongCredentials,
    /// The request names a realm that there is not.
    UnknownRealm(String),
    /// The request names no user.
    NoUsername,
    /// The request has no token.
    NoHeader,
    /// The token is not good. Says why, in words for the caller.
    BadToken(&'static str),
    /// It has expired.
    Expired,
    /// The caller has another role than this.
    Role(&'static str),
    /// There were too many attempts. Says how many there may be, in words for the caller.
    Limit(String),
    /// Nobody is to know why.
    Hidden,
}

/// An error as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) code: i32,
    pub(super) message: String,
    /// What stands under `detail`; `None` for what the route has there otherwise.
    pub(super) detail: Option<Value>,
    /// When another try is of use.
    pub(super) retry_after: Option<Duration>,
}

impl Told {
    pub(super) fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            retry_after: None,
        }
    }

    /// 503, to be tried again after this time.
    fn unavailable(after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, -503, "The service is unavailable.")
        }
    }

    fn broken() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, -500, "Internal server error.")
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, 601, message)
    }

    fn parameter(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 905, format!("ERR905: {message}"))
    }
}

impl Failure {
    /// As it is written. What only operators may know goes to the log, once, under the request's id.
    pub(super) fn tell(self, call: &Call) -> Told {
        match self {
            Self::Payload(error) => payload(error, call),
            Self::Params(error) => Told::parameter(&error.to_string()),
            Self::Parameter(problem) => Told::parameter(&problem),
            Self::Auth(failure) => failure.tell(),
            Self::Denied(message) => Told::new(StatusCode::FORBIDDEN, 303, message),
            Self::NotFound(message) => Told::not_found(message),
            Self::Told(told) => told,
            Self::Token(error) => token(&error, call),
            Self::Directory(error) => directory(&error, call),
            Self::Factor(error) => factor(&error, call),
            Self::Desk(error) => desk(&error, call),
            Self::Signature(error) => signature(&error, call),
        }
    }
}

impl AuthFailure {
    fn tell(self) -> Told {
        let told = |code, message: String| Told::new(StatusCode::UNAUTHORIZED, code, message);
        match self {
            Self::WrongCredentials => told(4031, "Authentication failed.".to_owned()),
            Self::UnknownRealm(realm) => told(4031, format!("Authentication failure. Unknown realm: {realm}.")),
            Self::NoUsername => told(4032, "Authentication failure. Missing Username".to_owned()),
            Self::NoHeader => told(4033, "Authentication failure. Missing Authorization header.".to_owned()),
            Self::BadToken(reason) => told(
                4304,
                format!("Authentication failure. Error decoding the Authorization token: {reason}"),
            ),
            Self::Expired => told(
                4305,
                "Authentication failure. Your token has expired: Signature has expired".to_owned(),
            ),
            Self::Role(role) => told(
                4306,
                format!("Authentication failure. You do not have the necessary role (['{role}']) for this."),
            ),
            Self::Limit(limit) => Told {
                detail: Some(json!({ "message": limit })),
                ..told(
                    403,
                    "Authentication failure. You exceeded the authentication time limit!".to_owned(),
                )
            },
            Self::Hidden => told(403, "Authentication failed.".to_owned()),
        }
    }
}

fn payload(error: PayloadError, call: &Call) -> Told {
    match error {
        PayloadError::TooLarge(_) => Told::new(StatusCode::PAYLOAD_TOO_LARGE, 905, format!("ERR905: {error}")),
        PayloadError::TooSlow => Told::new(StatusCode::REQUEST_TIMEOUT, 905, format!("ERR905: {error}")),
        PayloadError::Broken => Told::parameter(&error.to_string()),
        PayloadError::NoRoom => {
            log_failure(call, &error);
            Told::unavailable(Duration::ZERO)
        }
    }
}

fn token(error: &TokenError, call: &Call) -> Told {
    match error {
        TokenError::Refused(_)
        | TokenError::Factor(_)
        | TokenError::Closed(_)
        | TokenError::NoCredential
        | TokenError::UnknownBackend(_)
        | TokenError::AccessDenied(_)
        | TokenError::TenantDenied(_) => AuthFailure::WrongCredentials.tell(),
        TokenError::Factors(inner) => factor_fault(inner, error, call),
        TokenError::TtlOutOfRange { max } => Told::parameter(&format!("a token lives at most {} s", max.as_secs())),
        TokenError::TooManySessions(_) => Told::new(
            StatusCode::TOO_MANY_REQUESTS,
            403,
            "Authentication failure. There are too many sessions.",
        ),
        TokenError::Backend { backend: _, fault } => {
            log_failure(call, error);
            Told::unavailable(fault.retry_after())
        }
        TokenError::Saturated => {
            log_failure(call, error);
            Told::unavailable(Duration::ZERO)
        }
        TokenError::Store(inner) => store(inner, error, call),
        TokenError::NotFound => AuthFailure::BadToken("its session has ended").tell(),
    }
}

fn directory(error: &DirectoryError, call: &Call) -> Told {
    match error {
        DirectoryError::Store(inner) => store(inner, error, call),
        DirectoryError::Password(inner) => password(inner, error, call),
        DirectoryError::NotFound { .. } => Told::not_found(error.to_string()),
        DirectoryError::Ambiguous(_) | DirectoryError::OtherTenant { .. } | DirectoryError::Invalid { .. } => {
            Told::parameter(&error.to_string())
        }
        DirectoryError::Protected { .. } | DirectoryError::AccessDenied(_) | DirectoryError::ManagedExternally => {
            Told::new(StatusCode::FORBIDDEN, 303, error.to_string())
        }
        DirectoryError::WrongPassword => AuthFailure::WrongCredentials.tell(),
    }
}

fn factor(error: &FactorError, call: &Call) -> Told {
    match error {
        FactorError::Unknown(_) => Told::not_found(error.to_string()),
        FactorError::Taken(_) | FactorError::Invalid(_) => Told::parameter(&error.to_string()),
        // What privacyIDEA numbers errors in the administration of tokens with.
        FactorError::State(_) => Told::new(StatusCode::BAD_REQUEST, 301, error.to_string()),
        FactorError::Sealed(_) | FactorError::Password(_) | FactorError::Store(_) => factor_fault(error, error, call),
    }
}

/// A factor's error where no caller's word is to blame.
fn factor_fault(error: &FactorError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Told {
    match error {
        FactorError::Store(inner) => store(inner, whole, call),
        FactorError::Password(inner) => password(inner, whole, call),
        FactorError::Unknown(_)
        | FactorError::Taken(_)
        | FactorError::Invalid(_)
        | FactorError::State(_)
        | FactorError::Sealed(_) => {
            log_failure(call, whole);
            Told::broken()
        }
    }
}

fn desk(error: &BackendSettingsError, call: &Call) -> Told {
    match error {
        BackendSettingsError::Store(inner) => store(inner, error, call),
        BackendSettingsError::Unknown(_) => Told::new(
            StatusCode::NOT_FOUND,
            601,
            "The backend of `[dialect.privacyidea]` is not configured, so there are no realms.",
        ),
        BackendSettingsError::Refused(problems) => {
            let problems: Vec<_> = problems
                .iter()
                .map(|(place, problem)| format!("{place}: {problem}"))
                .collect();
            Told::parameter(&problems.join("; "))
        }
        BackendSettingsError::Overtaken => Told::new(
            StatusCode::CONFLICT,
            302,
            "Somebody else changed the configuration meanwhile. Try again.",
        ),
        BackendSettingsError::NotLoaded(_) => {
            log_failure(call, error);
            Told::unavailable(Duration::ZERO)
        }
    }
}

fn signature(error: &SignatureError, call: &Call) -> Told {
    log_failure(call, error);
    match error {
        SignatureError::Store(_) | SignatureError::Cut => Told::unavailable(Duration::ZERO),
        SignatureError::Sealed | SignatureError::Rsa(_) => Told::broken(),
    }
}

fn password(error: &PasswordError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Told {
    log_failure(call, whole);
    match error {
        PasswordError::Saturated => Told::unavailable(Duration::ZERO),
        PasswordError::TooWeak | PasswordError::Unsupported(_) | PasswordError::TooCostly => Told::broken(),
    }
}

fn store(error: &StoreError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Told {
    log_failure(call, whole);
    match error {
        StoreError::Unavailable { .. } => Told::unavailable(Duration::ZERO),
        // The user or its tenant was removed while it logged in.
        StoreError::Missing { .. } => AuthFailure::WrongCredentials.tell(),
        StoreError::Conflict { .. } => Told::new(
            StatusCode::CONFLICT,
            302,
            "Somebody else changed this meanwhile. Try again.",
        ),
        StoreError::InUse { .. } | StoreError::Inconsistent { .. } => Told::broken(),
    }
}

impl From<PayloadError> for Failure {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}

impl From<ParamsError> for Failure {
    fn from(error: ParamsError) -> Self {
        Self::Params(error)
    }
}

impl From<AuthFailure> for Failure {
    fn from(failure: AuthFailure) -> Self {
        Self::Auth(failure)
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Auth(match error {
            Unreadable::Malformed(reason) => AuthFailure::BadToken(reason),
            Unreadable::Expired => AuthFailure::Expired,
        })
    }
}

impl From<Told> for Failure {
    fn from(told: Told) -> Self {
        Self::Told(told)
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

impl From<FactorError> for Failure {
    fn from(error: FactorError) -> Self {
        Self::Factor(error)
    }
}

impl From<BackendSettingsError> for Failure {
    fn from(error: BackendSettingsError) -> Self {
        Self::Desk(error)
    }
}
