//! Keyway's ports over sqlx: `SQLite`, embedded and the default, and `PostgreSQL`, for several nodes.
//!
//! The only crate that knows sqlx. What the two databases say in the same words stands in `statement/` once; `sqlite/` and `postgres/` hold
//! what is their own: how a write becomes durable, and how other nodes hear of it. Schemas are in `migrations/`, which only ever grows.

#![expect(
    clippy::duplicate_mod,
    reason = "the statements that both databases share are compiled once per driver, over concrete types: generic over sqlx's traits \
              they would be mostly bounds"
)]

mod failure;
mod foreign;
mod named_database;
mod open;
mod postgres;
mod row;
mod sqlite;

pub use foreign::{open_privacyidea, open_wazo};
pub use named_database::SqlDatabases;
pub use open::{OpenError, StoreSettings, open};
