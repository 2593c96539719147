//! `log`: lines in the host's log.

use std::fmt::Write as _;

use crate::bindings::keyway::backend::log::{Host, Level};
use crate::call::CallState;
use crate::grant::Capability;
use crate::trace::STEP_FIELD;

const MESSAGE_BYTES: usize = 4096;
const FIELDS: usize = 16;
const FIELD_BYTES: usize = 1024;

impl Host for CallState {
    fn emit(&mut self, level: Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let size: usize = fields.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.meter.charge(message.len() + size)?;
        if !self.profile.capabilities.has(Capability::Log) || !self.meter.take_log_line() {
            return Ok(());
        }
        let message = self.clean(&message, MESSAGE_BYTES);
        if let Some((_, step)) = fields.iter().find(|(key, _)| key == STEP_FIELD) {
            let step = self.clean(step, FIELD_BYTES);
            self.profile.trace.tell(&step, || message.clone());
        }
        let mut written = String::new();
        for (key, value) in fields.iter().take(FIELDS) {
            let separator = if written.is_empty() { "" } else { " " };
            let (key, value) = (self.clean(key, FIELD_BYTES), self.clean(value, FIELD_BYTES));
            let _ = write!(written, "{separator}{key}={value:?}");
        }
        let (backend, request_id) = (self.profile.backend.as_str(), self.request_id.as_str());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: "keyway::plugin", backend, request_id, fields = written, "{message}")
            };
        }
        match level {
            Level::Debug => line!(debug),
            Level::Info => line!(info),
            Level::Warn => line!(warn),
            Level::Error => line!(error),
        }
        Ok(())
    }
}
