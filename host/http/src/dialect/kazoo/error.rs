//! What went wrong, as this dialect says it. Every error of the core has its line here; there is no catch-all.

use std::time::Duration;

use http::StatusCode;
use keyway_core::directory::DirectoryError;
use keyway_core::model::Closed;
use keyway_core::password::PasswordError;
use keyway_core::port::StoreError;
use keyway_core::token::{Asked, TokenError};
use serde_json::{Map, Value, json};

use super::account::gregorian;
use super::challenge;
use super::schema::Problems;
use super::signing::SigningError;
use crate::edge::{Call, PayloadError, log_failure};
use crate::presented::{Unpresentable, Unreadable};

/// Why a request was not served.
#[derive(Debug)]
pub(super) enum Failure {
    /// The body did not arrive.
    Payload(PayloadError),
    /// Fields are missing or wrong.
    Invalid(Problems),
    /// Nobody was let in, or the token is not good: one wording, whatever the reason.
    InvalidCredentials,
    /// The token has expired.
    Expired,
    /// Another step is wanted.
    Challenged(Box<Asked>),
    /// The caller may not do this.
    Forbidden,
    /// There is nothing with this id.
    BadIdentifier(String),
    /// This is no id of an account.
    NoAccountId(String),
    /// There were too many attempts. There may be another one after this time.
    TooManyRequests(Duration),
    /// A resource's own answer.
    Told(Told),
    /// The token service says no, or cannot say.
    Token(TokenError),
    /// The directory says no, or cannot say.
    Directory(DirectoryError),
    /// The key for tokens could not be read or used.
    Signing(SigningError),
}

/// An error as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) message: String,
    pub(super) data: Value,
    /// When another try is of use.
    pub(super) retry_after: Option<Duration>,
}

impl Told {
    pub(super) fn new(status: StatusCode, message: impl Into<String>, data: Value) -> Self {
        Self {
            status,
            message: message.into(),
            data,
            retry_after: None,
        }
    }

    /// An error whose data say the same in words.
    pub(super) fn said(status: StatusCode, message: &str, words: &str) -> Self {
        Self::new(status, message, json!({ "message": words }))
    }

    fn invalid(data: Value) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation error", data)
    }

    fn invalid_credentials() -> Self {
        Self::said(StatusCode::UNAUTHORIZED, "invalid_credentials", "invalid credentials")
    }

    /// 503, to be tried again after this time.
    fn unavailable(after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::said(
                StatusCode::SERVICE_UNAVAILABLE,
                "service_unavailable",
                "service unavailable",
            )
        }
    }

    fn broken() -> Self {
        Self::said(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "internal server error",
        )
    }

    pub(super) fn bad_identifier(cause: &str) -> Self {
        let data = json!({ "message": "bad identifier", "cause": cause });
        Self::new(StatusCode::NOT_FOUND, "bad_identifier", data)
    }

    /// There is no such route.
    pub(super) fn not_found() -> Self {
        Self::said(StatusCode::NOT_FOUND, "not_found", "not found")
    }

    /// The route does not have this method.
    pub(super) fn not_allowed() -> Self {
        Self::said(StatusCode::METHOD_NOT_ALLOWED, "invalid_method", "method not allowed")
    }

    fn conflict() -> Self {
        Self::said(
            StatusCode::CONFLICT,
            "datastore_conflict",
            "somebody else changed the same meanwhile",
        )
    }

    fn too_many(after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::said(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests")
        }
    }
}

impl Failure {
    /// As it is written. What only operators may know goes to the log, once, under the request's id.
    pub(super) fn tell(self, call: &Call) -> Told {
        match self {
            Self::Payload(error) => payload(error, call),
            Self::Invalid(problems) => Told::invalid(problems.into_value()),
            Self::InvalidCredentials => Told::invalid_credentials(),
            // With a blank, and nothing more about it, as the original has it.
            Self::Expired => Told::new(StatusCode::UNAUTHORIZED, "invalid credentials", json!({})),
            Self::Challenged(asked) => {
                let data = challenge::data(&asked);
                Told::new(StatusCode::UNAUTHORIZED, "invalid_credentials", data)
            }
            Self::Forbidden => Told::said(StatusCode::FORBIDDEN, "forbidden", "forbidden"),
            Self::BadIdentifier(cause) => Told::bad_identifier(&cause),
            Self::NoAccountId(text) => {
                let words = format!("invalid account_id '{text}'");
                Told::said(StatusCode::NOT_FOUND, "bad identifier", &words)
            }
            Self::TooManyRequests(after) => Told::too_many(after),
            Self::Told(told) => told,
            Self::Token(error) => token(&error, call),
            Self::Directory(error) => directory(&error, call),
            Self::Signing(error) => signing(&error, call),
        }
    }
}

