//! The API, route by route, over doubles.

mod session;
mod tree;
