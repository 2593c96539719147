//! Why a configuration cannot be used: the key, the file and the line.

use std::fmt;
use std::path::PathBuf;

/// Where a value of the configuration was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A line of the file, counted from 1.
    Line {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) => write!(f, "environment variable `{name}`"),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// No file was named, and there is none in the usual places.
    #[error(
        "no configuration file: looked for {searched}; write one (a `[[listen]]` with an `address` is enough), name it with `-c FILE`, \
         or try `keyway demo`"
    )]
    NoFile {
        /// Where it was looked for.
        searched: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system says. Part of the message, because it is what the operator has to act on.
        reason: String,
    },
    /// A value is not acceptable.
    #[error("{location}: {problem}")]
    Invalid {
        /// Where it was written.
        location: Location,
        /// The key, what is wrong with it, and what would be right.
        problem: String,
    },
}
