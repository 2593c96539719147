//! What the served document tells of changing passwords.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;

use crate::document::{Answer, Operation, Shape};

const TAG: &str = "backend passwords";

pub(super) const TAGS: &[(&str, &str)] = &[(TAG, "Passwords that backends keep.")];

/// Another password for somebody who knows the present one.
#[derive(ToSchema)]
struct BackendPasswordChange {
    /// The name of the backend that keeps the password.
    #[schema(min_length = 1, max_length = 1024)]
    backend: String,
    /// The login name, as for a login.
    #[schema(min_length = 1, max_length = 1024)]
    login: String,
    /// The tenant, where the backend asks for one: an id, a domain, a realm or a name.
    #[schema(min_length = 1, max_length = 1024)]
    tenant: Option<String>,
    #[schema(min_length = 1, max_length = 1024, write_only)]
    old_password: String,
    #[schema(min_length = 1, max_length = 1024, write_only)]
    new_password: String,
}

/// Why no password was changed.
#[derive(ToSchema)]
struct BackendPasswordError {
    /// What is wrong, for people.
    error: String,
    /// The same for programs. It stays as it is.
    error_id: BackendPasswordErrorId,
}

#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
enum BackendPasswordErrorId {
    InvalidBody,
    NotOffered,
    AuthenticationFailed,
    TooSlow,
    TooLarge,
    PasswordTooShort,
    PasswordTooWeak,
    PasswordUsedBefore,
    PasswordChangedTooSoon,
    PasswordChangeNotAllowed,
    PasswordRejected,
    Unavailable,
}

pub(super) fn change() -> Operation {
    const DETAIL: &str = "The present password is the credential: nobody needs a token. When the answer is 204, everything that was issued to its \
        owner has ended: sessions, tokens and refresh tokens.";
    let error = |status, description| Answer::new(status, description).json(Shape::of::<BackendPasswordError>());
    Operation::open(TAG, "changeBackendPassword", "Changes a password that a backend keeps")
        .detail(DETAIL)
        .body("application/json", Shape::of::<BackendPasswordChange>())
        .answer(Answer::new(204, "The new password is in effect."))
        .answer(error(
            400,
            "The body is not as it should be, or the backend does not change passwords.",
        ))
        .answer(error(
            401,
            "Login and present password are not accepted, or there is no such backend.",
        ))
        .answer(error(408, "The body did not arrive in time."))
        .answer(error(413, "The body is too large."))
        .answer(error(422, "The new password is not accepted; the present one stays."))
        .answer(
            error(503, "It cannot be said now whether the password was changed.")
                .header("Retry-After", "In how many seconds to try again."),
        )
}
