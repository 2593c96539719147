//! The API, route by route, over doubles.

mod attempt;
mod content;
mod house;
mod link;
mod session;
mod tree;
