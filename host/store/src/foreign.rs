//! Other systems' databases, to be brought in. Nothing is written to them.

mod privacyidea;
mod row;
mod wazo;

pub use privacyidea::open_privacyidea;
pub use wazo::open_wazo;
