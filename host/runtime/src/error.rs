//! Why the runtime could not start. What goes wrong with one backend is no error of the runtime's: it is that backend's status.

use std::io;
use std::path::PathBuf;

/// Why the runtime could not start.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A folder that the runtime needs cannot be made, read or written.
    #[error("the folder `{path}` cannot be used")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The record of generations, quarantines and rollbacks is there and cannot be read. It is not overwritten: that would lift
    /// quarantines silently.
    #[error("the plugin record `{path}` cannot be read: {reason}; repair it, or remove it to start with an empty one")]
    Record {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The machine does not give the engine what it needs, address space in most cases.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
}
