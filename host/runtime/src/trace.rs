//! What an operator is shown of one call: the steps of a login as the host and the plugin take them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The field of a plugin's log line that makes a step of it.
pub(crate) const STEP_FIELD: &str = "step";

/// The most steps that are remembered.
const STEPS: usize = 256;

/// One step of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceStep {
    /// What was done, `connected` or `search` for example.
    pub step: String,
    /// What came of it.
    pub detail: String,
    /// When, since the call began.
    pub at: Duration,
}

/// Collects steps, where somebody wants to see them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Option<Arc<Steps>>);

#[derive(Debug)]
struct Steps {
    began: Instant,
    steps: Mutex<Vec<TraceStep>>,
}

impl Trace {
    /// One that collects.
    pub(crate) fn collecting() -> Self {
        Self(Some(Arc::new(Steps {
            began: Instant::now(),
            steps: Mutex::default(),
        })))
    }

    /// Remembers a step. The detail is made only if somebody wants to see it.
    pub(crate) fn tell(&self, step: &str, detail: impl FnOnce() -> String) {
        let Some(collected) = &self.0 else {
            return;
        };
        let mut steps = collected.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() < STEPS {
            steps.push(TraceStep {
                step: step.to_owned(),
                detail: detail(),
                at: collected.began.elapsed(),
            });
        }
    }

    /// What was collected.
    pub(crate) fn take(&self) -> Vec<TraceStep> {
        let steps = self.0.as_ref().map(|collected| {
            let mut steps = collected.steps.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *steps)
        });
        steps.unwrap_or_default()
    }
}
