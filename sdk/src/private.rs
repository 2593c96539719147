//! What the expansion of `register!` needs to reach. Not for people: nothing here is covered by the version number.

use crate::{Backend, Health};

#[cfg(target_family = "wasm")]
pub use crate::wit::{Component, authenticator, export_authenticator, export_health, health};

pub fn assert_backend<B: Backend>() {}

pub fn assert_health<B: Health>() {}
