//! Black-box tests: one binary, one folder per subject.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken expectation ends the test, in its helpers too"
)]

mod command;
mod edge;
mod events;
mod import;
mod isolation;
mod kazoo;
mod ldap;
mod privacyidea;
mod privilege;
mod reload;
mod store;
mod wazo;
mod webitel;
