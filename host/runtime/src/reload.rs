//! The reload transaction: one task compares what is desired with what is live, brings up what differs, and swaps. Everything that
//! can trigger it sends a message here, so no two reloads ever run at once.

pub(crate) mod archive;
pub(crate) mod bring_up;
pub(crate) mod cache;
mod command;
pub(crate) mod entry;
pub(crate) mod file;
mod plan;
pub(crate) mod record;
mod task;
mod watch;

pub(crate) use self::command::Command;
pub(crate) use self::task::{Board, Reconciler};
