//! The reload transaction: one task compares what is desired with what is live, has brought up what differs, and swaps. Everything
//! that can trigger it sends a message here, so no two reloads of a backend ever run at once. Backends do not wait for each other.

pub(crate) mod archive;
mod board;
pub(crate) mod bring_up;
pub(crate) mod cache;
mod command;
mod compile;
pub(crate) mod entry;
pub(crate) mod file;
mod plan;
pub(crate) mod record;
mod task;
pub(crate) mod trial;
mod watch;
mod work;

pub(crate) use self::board::Board;
pub(crate) use self::command::Command;
pub(crate) use self::task::Reconciler;
