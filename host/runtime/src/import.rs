//! The host's side of the imports, one file per WIT interface. Each checks its capability, counts against the call's limits, and
//! answers; nothing here decides who is who.
//!
//! To add one: its `.wit` file, a file here, one line in [`add_to_linker`], and its capability in `grant.rs`.

mod config;
mod database;
mod delegate;
mod directory;
mod directory_digest;
mod directory_list;
mod file;
mod log;
pub(crate) mod net;
pub(crate) mod secrets;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::keyway::backend;
use crate::call::CallState;

/// Links all imports of the contract.
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    backend::config::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::database::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::delegate::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::directory::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::directory_digest::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::directory_list::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::file::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::log::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::net::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::secrets::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    backend::types::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
}

impl backend::types::Host for CallState {}
