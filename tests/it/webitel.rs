//! Webitel's API, as its clients use it.

mod factor;
mod roles;
mod seed;
mod sessions;
mod tokens;
