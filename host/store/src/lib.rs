//! Keyway's ports over sqlx: `SQLite`, embedded and the default, and `PostgreSQL`, for several nodes.
//!
//! The only crate that knows sqlx. What the two databases say in the same words stands in `statement/` once; `sqlite/` and `postgres/` hold
//! what is their own: how a write becomes durable, and how other nodes hear of it. Schemas are in `migrations/`, which only ever grows.

mod failure;
mod open;

mod row;
mod sqlite;

pub use open::{OpenError, StoreSettings, open};
