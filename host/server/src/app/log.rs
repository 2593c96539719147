//! Where log lines go: standard error, as text or as JSON, at a level that a reload and an operator can change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Where the line of each request comes from, with the time that it took. A line of debugging, if the request changes nothing.
const REQUESTS: &str = "keyway_http::edge::answer";

/// Changes the level of the log.
#[derive(Debug, Clone)]
pub(crate) struct LogControl {
    filter: reload::Handle<Levels, Registry>,
    /// The command line's level, which a reload does not override.
    fixed: bool,
    volume: Arc<Mutex<Volume>>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Volume {
    /// What the command line or the configuration says.
    pub(crate) level: LogLevel,
    /// Whether lines for developers are logged.
    pub(crate) debug: bool,
    /// Whether each request has its line.
    pub(crate) requests: bool,
}

type Levels = tracing_subscriber::filter::Targets;

/// Starts logging. `level` is the command line's and wins over the configuration's. To be called once.
pub(crate) fn start(config: LogConfig, level: Option<LogLevel>) -> LogControl {
    let volume = Volume::of(level.unwrap_or(config.level));
    let (filter, handle) = reload::Layer::new(volume.levels());
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
        volume: Arc::new(Mutex::new(volume)),
    }
}

impl LogControl {
    /// Puts the configuration's level in place, unless the command line has set one; returns whether it did. What was turned on or off since the
    /// start is forgotten.
    pub(crate) fn apply(&self, config: LogConfig) -> bool {
        !self.fixed && self.set(|_| Volume::of(config.level))
    }

    /// How much is logged now.
    pub(crate) fn volume(&self) -> Volume {
        *self.lock()
    }

    /// Changes how much is logged; returns whether that is in effect.
    pub(crate) fn set(&self, change: impl FnOnce(Volume) -> Volume) -> bool {
        let mut volume = self.lock();
        let next = change(*volume);
        let done = self.filter.reload(next.levels()).is_ok();
        if done {
            *volume = next;
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, Volume> {
        self.volume.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Volume {
    fn of(level: LogLevel) -> Self {
        Self {
            level,
            debug: level == LogLevel::Debug,
            requests: false,
        }
    }

    /// Our own lines at the level that was asked for; the libraries' from warnings on, because their debug lines can hold what passes through
    /// them.
    fn levels(self) -> Levels {
        let level = match (self.debug, self.level) {
            (true, _) => LogLevel::Debug,
            // Debugging was turned off, and the configuration has no other word for what is left.
            (false, LogLevel::Debug) => LogLevel::Info,
            (false, level) => level,
        };
        let level = LevelFilter::from_level(level.as_tracing());
        let rooms = [
            "keyway",
            "keyway_core",
            "keyway_http",
            "keyway_mail",
            "keyway_runtime",
            "keyway_store",
        ];
        let levels = Levels::new()
            .with_default(level.min(LevelFilter::WARN))
            .with_targets(rooms.map(|room| (room, level)));
        if self.requests {
            levels.with_target(REQUESTS, LevelFilter::DEBUG)
        } else {
            levels
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn debugging_and_the_requests_lines_are_turned_on_and_off() {
        let shows = |volume: Volume, target, level| volume.levels().would_enable(target, &level);
        let info = Volume::of(LogLevel::Info);
        assert!(!info.debug && !shows(info, "keyway_core::token", Level::DEBUG));
        let debug = Volume { debug: true, ..info };
        assert!(shows(debug, "keyway_core::token", Level::DEBUG) && !shows(debug, "hyper", Level::INFO));
        let requests = Volume { requests: true, ..info };
        assert!(shows(requests, REQUESTS, Level::DEBUG));
        assert!(!shows(requests, "keyway_http::admin", Level::DEBUG) && !shows(info, REQUESTS, Level::DEBUG));
        let off = Volume {
            debug: false,
            ..Volume::of(LogLevel::Debug)
        };
        assert!(shows(off, "keyway_core", Level::INFO) && !shows(off, "keyway_core", Level::DEBUG));
    }
}
