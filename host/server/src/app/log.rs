//! Where log lines go: standard error, as text or as JSON, at a level that a reload can change.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Changes the level of the log.
#[derive(Debug, Clone)]
pub(crate) struct LogControl {
    filter: reload::Handle<Levels, Registry>,
    /// The command line's level, which a reload does not override.
    fixed: bool,
}

type Levels = tracing_subscriber::filter::Targets;

/// Starts logging. `level` is the command line's and wins over the configuration's. To be called once.
pub(crate) fn start(config: LogConfig, level: Option<LogLevel>) -> LogControl {
    let (filter, handle) = reload::Layer::new(levels(level.unwrap_or(config.level)));
    let lines = match config.format {
        LogFormat::Text => fmt::layer().with_writer(std::io::stderr).with_ansi(false).boxed(),
        LogFormat::Json => fmt::layer()
            .with_writer(std::io::stderr)
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    };
    // A second start in one process can only be a test's; the first one's log serves it too.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    LogControl {
        filter: handle,
        fixed: level.is_some(),
    }
}

impl LogControl {
    /// Puts the configuration's level in place, unless the command line has set one; returns whether it did.
    pub(crate) fn apply(&self, config: LogConfig) -> bool {
        !self.fixed && self.filter.reload(levels(config.level)).is_ok()
    }
}

/// Our own lines at the level that was asked for; the libraries' from warnings on, because their debug lines can hold what passes through
/// them.
fn levels(level: LogLevel) -> Levels {
    let level = LevelFilter::from_level(level.as_tracing());
    let rooms = ["keyway", "keyway_core", "keyway_http", "keyway_runtime", "keyway_store"];
    Levels::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(rooms.map(|room| (room, level)))
}
