//! Keyway's HTTP side: the dialects, the admin API, and the edge that both stand behind.
//!
//! The one crate that knows axum. A dialect turns its wire form into one call of the token service and renders the answer; it
//! decides nothing. It may not know a store's or a runtime's concrete types: those come in through [`AppParts`].

pub mod admin;
pub mod dialect;
mod document;
pub mod edge;
pub mod events;
mod memory;
mod password;
mod presented;
mod running;
mod state;
#[cfg(test)]
mod testing;

pub use dialect::kazoo::{BucketSettings, Impersonation, KazooSettings, KazooState};
pub use dialect::privacyidea::{
    ErrorCodes, PrivacyideaKeys, PrivacyideaPolicies, PrivacyideaPolicyReader, PrivacyideaSettings, sweep_audit,
};
pub use dialect::wazo::Cors;
pub use dialect::webitel::{CdrSettings, UnknownUser, WebitelSettings, WebitelState};
pub use running::{OwnSettings, RunningListener, RunningMail, RunningSettings, Switch};
pub use state::{
    AppParts, AppState, DialectSettings, EventStreamSettings, EventStreams, Reload, ReloadReport, WazoSettings,
};
