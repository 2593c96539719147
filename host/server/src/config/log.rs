//! `[log]`: how much is logged, and in which form.

use serde::Deserialize;
use tracing::Level;

/// How much is logged, in xivo-auth's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// What stops the server. The log has no level of its own for it, so it shows errors too.
    Critical,
    /// What went wrong.
    Error,
    /// What looks wrong.
    Warning,
    /// What an operator wants to know.
    #[default]
    Info,
    /// What a developer wants to know.
    Debug,
}

/// One line of text or of JSON for each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    /// How much.
    pub(crate) level: LogLevel,
    /// In which form.
    pub(crate) format: LogFormat,
}

impl LogLevel {
    /// As the configuration writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The level in the log library's words.
    pub(crate) fn as_tracing(self) -> Level {
        match self {
            Self::Critical | Self::Error => Level::ERROR,
            Self::Warning => Level::WARN,
            Self::Info => Level::INFO,
            Self::Debug => Level::DEBUG,
        }
    }
}
