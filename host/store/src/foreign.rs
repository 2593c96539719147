//! Other systems' databases, to be brought in. Nothing is written to them.

mod row;
mod wazo;

pub use wazo::open_wazo;
