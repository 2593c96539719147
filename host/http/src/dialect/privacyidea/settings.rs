//! What an operator says of this dialect: `[dialect.privacyidea]`.

use std::time::Duration;

/// `[dialect.privacyidea]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyideaSettings {
    /// The backend through which users log in, and whose realms and resolvers this dialect shows.
    pub backend: String,
    /// The backend through which local administrators log in.
    pub admin_backend: String,
    /// The realms whose users are administrators, in lower case.
    pub superuser_realms: Vec<String>,
    /// How errors are numbered.
    pub error_codes: ErrorCodes,
    /// Whether answers are signed.
    pub sign_responses: bool,
    /// How long entries of the audit are kept.
    pub audit_keep: Duration,
}

/// How errors are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorCodes {
    /// As privacyIDEA has since 2.23: `4031`, `4033`, ...
    #[default]
    Modern,
    /// As it had before: `-401` for everything that is 401, with `config.logout_time` beside the result.
    Seed,
}

impl Default for PrivacyideaSettings {
    fn default() -> Self {
        Self {
            backend: "wazo_user".to_owned(),
            admin_backend: "wazo_user".to_owned(),
            superuser_realms: Vec::new(),
            error_codes: ErrorCodes::Modern,
            sign_responses: false,
            audit_keep: Duration::from_hours(90 * 24),
        }
    }
}
