//! The runtime with real components: those in `target/wasm32-wasip2/plugin`, which `make plugins guests` builds.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, in its helpers too"
)]

mod errand;
mod host;

mod ability;
mod apart;
mod busy;
mod call;
mod change;
mod check;
mod database;
mod delegate;
mod digest;
mod directory_list;
mod file;
mod limit;
mod net;
mod reload;
mod reuse;
mod undo;
mod variant;
