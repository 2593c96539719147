//! The server's log, line by line, as it is written.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

#[derive(Default)]
struct Lines {
    all: Vec<String>,
    /// How many pipes are still written to.
    open: usize,
}

/// What the server has logged so far. Cloning shares it.
#[derive(Clone, Default)]
pub struct ServerLog {
    lines: Arc<(Mutex<Lines>, Condvar)>,
}

impl ServerLog {
    /// Reads a pipe to its end on a thread of its own.
    pub(crate) fn follow(&self, pipe: impl Read + Send + 'static) {
        let log = self.clone();
        self.lines.0.lock().expect("no panic while locked").open += 1;
        std::thread::spawn(move || {
            let (lock, wake) = &*log.lines;
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                lock.lock()
                    .expect("no panic while locked")
                    .all
                    .push(String::from_utf8_lossy(&line).into_owned());
                wake.notify_all();
            }
            lock.lock().expect("no panic while locked").open -= 1;
            wake.notify_all();
        });
    }

    /// Everything so far, as one text.
    ///
    /// # Panics
    /// If a reader panicked.
    pub fn text(&self) -> String {
        self.lines.0.lock().expect("no panic while locked").all.join("\n")
    }

    /// How many lines there are so far: a mark from which to wait on.
    ///
    /// # Panics
    /// If a reader panicked.
    pub fn mark(&self) -> usize {
        self.lines.0.lock().expect("no panic while locked").all.len()
    }

    /// The first JSON line from `mark` on for which `pick` gives something.
    ///
    /// # Panics
    /// If there is none within 30 seconds, or the server ends.
    pub fn wait_for<T>(&self, mark: usize, what: &str, pick: impl Fn(&Value) -> Option<T>) -> T {
        let (lock, wake) = &*self.lines;
        let until = Instant::now() + Duration::from_secs(30);
        let mut lines = lock.lock().expect("no panic while locked");
        let mut at = mark;
        loop {
            while let Some(line) = lines.all.get(at) {
                at += 1;
                if let Some(found) = serde_json::from_str(line).ok().as_ref().and_then(&pick) {
                    return found;
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                lines.open > 0,
                "the server ended before it logged {what}:\n{}",
                lines.all.join("\n")
            );
            assert!(
                !left.is_zero(),
                "the server did not log {what} in time:\n{}",
                lines.all.join("\n")
            );
            lines = wake.wait_timeout(lines, left).expect("no panic while locked").0;
        }
    }

    /// Waits for a line whose message is exactly this, and returns the line.
    ///
    /// # Panics
    /// As [`ServerLog::wait_for`].
    pub fn wait_for_message(&self, mark: usize, message: &str) -> Value {
        self.wait_for(mark, &format!("`{message}`"), |line| {
            (text_of(line, "message") == Some(message)).then(|| line.clone())
        })
    }
}

/// A field of a log line, wherever the JSON layer has put it.
pub(crate) fn text_of<'a>(line: &'a Value, field: &str) -> Option<&'a str> {
    line.get(field)
        .or_else(|| line.get("fields")?.get(field))
        .and_then(Value::as_str)
}
