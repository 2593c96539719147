//! What the expansion of `register!` needs to reach. Not for people: nothing here is covered by the version number.

use crate::{Backend, Browse, ChangePassword, Health, Lookup};

#[cfg(target_family = "wasm")]
pub use crate::wit::{
    Component, authenticator, browse, change_password, export_authenticator, export_browse, export_change_password,
    export_health, export_lookup, health, lookup,
};

pub fn assert_backend<B: Backend>() {}

pub fn assert_health<B: Health>() {}

pub fn assert_lookup<B: Lookup>() {}

pub fn assert_change_password<B: ChangePassword>() {}

pub fn assert_browse<B: Browse>() {}
