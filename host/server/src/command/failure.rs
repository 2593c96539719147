//! How a command fails: one line that says what to do next, and an exit status.

use std::error::Error;
use std::process::ExitCode;

use crate::app::chain;
use crate::config::ConfigError;

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Exit status 1.
    Failed(String),
    /// Exit status 2: the command line or the configuration is wrong.
    Usage(String),
}

impl Failure {
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// An error with its causes.
    pub(crate) fn of(error: &dyn Error) -> Self {
        Self::Failed(chain(error))
    }

    /// The one line.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Failed(text) | Self::Usage(text) => text,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(chain(&error))
    }
}
