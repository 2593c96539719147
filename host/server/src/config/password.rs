//! `[password]`: what one password hash costs, and how many are computed at once.

use std::thread::available_parallelism;

use keyway_core::password::PasswordParams;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::quantity::Size;
use super::source::Source;

/// `[password]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPassword {
    memory: Option<Spanned<Size>>,
    iterations: Option<Spanned<u32>>,
    parallelism: Option<Spanned<u32>>,
    workers: Option<Spanned<u32>>,
    queue: Option<Spanned<u32>>,
}

/// The password pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PasswordConfig {
    /// Parameters of new verifiers.
    pub(crate) params: PasswordParams,
    /// Comparisons at once; each takes `params.memory_kib`.
    pub(crate) workers: usize,
    /// Comparisons that may wait, of each backend.
    pub(crate) queue: usize,
}

impl RawPassword {
    pub(super) fn check(&self, source: &Source) -> Result<PasswordConfig, ConfigError> {
        let defaults = PasswordParams::default();
        let iterations = within(self.iterations.as_ref(), 1..=100, source)?.unwrap_or(defaults.iterations);
        let parallelism = within(self.parallelism.as_ref(), 1..=64, source)?.unwrap_or(defaults.parallelism);
        let memory_kib = match &self.memory {
            Some(raw) => u32::try_from(raw.get_ref().0 >> 10)
                .ok()
                .filter(|kib| *kib <= 4 << 20)
                .ok_or_else(|| source.refuse(raw.span(), "must be at most `4GiB`"))?,
            None => defaults.memory_kib,
        };
        let params = PasswordParams {
            memory_kib,
            iterations,
            parallelism,
        };
        if params.check().is_err() {
            let span = self.memory.as_ref().map(Spanned::span);
            let span = span
                .or_else(|| self.iterations.as_ref().map(Spanned::span))
                .unwrap_or(0..0);
            return Err(source.refuse(
                span,
                "too weak; use at least `19MiB` with 2 iterations, or `46MiB` with 1",
            ));
        }
        let cores = available_parallelism().map_or(1, usize::from);
        let workers = within(self.workers.as_ref(), 1..=1024, source)?;
        let queue = within(self.queue.as_ref(), 0..=1_000_000, source)?.unwrap_or(1024);
        Ok(PasswordConfig {
            params,
            workers: workers.map_or(cores, |workers| usize::try_from(workers).unwrap_or(cores)),
            queue: usize::try_from(queue).unwrap_or(usize::MAX),
        })
    }
}

/// The number, if it is written and within the range.
pub(super) fn within(
    raw: Option<&Spanned<u32>>,
    range: std::ops::RangeInclusive<u32>,
    source: &Source,
) -> Result<Option<u32>, ConfigError> {
    match raw {
        Some(raw) if !range.contains(raw.get_ref()) => {
            let rule = format!("must be {} to {}", range.start(), range.end());
            Err(source.refuse(raw.span(), rule))
        }
        Some(raw) => Ok(Some(*raw.get_ref())),
        None => Ok(None),
    }
}
