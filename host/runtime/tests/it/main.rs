//! The runtime with real components: those in `target/wasm32-wasip2/plugin`, which `make plugins` builds.

mod host;

mod call;
mod check;
mod limit;
mod reload;
mod reuse;
mod undo;