fn payload(error: PayloadError, call: &Call) -> Told {
    let invalid = |message: String| {
        let problem = json!({ "message": message, "target": "body" });
        Told::invalid(json!({ "json": { "invalid": problem } }))
    };
    match error {
        PayloadError::TooLarge(_) => Told {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..invalid(error.to_string())
        },
        PayloadError::TooSlow => Told {
            status: StatusCode::REQUEST_TIMEOUT,
            ..invalid(error.to_string())
        },
        PayloadError::Broken => invalid(error.to_string()),
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
        | TokenError::NoCredential
        | TokenError::UnknownBackend(_)
        | TokenError::AccessDenied(_)
        | TokenError::TenantDenied(_)
        | TokenError::NotFound => Told::invalid_credentials(),
        TokenError::Closed(closed) => Told::invalid(closed_because(*closed)),
        TokenError::Factors(_) => {
            log_failure(call, error);
            Told::broken()
        }
        TokenError::TtlOutOfRange { .. } => {
            // The life is the operator's own word, so this is a fault of the configuration.
            log_failure(call, error);
            Told::broken()
        }
        TokenError::TooManySessions(_) => Told::too_many(Duration::from_mins(1)),
        TokenError::Backend { backend: _, fault } => {
            log_failure(call, error);
            Told::unavailable(fault.retry_after())
        }
        TokenError::Saturated => {
            log_failure(call, error);
            Told::unavailable(Duration::ZERO)
        }
        TokenError::Store(inner) => store(inner, error, call),
    }
}

/// What is said of an account that nobody may log in to.
fn closed_because(closed: Closed) -> Value {
    match closed {
        Closed::Disabled => json!({ "account": { "disabled": { "message": "account disabled" } } }),
        Closed::Expired(end) => {
            json!({ "account": { "expired": { "message": "account expired", "cause": gregorian(end) } } })
        }
    }
}

fn directory(error: &DirectoryError, call: &Call) -> Told {
    match error {
        DirectoryError::Store(StoreError::Conflict { what }) => {
            let message = format!("somebody else has this {what}");
            invalid_field(what, "unique", &message)
        }
        DirectoryError::Store(inner) => store(inner, error, call),
        DirectoryError::Password(inner) => password(inner, error, call),
        DirectoryError::NotFound { what: _, name } => Told::bad_identifier(name),
        DirectoryError::Ambiguous(_) | DirectoryError::OtherTenant { .. } => {
            Told::invalid(json!({ "message": error.to_string() }))
        }
        DirectoryError::Invalid { field, rule } => invalid_field(field, "invalid", rule),
        DirectoryError::Protected { .. } | DirectoryError::AccessDenied(_) | DirectoryError::ManagedExternally => {
            Told::said(StatusCode::FORBIDDEN, "forbidden", "forbidden")
        }
        DirectoryError::WrongPassword => Told::invalid_credentials(),
    }
}

fn invalid_field(field: &str, rule: &str, message: &str) -> Told {
    let mut data = Map::new();
    let mut rules = Map::new();
    rules.insert(rule.to_owned(), json!({ "message": message }));
    data.insert(field.replace(' ', "_"), Value::Object(rules));
    Told::invalid(Value::Object(data))
}

fn password(error: &PasswordError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Told {
    log_failure(call, whole);
    match error {
        PasswordError::Saturated => Told::unavailable(Duration::ZERO),
        PasswordError::TooWeak | PasswordError::Unsupported(_) | PasswordError::TooCostly => Told::broken(),
    }
}

fn signing(error: &SigningError, call: &Call) -> Told {
    log_failure(call, error);
    match error {
        SigningError::Store(_) | SigningError::Cut => Told::unavailable(Duration::ZERO),
        SigningError::Sealed | SigningError::Rsa(_) => Told::broken(),
    }
}

fn store(error: &StoreError, whole: &(dyn std::error::Error + 'static), call: &Call) -> Told {
    log_failure(call, whole);
    match error {
        StoreError::Unavailable { .. } => Told::unavailable(Duration::ZERO),
        // The user or its tenant was removed while it logged in.
        StoreError::Missing { .. } => Told::invalid_credentials(),
        StoreError::Conflict { .. } => Told::conflict(),
        StoreError::InUse { .. } | StoreError::Inconsistent { .. } => Told::broken(),
    }
}

impl From<PayloadError> for Failure {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
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

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        Self::Signing(error)
    }
}

impl From<Unpresentable> for Failure {
    fn from(error: Unpresentable) -> Self {
        match error {
            Unpresentable::None(Unreadable::Expired) => Self::Expired,
            Unpresentable::None(
                Unreadable::Malformed | Unreadable::Algorithm | Unreadable::Signature | Unreadable::Identity,
            ) => Self::InvalidCredentials,
            Unpresentable::Key(error) => Self::Signing(error),
        }
    }
}
