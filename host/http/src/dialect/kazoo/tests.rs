//! The API, route by route, over doubles.

mod tree;
