//! Webitel's API, as its clients use it.

mod roles;
mod seed;
mod tokens;
