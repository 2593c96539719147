//! What holds for the whole runtime, as opposed to one backend.

use std::path::PathBuf;
use std::time::Duration;

use keyway_core::Secret;

/// When a new generation is taken back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probation {
    /// How many calls a new generation is watched for.
    pub calls: u32,
    /// How long it is watched at the most.
    pub period: Duration,
    /// How many faults of its own take it back, if they are also more than half of its calls.
    pub faults: u32,
}

impl Default for Probation {
    fn default() -> Self {
        Self {
            calls: 20,
            period: Duration::from_mins(1),
            faults: 5,
        }
    }
}

/// What holds for the whole runtime.
#[derive(Debug, Clone)]
pub struct RuntimeSettings {
    /// The folder that is watched for `*.wasm`. It is made if it is absent.
    pub plugins_dir: PathBuf,
    /// The runtime keeps compiled plugins in `cache/` and copies of plugin files in `plugins/` below it. Folders get mode 0700.
    pub data_dir: PathBuf,
    /// Authenticates compiled plugins at rest; derived from the master key under a label of its own.
    pub artefact_key: Secret<[u8; 32]>,
    /// Calls under way at once over all backends. The engine reserves address space (not memory) for them at start.
    pub max_concurrent_calls: u32,
    /// A larger plugin file is refused unread, in bytes.
    pub max_plugin_bytes: u64,
    /// How long the compilation of one plugin may take before it is given up.
    pub compile_deadline: Duration,
    /// Whether to watch `plugins_dir`. Without it, `reconcile` and `set_desired` are the only triggers.
    pub watch: bool,
    /// When a new generation is taken back by itself.
    pub probation: Probation,
}

impl RuntimeSettings {
    /// Defaults for everything but the places and the key.
    pub fn new(plugins_dir: PathBuf, data_dir: PathBuf, artefact_key: Secret<[u8; 32]>) -> Self {
        Self {
            plugins_dir,
            data_dir,
            artefact_key,
            max_concurrent_calls: 256,
            max_plugin_bytes: 32 << 20,
            compile_deadline: Duration::from_mins(1),
            watch: true,
            probation: Probation::default(),
        }
    }
}
